"""A project's offers that need no code, ready to be judged: kept in this process by definitions' version."""

import gc
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import QuerySet

from campaigns.definitions import attach_rules, attach_tier_rules
from campaigns.models import Campaign, PromotionStack, PromotionTier
from promoengine.core.models import Project
from promoengine.engine.facts import Customer
from promoengine.engine.index import OfferIndex
from promoengine.engine.offers import Offer
from promoengine.engine.operands import FormulaFacts
from promoengine.engine.order import Order
from redemptions.offers import Asking, campaign_offer, good_refs, tier_offer
from redemptions.stamps import definition_stamps

PROJECTS_KEPT = 100
CHANGES_MAX = 1000  # beyond which loading everything is quicker, and a list of keys too long
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
    stamps: Mapping[uuid.UUID, str] = field(default_factory=dict)

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
    """Return the project's shelf at that version of its definitions.

    Seven queries where it is new; a few more, of what has changed, where it was at another version.
    """
    known = _shelves.get(project.pk)
    if known is not None and known.version == version:
        return known
    if len(_shelves) >= PROJECTS_KEPT:
        _shelves.clear()
    with _kept_for_long():
        shelf = _shelves[project.pk] = _load(project, version, known)
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


def _load(project: Project, version: int, before: Shelf | None) -> Shelf:
    """Return a shelf, with those offers of the one before that have not changed since."""
    stamps = definition_stamps(project)
    tiers = _rows(
        PromotionTier.objects.filter(
            project=project, active=True, campaign__active=True, campaign__deleted_at=None
        ).select_related("campaign__category", "category"),
        stamps,
        before,
    )
    campaigns = _rows(
        Campaign.objects.filter(project=project, active=True, campaign_type__in=CODE_CAMPAIGNS)
        .present()
        .exclude(type=Campaign.Type.STANDALONE)
        .select_related("category"),
        stamps,
        before,
    )
    rows: list[Shelved] = [*tiers, *campaigns]
    kept = before.rows if before else {}
    attach_tier_rules(project, [tier for tier in tiers if kept.get(tier.pk) is not tier])
    attach_rules(project, [campaign for campaign in campaigns if kept.get(campaign.pk) is not campaign])
    offers: dict[uuid.UUID, Offer] = {
        row.pk: before.offers[row.pk]
        if before and kept.get(row.pk) is row
        else (tier_offer(row) if isinstance(row, PromotionTier) else campaign_offer(row))
        for row in rows
    }
    stacks = PromotionStack.objects.filter(project=project, campaign__active=True, campaign__deleted_at=None)
    return Shelf(
        version,
        OfferIndex([offers[row.pk] for row in _newest(tiers)]),
        OfferIndex([offers[row.pk] for row in _newest(campaigns)]),
        {row.pk: row for row in rows},
        tuple(stacks.select_related("category", "campaign__category").order_by("-created_at", "-pk")),
        frozenset().union(*(good_refs(row) for row in rows)),
        offers,
        stamps,
    )


def _rows(rows: QuerySet[Row], stamps: Mapping[uuid.UUID, str], before: Shelf | None) -> list[Row]:
    """Return all rows, of which only those that have changed are loaded."""
    if before is None:
        return list(rows)
    keys: list[uuid.UUID] = list(rows.values_list("pk", flat=True))
    changed: set[uuid.UUID] = {
        key for key in keys if key not in before.rows or before.stamps.get(key) != stamps.get(key)
    }
    if len(changed) > CHANGES_MAX:
        return list(rows)
    loaded: dict[uuid.UUID, Row] = rows.in_bulk(list(changed)) if changed else {}
    kept: dict[uuid.UUID, Any] = before.rows
    return [*loaded.values(), *(kept[key] for key in keys if key not in changed)]


def _newest(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True)
