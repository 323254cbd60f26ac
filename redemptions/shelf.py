"""A project's offers that need no code, ready to be judged: kept in this process by definitions' version."""

import gc
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from campaigns.definitions import attach_rules, attach_tier_rules
from campaigns.models import Campaign, PromotionStack, PromotionTier
from promoengine.core.models import Project
from promoengine.engine.facts import Customer
from promoengine.engine.index import OfferIndex
from promoengine.engine.offers import Offer
from promoengine.engine.operands import FormulaFacts
from promoengine.engine.order import Order
from redemptions.offers import Asking, campaign_offer, good_refs, tier_offer

PROJECTS_KEPT = 100
CODE_CAMPAIGNS = (Campaign.CampaignType.DISCOUNT_COUPONS, Campaign.CampaignType.GIFT_VOUCHERS)

Shelved = PromotionTier | Campaign
Row = TypeVar("Row", PromotionTier, Campaign)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Promotion tiers, campaigns whose codes one could still get, and stacks; each the newest first."""

    version: int
    tiers: OfferIndex
    campaigns: OfferIndex
    rows: dict[uuid.UUID, Shelved]
    stacks: tuple[PromotionStack, ...]
    good_refs: frozenset[str]
    offers: dict[uuid.UUID, Offer] = field(default_factory=dict)

    def tier_candidates(self, order: Order | None, customer: Customer | None) -> Iterator[Offer]:
        """Yield the offers of tiers that the cart could qualify for, the newest first."""
        return self.tiers.candidates(order, customer)

    def campaign_candidates(self, order: Order | None, customer: Customer | None) -> Iterator[Offer]:
        """Yield the offers of campaigns that the cart could qualify for, the newest first."""
        return self.campaigns.candidates(order, customer)

    def row_of(self, offer: Offer) -> Shelved:
        """Return the tier or campaign behind an offer."""
        assert isinstance(offer.key, uuid.UUID)
        return self.rows[offer.key]

    def created_at(self, offer: Offer) -> datetime:
        return self.row_of(offer).created_at


_shelves: dict[uuid.UUID, Shelf] = {}


def shelf_of(project: Project, version: int) -> Shelf:
    """Return the project's shelf at that version of its definitions; five queries where it is new."""
    known = _shelves.get(project.pk)
    if known is not None and known.version == version:
        return known
    if len(_shelves) >= PROJECTS_KEPT:
        _shelves.clear()
    with _kept_for_long():
        shelf = _shelves[project.pk] = _load(project, version)
    return shelf


def asked_by(offer: Offer, asking: Asking) -> Offer:
    """Return a shelved offer with what formulas may ask about who uses it now."""
    if not offer.is_dynamic:
        return offer
    facts: FormulaFacts = replace(
        offer.formula_facts,
        customer_metadata=asking.customer_metadata,
        customer_birthdate=asking.customer.birthdate if asking.customer else None,
        redemption_metadata=asking.redemption_metadata,
    )
    return replace(offer, formula_facts=facts)


@contextmanager
def _kept_for_long() -> Iterator[None]:
    """Keep what is made within out of the garbage collector's rounds.

    A shelf of ten thousand offers is millions of values; each full round over them would stop a request for
    most of a second, and there would be several while it is loaded.
    """
    gc.disable()
    try:
        yield
        gc.collect(1)
        gc.freeze()
    finally:
        gc.enable()


def _load(project: Project, version: int) -> Shelf:
    tiers = list(
        PromotionTier.objects.filter(
            project=project, active=True, campaign__active=True, campaign__deleted_at=None
        ).select_related("campaign__category", "category")
    )
    campaigns = list(
        Campaign.objects.filter(project=project, active=True, campaign_type__in=CODE_CAMPAIGNS)
        .present()
        .exclude(type=Campaign.Type.STANDALONE)
        .select_related("category")
    )
    attach_tier_rules(project, tiers)
    attach_rules(project, campaigns)
    offers: dict[uuid.UUID, Offer] = {tier.pk: tier_offer(tier) for tier in tiers}
    offers |= {campaign.pk: campaign_offer(campaign) for campaign in campaigns}
    stacks = PromotionStack.objects.filter(project=project, campaign__active=True, campaign__deleted_at=None)
    return Shelf(
        version,
        OfferIndex([offers[row.pk] for row in _newest(tiers)]),
        OfferIndex([offers[row.pk] for row in _newest(campaigns)]),
        {**{tier.pk: tier for tier in tiers}, **{campaign.pk: campaign for campaign in campaigns}},
        tuple(stacks.select_related("category", "campaign__category").order_by("-created_at", "-pk")),
        frozenset().union(*(good_refs(tier) for tier in tiers), *(good_refs(row) for row in campaigns)),
        offers,
    )


def _newest(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True)
