"""What lists of redemptions may be filtered and ordered by."""

from django.db.models import Q
from django.http import QueryDict

from campaigns.models import Campaign, PromotionTier
from customers.models import Customer
from promoengine.core.api.filters import Field, by_id, filter_condition, range_condition
from promoengine.core.ids import parse_public_id
from vouchers.models import Voucher


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
