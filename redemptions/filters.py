"""What lists of redemptions may be filtered and ordered by."""

from collections.abc import Callable

from django.db.models import Q
from django.http import QueryDict

from campaigns.models import Campaign, PromotionTier
from customers.models import Customer
from promoengine.core.api.filters import Field, filter_condition, range_condition
from promoengine.core.ids import parse_public_id
from vouchers.models import Voucher

NOTHING = Q(pk__in=[])


def by_id(column: str, *prefixes: str) -> Field:
    """Return a filter over a key column, asked for by public ids; an id of nothing matches nothing."""

    def keys(values: list[str]) -> list[object]:
        return [key for value in values for prefix in prefixes if (key := parse_public_id(prefix, value))]

    def among(values: list[str]) -> Q:
        found = keys(values)
        return Q(**{f"{column}__in": found}) if found else NOTHING

    conditions: dict[str, Callable[[list[str]], Q]] = {
        "$is": lambda values: among(values[:1]),
        "$in": among,
        "$is_not": lambda values: ~among(values[:1]),
        "$not_in": lambda values: ~among(values),
        "$has_value": lambda _: Q(**{f"{column}__isnull": False}),
        "$is_unknown": lambda _: Q(**{f"{column}__isnull": True}),
    }
    return Field(conditions=conditions)


def related_object(values: list[str]) -> Q:
    keys = [key for value in values if (key := parse_public_id(Voucher.prefix, value))]
    tiers = [key for value in values if (key := parse_public_id(PromotionTier.prefix, value))]
    return Q(voucher_id__in=keys) | Q(promotion_tier_id__in=tiers)


FIELDS = {
    "voucher_code": Field("voucher_code"),
    "related_object_id": Field(
        conditions={
            "$is": lambda values: related_object(values[:1]),
            "$in": related_object,
            "$is_not": lambda values: ~related_object(values[:1]),
            "$not_in": lambda values: ~related_object(values),
        }
    ),
    "related_object_parent_id": by_id("campaign_id", Campaign.prefix),
    "parent_redemption_id": by_id("parent_id", "r", "rr"),
    "campaign_name": Field("campaign__name"),
    "customer_id": by_id("customer_id", Customer.prefix),
    "failure_code": Field("failure_code"),
    "result": Field("result"),
    "object": Field("kind"),
}
ORDERS = {"created_at": "id", "id": "id"}


def redemption_condition(query: QueryDict) -> Q:
    """Return the condition that a list's query asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, FIELDS) & range_condition(query, ["created_at"])
    if result := query.get("result"):
        condition &= Q(status=result) | Q(result=result)
    if campaign := query.get("campaign"):
        key = parse_public_id(Campaign.prefix, campaign)
        condition &= Q(campaign_id=key) if key else Q(campaign__name=campaign)
    if customer := query.get("customer"):
        key = parse_public_id(Customer.prefix, customer)
        condition &= Q(customer_id=key) if key else Q(customer__source_id=customer)
    return condition
