"""What lists of vouchers and publications may be filtered and ordered by."""

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from campaigns.models import Campaign, Category
from customers.models import Customer
from promoengine.core.api.filters import (
    Field,
    as_boolean,
    as_integer,
    as_moment,
    as_text,
    by_id,
    filter_condition,
    range_condition,
)
from promoengine.core.ids import parse_public_id
from vouchers.models import Voucher


def _expired() -> Q:
    return Q(expiration_date__lte=timezone.now())


def in_category(values: list[str]) -> Q:
    return Q(category__name__in=values) | Q(category=None, campaign__category__name__in=values)


VOUCHER_FIELDS = {
    "code": Field("code_key"),
    "active": Field(
        conditions={
            "$active": lambda values: Q(active=True) & ~_expired() if values[0] == "true" else Q(),
            "$expired": lambda values: _expired() if values[0] == "true" else ~_expired(),
            "$enabled": lambda values: Q(active=values[0] == "true"),
            "$disabled": lambda values: Q(active=values[0] != "true"),
            "$is": lambda values: Q(active=as_boolean(values[0])),
        }
    ),
    "campaign": Field("campaign__name"),
    "campaign_ids": by_id("campaign_id", Campaign.prefix),
    "campaign_id": by_id("campaign_id", Campaign.prefix),
    "category": Field(conditions={"$is": in_category, "$in": in_category}),
    "categories": Field(conditions={"$is": in_category, "$in": in_category}),
    "category_ids": by_id("category_id", Category.prefix),
    "holder_id": by_id("holder_id", Customer.prefix),
    "type": Field("type"),
    "voucher_type": Field("type"),
    "redemption.redeemed_quantity": Field("redeemed_quantity", as_integer),
    "is_referral_code": Field("is_referral_code", as_boolean),
    "created_at": Field("created_at", as_moment),
    "updated_at": Field("updated_at", as_moment),
    "start_date": Field("start_date", as_moment),
    "expiration_date": Field("expiration_date", as_moment),
    "metadata": Field("metadata"),
}
VOUCHER_ORDERS = {
    "id": "id",
    "code": "code",
    "type": "type",
    "created_at": "id",
    "updated_at": "updated_at",
    "category": "category__name",
    "expiration_date": "expiration_date",
}
PUBLICATION_FIELDS = {
    "customer_id": by_id("customer_id", Customer.prefix),
    "campaign_name": Field("campaign__name"),
    "parent_object_id": by_id("campaign_id", Campaign.prefix),
    "related_object_id": Field(
        conditions={
            "$is": lambda values: _of_vouchers(values[:1]),
            "$in": lambda values: _of_vouchers(values),
        }
    ),
    "source_id": Field("source_id"),
    "result": Field("result"),
    "failure_code": Field("failure_code"),
}
PUBLICATION_ORDERS = {"id": "id", "created_at": "id", "channel": "channel", "voucher_code": "id"}


def voucher_condition(query: QueryDict) -> Q:
    """Return the condition that a list of vouchers asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, VOUCHER_FIELDS) & range_condition(query, ["created_at", "updated_at"])
    if code := query.get("code"):
        condition &= Q(code=code.strip())
    for name in ("campaign", "campaign_id"):
        if ref := query.get(name):
            key = parse_public_id(Campaign.prefix, ref)
            condition &= Q(campaign_id=key) if key else Q(campaign__name=ref)
    if ref := query.get("customer"):
        key = parse_public_id(Customer.prefix, ref)
        condition &= Q(holder_id=key) if key else Q(holder__source_id=ref)
    if category := query.get("category"):
        condition &= in_category([category])
    return condition


def publication_condition(query: QueryDict) -> Q:
    """Return the condition that a list of publications asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, PUBLICATION_FIELDS) & range_condition(query, ["created_at"])
    if ref := query.get("campaign"):
        key = parse_public_id(Campaign.prefix, ref)
        condition &= Q(campaign_id=key) if key else Q(campaign__name=ref)
    if ref := query.get("customer"):
        key = parse_public_id(Customer.prefix, ref)
        condition &= Q(customer_id=key) if key else Q(customer__source_id=ref)
    for name in ("result", "source_id"):
        if value := query.get(name):
            condition &= Q(**{name: as_text(value)})
    return condition


def _of_vouchers(values: list[str]) -> Q:
    keys = [key for value in values if (key := parse_public_id(Voucher.prefix, value))]
    return Q(voucher_ids__overlap=keys)
