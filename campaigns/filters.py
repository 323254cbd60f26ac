"""What the list of campaigns may be filtered and ordered by."""

import uuid

from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from campaigns.models import Campaign, Category
from promoengine.core.api.filters import (
    NOTHING,
    Field,
    as_boolean,
    as_moment,
    by_id,
    filter_condition,
    range_condition,
)
from promoengine.core.errors import InvalidQueryParams
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project

VOUCHER_TYPES = {
    "DISCOUNT_VOUCHER": "DISCOUNT_COUPONS",
    "GIFT_VOUCHER": "GIFT_VOUCHERS",
    "LOYALTY_CARD": "LOYALTY_PROGRAM",
}


def of_voucher_type(values: list[str]) -> Q:
    return Q(campaign_type__in=[VOUCHER_TYPES.get(value, value) for value in values])


def in_category(values: list[str]) -> Q:
    return Q(category__name__in=values)


def campaign_key(project: Project, ref: str) -> uuid.UUID | None:
    """Return the key of the project's campaign of that id or name."""
    key = parse_public_id(Campaign.prefix, ref)
    meant = Q(pk=key) if key else Q(name=ref)
    return Campaign.objects.filter(meant, project=project).values_list("pk", flat=True).first()


def of_campaign(project: Project, column: str, ref: str) -> Q:
    """Return the condition that a key column points to the project's campaign of that id or name."""
    key = campaign_key(project, ref)
    return Q(**{column: key}) if key else NOTHING


STATUS = Field("generation_status")
FIELDS = {
    "campaigns": by_id("pk", Campaign.prefix),
    "campaigns_id": by_id("pk", Campaign.prefix),
    "campaign_status": STATUS,
    "status": STATUS,
    "active": Field("active", as_boolean),
    "voucher_type": Field(conditions={"$is": of_voucher_type, "$in": of_voucher_type}),
    "categories": Field(conditions={"$is": in_category, "$in": in_category}),
    "category_ids": by_id("category_id", Category.prefix),
    "type": Field("campaign_type"),
    "name": Field("name"),
    "created_date": Field("created_at", as_moment),
    "created_at": Field("created_at", as_moment),
    "updated_at": Field("updated_at", as_moment),
    "start_date": Field("start_date", as_moment),
    "expiration_date": Field("expiration_date", as_moment),
    "metadata": Field("metadata"),
}
ORDERS = {
    "id": "id",
    "name": "name",
    "campaign_type": "campaign_type",
    "expiration_date": "expiration_date",
    "created_at": "created_at",
    "updated_at": "updated_at",
}


def campaign_condition(query: QueryDict) -> Q:
    """Return the condition that a list's query asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, FIELDS) & range_condition(query, ["created_at", "updated_at"])
    if status := query.get("campaign_status"):
        condition &= _with_status(status)
    if query.get("is_referral_code") in ("true", "false"):
        referral = Q(campaign_type=Campaign.CampaignType.REFERRAL_PROGRAM)
        condition &= referral if query["is_referral_code"] == "true" else ~referral
    return condition


def _with_status(status: str) -> Q:
    """Return the condition of a campaign's state in time, or of its generation."""
    now = timezone.now()
    over = Q(expiration_date__lte=now)
    ahead = Q(start_date__gt=now)
    states = {
        "ACTIVE": Q(active=True) & ~over & ~ahead,
        "INACTIVE": Q(active=False),
        "EXPIRED": over,
        "SCHEDULED": ahead,
        **{name: Q(generation_status=name) for name in Campaign.GenerationStatus.values},
    }
    if status not in states:
        raise InvalidQueryParams(f"Property .campaign_status should be one of {', '.join(states)}")
    return states[status]
