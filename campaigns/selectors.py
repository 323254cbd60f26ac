"""Reads that several callers need."""

from datetime import datetime

from django.db.models import Q

from campaigns.models import Campaign, CampaignQuerySet, PromotionTier
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project

NEWEST_TIERS = 150


def campaigns_for_wire(project: Project) -> CampaignQuerySet:
    """Return the project's campaigns with all that their published JSON needs."""
    return Campaign.objects.filter(project=project).present().select_related("category")


def campaign_by_ref(project: Project, ref: str) -> Campaign:
    """Return the campaign of that id or name.

    Raises:
        NotFound: the project has none.
    """
    rows = campaigns_for_wire(project)
    key = parse_public_id(Campaign.prefix, ref)
    campaign = rows.filter(pk=key).first() if key else None
    campaign = campaign or rows.filter(name=ref).first()
    if campaign is None:
        raise NotFound("campaign", ref)
    return campaign


def tiers_of(campaigns: list[Campaign]) -> dict[object, list[PromotionTier]]:
    """Return the tiers of several promotion campaigns in one query, in their hierarchy."""
    promotions = [campaign for campaign in campaigns if campaign.campaign_type == "PROMOTION"]
    found: dict[object, list[PromotionTier]] = {campaign.pk: [] for campaign in promotions}
    if not promotions:
        return found
    tiers = PromotionTier.objects.filter(campaign__in=promotions).select_related("category")
    by_id = {campaign.pk: campaign for campaign in promotions}
    for tier in tiers.order_by("hierarchy", "pk"):
        tier.campaign = by_id[tier.campaign_id]
        found[tier.campaign_id].append(tier)
    return found


def running_tiers(project: Project, *, now: datetime) -> list[PromotionTier]:
    """Return the newest promotion tiers that are switched on and within their dates, best hierarchy first."""
    running = (Q(start_date=None) | Q(start_date__lte=now)) & (
        Q(expiration_date=None) | Q(expiration_date__gt=now)
    )
    tiers = PromotionTier.objects.filter(
        running, project=project, active=True, campaign__active=True, campaign__deleted_at=None
    ).select_related("campaign__category", "category")
    return sorted(tiers.order_by("-pk")[:NEWEST_TIERS], key=lambda tier: tier.hierarchy)
