"""Reads that several callers need."""

from datetime import datetime

from django.db.models import Q, QuerySet

from campaigns.models import Campaign, CampaignQuerySet, Category, PromotionStack, PromotionTier
from campaigns.rule_selectors import load_assignments
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.selectors import row_by_id

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
    """Return the tiers of several promotion campaigns in their hierarchy, with the rules on them."""
    promotions = [campaign for campaign in campaigns if campaign.campaign_type == "PROMOTION"]
    found: dict[object, list[PromotionTier]] = {campaign.pk: [] for campaign in promotions}
    if not promotions:
        return found
    tiers = PromotionTier.objects.filter(campaign__in=promotions).select_related("category")
    by_id = {campaign.pk: campaign for campaign in promotions}
    ordered = list(tiers.order_by("hierarchy", "pk"))
    load_assignments(ordered)
    for tier in ordered:
        tier.campaign = by_id[tier.campaign_id]
        found[tier.campaign_id].append(tier)
    return found


def tiers_for_wire(project: Project) -> QuerySet[PromotionTier]:
    """Return the promotion tiers of the project's present campaigns, with all their published JSON needs."""
    return PromotionTier.objects.filter(project=project, campaign__deleted_at=None).select_related(
        "campaign__category", "category"
    )


def tier_by_id(project: Project, tier_id: str) -> PromotionTier:
    """Return the promotion tier of that id, ready for the wire.

    Raises:
        NotFound: the project has none.
    """
    tier = row_by_id(tiers_for_wire(project), tier_id, "promotion_tier")
    load_assignments([tier])
    return tier


def stacks_for_wire(project: Project) -> QuerySet[PromotionStack]:
    """Return the promotion stacks of the project's present campaigns."""
    return PromotionStack.objects.filter(project=project, campaign__deleted_at=None).select_related(
        "category"
    )


def stack_by_id(campaign: Campaign, stack_id: str) -> PromotionStack:
    """Return the campaign's promotion stack of that id.

    Raises:
        NotFound: the campaign has none.
    """
    stacks = PromotionStack.objects.filter(campaign=campaign).select_related("category")
    stack = row_by_id(stacks, stack_id, "promotion_stack")
    stack.campaign = campaign
    return stack


def category_by_id(project: Project, category_id: str) -> Category:
    """Return the category of that id.

    Raises:
        NotFound: the project has none.
    """
    return row_by_id(Category.objects.filter(project=project), category_id, "category")


def stacking_project(project: Project) -> Project:
    """Return the project's row as it is now, for its stacking rules: keys in use remember an older one."""
    return Project.objects.get(pk=project.pk)


def running(now: datetime) -> Q:
    """Return the condition of promotion tiers that are on and within their and their campaign's dates."""
    started = (Q(start_date=None) | Q(start_date__lte=now)) & (
        Q(campaign__start_date=None) | Q(campaign__start_date__lte=now)
    )
    ahead = (Q(expiration_date=None) | Q(expiration_date__gt=now)) & (
        Q(campaign__expiration_date=None) | Q(campaign__expiration_date__gt=now)
    )
    return started & ahead & Q(active=True, campaign__active=True, campaign__deleted_at=None)


def running_tiers(project: Project, *, now: datetime) -> list[PromotionTier]:
    """Return the newest promotion tiers that run now, best hierarchy first."""
    tiers = tiers_for_wire(project).filter(running(now)).order_by("-pk")
    return sorted(tiers[:NEWEST_TIERS], key=lambda tier: tier.hierarchy)
