"""What lists of redemptions may be filtered and ordered by."""

from django.db.models import Q
from django.http import QueryDict

from campaigns.filters import of_campaign
from campaigns.models import Campaign, PromotionTier
from customers.filters import of_customer
from customers.models import Customer
from promoengine.core.api.filters import (
    Field,
    as_moment,
    by_id,
    filter_condition,
    of_related,
    range_condition,
)
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from redemptions.models import Redemption
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
    "campaign_name": of_related("campaign_id", Campaign, Field("name")),
    "customer_id": by_id("customer_id", Customer.prefix),
    "failure_code": Field("failure_code", implied=lambda *_: Q(result="FAILURE")),
    "result": Field("result"),
    "object": Field("kind"),
    "created_at": Field("created_at", as_moment),
    "campaign": of_related("campaign_id", Campaign, Field("name")),
}
ORDERS = {
    "created_at": "created_at",
    "id": "created_at",
    "voucher_code": "voucher_code",
    "tracking_id": "tracking_id",
    "customer_id": "customer_id",
}


def _with_result(result: str) -> Q:
    """Return the condition of a result, or of a status, which tells of rollbacks besides."""
    if result in Redemption.Result.values:
        return Q(result=result)
    failed = Q(result=Redemption.Result.FAILURE) if result == Redemption.Status.FAILED else Q()
    return Q(status=result) & failed


def redemption_condition(project: Project, query: QueryDict) -> Q:
    """Return the condition that a list's query asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, FIELDS) & range_condition(query, ["created_at"])
    if result := query.get("result"):
        condition &= _with_result(result)
    if campaign := query.get("campaign"):
        condition &= of_campaign(project, "campaign_id", campaign)
    if customer := query.get("customer"):
        condition &= of_customer(project, "customer_id", customer)
    return condition
