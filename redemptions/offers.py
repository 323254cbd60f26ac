"""Redeemables as the engine sees them: rows of codes, promotion tiers and campaigns to offers."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from campaigns import models
from campaigns.models import Campaign, PromotionTier, ValidityModel
from campaigns.rule_facts import compiled_rule, discount_of
from customers.models import Customer
from promoengine.engine.limits import GUESTS_UNLESS_LIMITED
from promoengine.engine.offers import Category, Offer, Usage
from promoengine.engine.operands import FormulaFacts
from promoengine.engine.payments import GiftCredits
from promoengine.engine.refusals import Refusal
from promoengine.engine.rules import Rule
from promoengine.engine.timeframes import Validity, parse_validity
from vouchers.models import Voucher

Redeemable = Voucher | PromotionTier


@dataclass(frozen=True, slots=True)
class Asking:
    """What formulas may ask about who uses an offer; `publication_metadata` is by the keys of codes."""

    customer: Customer | None = None
    customer_metadata: Mapping[str, Any] = field(default_factory=dict)
    redemption_metadata: Mapping[str, Any] = field(default_factory=dict)
    publication_metadata: Mapping[uuid.UUID, Mapping[str, Any]] = field(default_factory=dict)


NOBODY = Asking()


def voucher_offer(
    voucher: Voucher, *, id_: str = "", credits: int | None = None, asking: Asking = NOBODY
) -> Offer:
    """Return a voucher with what sessions hold of it and its rules attached."""
    used = voucher.redeemed_quantity + voucher.pending_quantity
    is_gift = voucher.type == Voucher.Type.GIFT_VOUCHER
    return Offer(
        "voucher",
        id_ or voucher.code,
        key=voucher.pk,
        campaign_key=voucher.campaign_id,
        discount=None if is_gift else discount_of(voucher.discount_in_force),
        gift=_gift(voucher, credits) if is_gift else None,
        validity=_validity(voucher),
        is_active=voucher.active,
        is_campaign_active=voucher.campaign is None or voucher.campaign.active,
        usage=Usage(voucher.quantity, used, voucher.reserved_quantity),
        rules=_rules(voucher),
        holder_id=str(voucher.holder_id) if voucher.holder_id else None,
        category=_category(voucher.category_in_force),
        one_customer_by=tuple(voucher.campaign.one_customer_by) if voucher.campaign else (),
        guests=voucher.campaign.guests if voucher.campaign else GUESTS_UNLESS_LIMITED,
        formula_facts=FormulaFacts(
            customer_metadata=asking.customer_metadata,
            customer_birthdate=asking.customer.birthdate if asking.customer else None,
            redeemable_metadata=voucher.metadata,
            redemption_metadata=asking.redemption_metadata,
            publication_metadata=asking.publication_metadata.get(voucher.pk, {}),
            redemption_quantity=voucher.quantity,
            redeemed_quantity=used,
            publish_count=voucher.published_count,
            starts_at=voucher.start_date,
            expires_at=voucher.expiration_date,
        ),
    )


def _validity(voucher: Voucher) -> Validity:
    validity = parse_validity(
        voucher.validity_in_force,
        starts_at=voucher.start_date,
        expires_at=voucher.expiration_date,
        created_at=voucher.created_at,
    )
    # Windows that repeat go on counting from the code's own start.
    return validity if voucher.locked_until is None else replace(validity, starts_at=voucher.opens_at)


def tier_offer(tier: PromotionTier, *, id_: str = "", asking: Asking = NOBODY) -> Offer:
    """Return a promotion tier, usable while its campaign is, too."""
    campaign = tier.campaign
    starts = [moment for moment in (tier.start_date, campaign.start_date) if moment]
    ends = [moment for moment in (tier.expiration_date, campaign.expiration_date) if moment]
    starts_at, expires_at = max(starts, default=None), min(ends, default=None)
    return Offer(
        "promotion_tier",
        id_ or tier.public_id,
        key=tier.pk,
        campaign_key=tier.campaign_id,
        discount=discount_of(tier.discount),
        validity=parse_validity(
            tier.validity or campaign.validity,
            starts_at=starts_at,
            expires_at=expires_at,
            created_at=tier.created_at,
        ),
        is_active=tier.active,
        is_campaign_active=campaign.active and campaign.deleted_at is None,
        rules=(*_rules(tier), *_rules(campaign)),
        category=_category(tier.category or campaign.category),
        one_customer_by=tuple(campaign.one_customer_by),
        guests=campaign.guests,
        formula_facts=_formula_facts(tier, asking),
    )


def campaign_offer(campaign: Campaign, *, asking: Asking = NOBODY) -> Offer:
    """Return what a code of this campaign would be, were the customer to get one."""
    gift = campaign.gift["amount"] if campaign.gift else None
    return Offer(
        "campaign",
        campaign.public_id,
        key=campaign.pk,
        campaign_key=campaign.pk,
        discount=discount_of(campaign.discount),
        gift=GiftCredits(gift, gift, _effect(campaign.gift)) if gift is not None else None,
        validity=parse_validity(
            campaign.validity,
            starts_at=campaign.start_date,
            expires_at=campaign.expiration_date,
            created_at=campaign.created_at,
        ),
        is_active=campaign.active,
        rules=_rules(campaign),
        category=_category(campaign.category),
        one_customer_by=tuple(campaign.one_customer_by),
        guests=campaign.guests,
        formula_facts=_formula_facts(campaign, asking),
    )


def unknown_offer(object_: str, id_: str) -> Offer:
    """Return what stands for a redeemable that the project does not have."""
    details = f"Cannot find {object_} with id {id_}"
    return Offer(object_, id_, missing=Refusal("not_found", details, resource_id=id_, resource_type=object_))


def good_refs(row: Redeemable | Campaign | None) -> set[str]:
    """Return the ids of the products and SKUs that a redeemable gives for free."""
    discount = row.discount_in_force if isinstance(row, Voucher) else row.discount if row else None
    if not discount or discount.get("type") != "UNIT":
        return set()
    given = [discount, *(discount.get("units") or [])]
    return {one["unit_type"] for one in given if one.get("unit_type")}


def _rules(row: ValidityModel) -> tuple[Rule, ...]:
    return tuple(compiled_rule(assignment.rule) for assignment in row.rule_assignments)


def _category(category: models.Category | None) -> Category | None:
    return Category(category.public_id, category.hierarchy) if category else None


def _gift(voucher: Voucher, credits: int | None) -> GiftCredits:
    balance = (voucher.gift_balance or 0) - voucher.reserved_amount
    return GiftCredits(balance, credits, voucher.gift_effect or "APPLY_TO_ORDER")


def _effect(gift: Mapping[str, Any] | None) -> str:
    return (gift or {}).get("effect") or "APPLY_TO_ORDER"


def _formula_facts(row: PromotionTier | Campaign, asking: Asking) -> FormulaFacts:
    return FormulaFacts(
        customer_metadata=asking.customer_metadata,
        customer_birthdate=asking.customer.birthdate if asking.customer else None,
        redeemable_metadata=row.metadata,
        redemption_metadata=asking.redemption_metadata,
        starts_at=row.start_date,
        expires_at=row.expiration_date,
    )
