"""What lists of vouchers and publications may be filtered and ordered by."""

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from campaigns.filters import of_campaign
from campaigns.models import Campaign, Category
from customers.filters import of_customer
from customers.models import Customer
from promoengine.core.api.filters import (
    NOTHING,
    Field,
    as_boolean,
    as_integer,
    as_moment,
    as_text,
    by_id,
    filter_condition,
    of_related,
    range_condition,
)
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from vouchers.codes import code_key
from vouchers.criteria import with_fragment
from vouchers.models import Voucher

# As the list's own parameter calls them.
SHORT_TYPES = {
    "discount": Voucher.Type.DISCOUNT_VOUCHER,
    "gift": Voucher.Type.GIFT_VOUCHER,
    "loyalty": "LOYALTY_CARD",
}


def _expired() -> Q:
    return Q(expiration_date__lte=timezone.now())


def in_category(values: list[str]) -> Q:
    """Return the condition that a voucher has a category so named, or else its campaign."""
    categories = list(Category.objects.filter(name__in=values).values_list("pk", flat=True))
    campaigns = list(Campaign.objects.filter(category__in=categories).values_list("pk", flat=True))
    return Q(category__in=categories) | Q(category=None, campaign__in=campaigns)


def _of_used(operator: str, values: list[int]) -> Q:
    """Return what codes with so many uses are, of which those with any have an index."""
    least = min(values) + (operator == "$more_than")
    is_least = operator in ("$is", "$in", "$more_than", "$more_than_equal")
    return Q(is_unused=False) if is_least and least > 0 else Q()


def _of_type(operator: str, values: list[str]) -> Q:
    """Return what codes of a type are, of which gift cards have an index."""
    is_gift = operator in ("$is", "$in") and set(values) == {Voucher.Type.GIFT_VOUCHER}
    return Q(gift_amount__isnull=False) if is_gift else Q()


def _as_type(text: str) -> str:
    return SHORT_TYPES.get(text.lower(), text)


BY_ID = by_id("pk", Voucher.prefix)
VOUCHER_FIELDS = {
    "code": Field("code_key", with_fragment=lambda text: with_fragment(text).indexed),
    "active": Field(
        conditions={
            "$active": lambda values: Q(active=True) & ~_expired() if values[0] == "true" else Q(),
            "$expired": lambda values: _expired() if values[0] == "true" else ~_expired(),
            "$enabled": lambda values: Q(active=values[0] == "true"),
            "$disabled": lambda values: Q(active=values[0] != "true"),
            "$is": lambda values: Q(active=as_boolean(values[0])),
        }
    ),
    "campaign": of_related("campaign_id", Campaign, Field("name")),
    "campaign_ids": by_id("campaign_id", Campaign.prefix),
    "campaign_id": by_id("campaign_id", Campaign.prefix),
    "category": Field(conditions={"$is": in_category, "$in": in_category}),
    "categories": Field(conditions={"$is": in_category, "$in": in_category}),
    "category_ids": by_id("category_id", Category.prefix),
    "holder_id": by_id("holder_id", Customer.prefix),
    "type": Field("type", implied=_of_type),
    "voucher_type": Field("type", implied=_of_type),
    "redemption.redeemed_quantity": Field("redeemed_quantity", as_integer, implied=_of_used),
    "is_referral_code": Field("is_referral_code", as_boolean),
    "created_at": Field("created_at", as_moment),
    "created_date": Field("created_at", as_moment),
    "vouchers": BY_ID,
    "updated_at": Field("updated_at", as_moment),
    "start_date": Field("start_date", as_moment),
    "expiration_date": Field("expiration_date", as_moment),
    "metadata": Field("metadata"),
}
VOUCHER_ORDERS = {
    "id": "created_at",
    "code": "code_key",
    "type": "type",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "category": "category__name",
    "expiration_date": "expiration_date",
}
PUBLICATION_FIELDS = {
    "customer_id": by_id("customer_id", Customer.prefix),
    "created_at": Field("created_at", as_moment),
    "campaign": of_related("campaign_id", Campaign, Field("name")),
    "campaign_name": of_related("campaign_id", Campaign, Field("name")),
    "parent_object_id": by_id("campaign_id", Campaign.prefix),
    "related_object_id": Field(
        conditions={
            "$is": lambda values: _of_vouchers(values[:1]),
            "$in": lambda values: _of_vouchers(values),
        }
    ),
    "voucher_type": Field("voucher_type", _as_type),
    "is_referral_code": Field(
        conditions={
            "$is": lambda values: _of_referral_codes(as_boolean(values[0])),
            "$is_not": lambda values: _of_referral_codes(not as_boolean(values[0])),
        }
    ),
    "source_id": Field("source_id"),
    "result": Field("result"),
    "failure_code": Field("failure_code", implied=lambda *_: Q(result="FAILURE")),
}
PUBLICATION_ORDERS = {
    "id": "created_at",
    "created_at": "created_at",
    "channel": "channel",
    "voucher_code": "voucher_code",
    "tracking_id": "tracking_id",
    "customer_id": "customer_id",
}


def voucher_condition(project: Project, query: QueryDict) -> Q:
    """Return the condition that a list of vouchers asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, VOUCHER_FIELDS) & range_condition(query, ["created_at", "updated_at"])
    if code := query.get("code"):
        condition &= Q(code_key=code_key(project, code))
    if ids := [ref for name in ("ids", "ids[]") for text in query.getlist(name) for ref in text.split(",")]:
        condition &= BY_ID.condition("$in", ids)
    for name in ("campaign", "campaign_id"):
        if ref := query.get(name):
            condition &= of_campaign(project, "campaign_id", ref)
    if ref := query.get("customer"):
        condition &= of_customer(project, "holder_id", ref)
    if category := query.get("category"):
        condition &= in_category([category])
    return condition


def publication_condition(project: Project, query: QueryDict) -> Q:
    """Return the condition that a list of publications asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, PUBLICATION_FIELDS) & range_condition(query, ["created_at"])
    if ref := query.get("campaign"):
        condition &= of_campaign(project, "campaign_id", ref)
    if ref := query.get("customer"):
        condition &= of_customer(project, "customer_id", ref)
    if code := query.get("voucher"):
        condition &= _of_code(project, code)
    for name in ("result", "source_id"):
        if value := query.get(name):
            condition &= Q(**{name: as_text(value)})
    if kind := query.get("voucher_type"):
        condition &= Q(voucher_type=_as_type(as_text(kind)))
    if query.get("is_referral_code") == "true":
        condition &= _of_referral_codes(True)
    return condition


def _of_code(project: Project, code: str) -> Q:
    voucher = Voucher.objects.filter(project=project, code_key=code_key(project, code))
    key = voucher.values_list("pk", flat=True).first() or parse_public_id(Voucher.prefix, code)
    return Q(voucher_ids__contains=[key]) if key else NOTHING


def _of_vouchers(values: list[str]) -> Q:
    keys = [key for value in values if (key := parse_public_id(Voucher.prefix, value))]
    return Q(voucher_ids__overlap=keys)


def _of_referral_codes(is_referral: bool) -> Q:
    found = _of_campaign_types([Campaign.CampaignType.REFERRAL_PROGRAM])
    return found if is_referral else Q(campaign=None) | ~found


def _of_campaign_types(types: list[str]) -> Q:
    return of_related("campaign_id", Campaign, Field("campaign_type")).condition("$in", types)
