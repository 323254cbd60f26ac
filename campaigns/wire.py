"""Campaigns, promotions and categories as the wire has them; unset fields of a campaign are absent."""

from typing import Any

from campaigns.models import Campaign, Category, PromotionStack, PromotionTier, ValidityModel
from campaigns.rule_selectors import load_assignments
from campaigns.rule_wire import assignments_to_wire
from campaigns.selectors import tiers_of
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id
from promoengine.core.models import AsyncAction, Project
from promoengine.engine.stacking import StackingRules, parse_stacking_rules

WINDOWS = {
    "timeframe": "validity_timeframe",
    "day_of_week": "validity_day_of_week",
    "hours": "validity_hours",
}
SIMPLE_CAMPAIGN = (
    "id",
    "name",
    "campaign_type",
    "type",
    "auto_join",
    "join_once",
    "active",
    "category_id",
    "category",
    "categories",
    "metadata",
    "start_date",
    "expiration_date",
    "description",
    "created_at",
    "updated_at",
    "object",
)


def category_to_wire(category: Category) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": category.public_id,
        "name": category.name,
        "hierarchy": category.hierarchy,
        "created_at": wire_datetime(category.created_at),
        "object": "category",
    }
    if category.updated_at:
        wire["updated_at"] = wire_datetime(category.updated_at)
    return wire


def categories_to_wire(
    category: Category | None, stacking: StackingRules | None = None
) -> list[dict[str, Any]]:
    """Return the category in a list; with `stacking` also how it joins others, unless it is common."""
    if category is None:
        return []
    kind = stacking.type_of(category.public_id) if stacking else None
    return [category_to_wire(category) | ({"stacking_rules_type": kind} if kind else {})]


def empty_list(data_ref: str = "data") -> dict[str, Any]:
    return {"object": "list", "data_ref": data_ref, data_ref: [], "total": 0}


def campaigns_to_wire(campaigns: list[Campaign]) -> list[dict[str, Any]]:
    """Return campaigns whole, with their tiers and the rules on them, in three queries at most."""
    tiers = tiers_of(campaigns)
    load_assignments(campaigns)
    return [campaign_to_wire(campaign, tiers.get(campaign.pk)) for campaign in campaigns]


def campaign_to_wire(campaign: Campaign, tiers: list[PromotionTier] | None = None) -> dict[str, Any]:
    """Return a campaign with the rules that have been loaded; `tiers` are those of a promotion."""
    wire = {
        "id": campaign.public_id,
        "name": campaign.name,
        "campaign_type": campaign.campaign_type,
        "type": campaign.type,
        "auto_join": campaign.auto_join,
        "join_once": campaign.join_once,
        "use_voucher_metadata_schema": campaign.use_voucher_metadata_schema,
        "vouchers_count": campaign.vouchers_count,
        "active": campaign.active,
        "metadata": campaign.metadata,
        "created_at": wire_datetime(campaign.created_at),
        "creation_status": campaign.generation_status,
        "vouchers_generation_status": campaign.generation_status,
        "protected": campaign.protected,
        "category_id": campaign.category.public_id if campaign.category else None,
        "categories": categories_to_wire(campaign.category),
        "access_settings_assignments": empty_list(),
        "object": "campaign",
        **validity_to_wire(campaign),
    }
    if campaign.failed_change:
        wire["failed_async_action_id"] = public_id(AsyncAction.prefix, campaign.failed_change)
    if campaign.one_customer_by:
        wire["one_customer_by"] = campaign.one_customer_by
    if campaign.guests != Campaign.Guests.UNLESS_LIMITED:
        wire["guests"] = campaign.guests
    if campaign.description:
        wire["description"] = campaign.description
    if campaign.category:
        wire["category"] = campaign.category.name
    if campaign.updated_at:
        wire["updated_at"] = wire_datetime(campaign.updated_at)
    if campaign.rollbacks != Campaign.Rollbacks.ALWAYS or campaign.rollbacks_until:
        until = wire_datetime(campaign.rollbacks_until)
        wire["rollback_policy"] = {"allowed": campaign.rollbacks, "until": until}
    if campaign.activity_duration_after_publishing:
        wire["activity_duration_after_publishing"] = campaign.activity_duration_after_publishing
    if campaign.campaign_type == Campaign.CampaignType.PROMOTION:
        return wire | {"promotion": tiers_to_wire(tiers or [])}
    return wire | {
        "voucher": voucher_template(campaign),
        "validation_rules_assignments": assignments_to_wire(campaign.rule_assignments),
    }


def voucher_template(campaign: Campaign) -> dict[str, Any]:
    """Return what a campaign's codes are like."""
    template: dict[str, Any] = {"type": campaign.voucher_type}
    if campaign.discount is not None:
        template["discount"] = campaign.discount
    if campaign.gift is not None:
        template["gift"] = campaign.gift
    return template | {
        "redemption": {"quantity": campaign.quantity},
        "code_config": campaign.code_config,
        "is_referral_code": campaign.campaign_type == Campaign.CampaignType.REFERRAL_PROGRAM,
    }


def tiers_to_wire(tiers: list[PromotionTier]) -> dict[str, Any]:
    return {
        "object": "list",
        "data_ref": "tiers",
        "tiers": [tier_to_wire(tier) for tier in tiers],
        "total": len(tiers),
        "has_more": False,
    }


def tier_to_wire(tier: PromotionTier) -> dict[str, Any]:
    wire = {
        "id": tier.public_id,
        "created_at": wire_datetime(tier.created_at),
        "name": tier.name,
        "action": {"discount": tier.discount} if tier.discount is not None else {},
        "metadata": tier.metadata,
        "hierarchy": tier.hierarchy,
        "promotion_id": tier.campaign.public_id,
        "campaign": tier_campaign_to_wire(tier.campaign),
        "campaign_id": tier.campaign.public_id,
        "active": tier.active,
        "summary": tier_summary_to_wire(tier),
        "categories": categories_to_wire(tier.category),
        "validation_rule_assignments": assignments_to_wire(tier.rule_assignments),
        "object": "promotion_tier",
        **validity_to_wire(tier),
    }
    if tier.category:
        wire["category_id"] = tier.category.public_id
    if tier.banner is not None:
        wire["banner"] = tier.banner
    if tier.updated_at:
        wire["updated_at"] = wire_datetime(tier.updated_at)
    return wire


def tier_summary_to_wire(tier: PromotionTier) -> dict[str, Any]:
    return {
        "redemptions": {"total_redeemed": tier.redeemed_count},
        "orders": {
            "total_amount": tier.redeemed_orders_amount,
            "total_discount_amount": tier.redeemed_discount_amount,
        },
    }


def tier_campaign_to_wire(campaign: Campaign) -> dict[str, Any]:
    category = {"category_id": campaign.category.public_id} if campaign.category else {}
    return {
        "id": campaign.public_id,
        "active": campaign.active,
        "object": "campaign",
        **category,
        **validity_to_wire(campaign),
    }


def stack_to_wire(stack: PromotionStack) -> dict[str, Any]:
    wire = {
        "id": stack.public_id,
        "name": stack.name,
        "created_at": wire_datetime(stack.created_at),
        "campaign_id": public_id(Campaign.prefix, stack.campaign_id),
        "tiers": {
            "ids": [public_id(PromotionTier.prefix, key) for key in stack.tier_ids],
            "hierarchy_mode": "MANUAL",
        },
        "category_id": stack.category.public_id if stack.category else None,
        "categories": categories_to_wire(stack.category),
        "object": "promotion_stack",
    }
    if stack.updated_at:
        wire["updated_at"] = wire_datetime(stack.updated_at)
    return wire


def stacking_rules_id(project: Project) -> str | None:
    """Return the id of the project's stacking rules, None for the defaults."""
    return public_id("stk", project.pk) if project.stacking_rules_created_at else None


def stacking_rules_to_wire(project: Project) -> dict[str, Any]:
    """Return the project's stacking rules as the management API shows them; the defaults have no id."""
    wire = parse_stacking_rules(project.stacking_rules).management_to_wire()
    if rules_id := stacking_rules_id(project):
        wire = {"id": rules_id} | wire | {"created_at": wire_datetime(project.stacking_rules_created_at)}
    if project.stacking_rules_updated_at:
        wire["updated_at"] = wire_datetime(project.stacking_rules_updated_at)
    return wire


def simple_campaign(campaign: Campaign) -> dict[str, Any]:
    """Return a promotion campaign as events about its tiers and stacks show it."""
    wire = campaign_to_wire(campaign)
    return {name: wire[name] for name in SIMPLE_CAMPAIGN if name in wire}


def validity_to_wire(row: ValidityModel) -> dict[str, Any]:
    """Return the dates and time windows that are set."""
    wire: dict[str, Any] = {}
    if row.start_date:
        wire["start_date"] = wire_datetime(row.start_date)
    if row.expiration_date:
        wire["expiration_date"] = wire_datetime(row.expiration_date)
    return wire | {WINDOWS[key]: value for key, value in (row.validity or {}).items()}
