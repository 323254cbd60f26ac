"""Qualification: what could this customer use on this order? Each candidate is decided alone."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from campaigns.models import Campaign, PromotionTier
from customers.models import Customer
from promoengine.core.models import Project
from promoengine.engine.decide import Applicable, Case, decide
from promoengine.engine.discounts import parse_discount
from promoengine.engine.offers import GiftCredits, Offer
from promoengine.engine.timeframes import parse_validity
from redemptions.facts import Gathered, gather, tier_offer, voucher_offer, with_reservations
from redemptions.requests import CheckoutRequest
from vouchers.models import Voucher
from vouchers.selectors import vouchers_for_wire

CANDIDATES_MAX = 1000
WALLET = "CUSTOMER_WALLET"
ITEM_EFFECTS_ONLY = ("PRODUCTS", "PRODUCTS_DISCOUNT", "PRODUCTS_BY_CUSTOMER", "PRODUCTS_DISCOUNT_BY_CUSTOMER")
SCENARIOS = ("ALL", WALLET, "AUDIENCE_ONLY", "PROMOTION_STACKS", *ITEM_EFFECTS_ONLY)
SORTINGS = ("DEFAULT", "BEST_DEAL", "LEAST_DEAL")

Candidate = Voucher | PromotionTier | Campaign


@dataclass(frozen=True, slots=True)
class QualificationRequest:
    """What is asked, and how the answer is to be sorted, cut and narrowed."""

    checkout: CheckoutRequest
    scenario: str = "ALL"
    limit: int = 5
    starting_after: datetime | None = None
    sorting: str = "DEFAULT"
    campaign_ids: frozenset[uuid.UUID] = frozenset()
    objects: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Qualified:
    """A redeemable that applies, with what it would do."""

    row: Candidate
    outcome: Applicable

    @property
    def saving(self) -> int:
        """What it takes off, in minor units."""
        if self.outcome.before is None or self.outcome.after is None:
            return 0
        return self.outcome.after.total_discount - self.outcome.before.total_discount


@dataclass(frozen=True, slots=True)
class Qualification:
    """One page of what applies."""

    gathered: Gathered
    found: tuple[Qualified, ...]
    has_more: bool


def qualify(project: Project, asked: QualificationRequest, *, now: datetime) -> Qualification:
    """Return what the customer could use, newest first or by what it saves.

    Raises:
        NotFound: the customer or order is named by an id that the project does not have.
    """
    gathered = gather(project, asked.checkout, now=now)
    candidates = sorted(
        _candidates(project, asked, gathered.customer, now=now), key=lambda row: row.created_at, reverse=True
    )
    applicable = list(_applicable(candidates, gathered.case))
    if asked.sorting != "DEFAULT":
        applicable.sort(key=lambda one: one.saving, reverse=asked.sorting == "BEST_DEAL")
    page = applicable[: asked.limit]
    return Qualification(gathered, tuple(page), len(applicable) > len(page))


def _applicable(candidates: Iterable[Candidate], case: Case) -> Iterator[Qualified]:
    for row in candidates:
        alone = decide(replace(case, offers=(_offer(row, case),)))
        if alone.applicable:
            yield Qualified(row, alone.applicable[0])


def _offer(row: Candidate, case: Case) -> Offer:
    if isinstance(row, Voucher):
        spendable = max(0, row.gift_balance - row.reserved_amount) if row.gift_balance is not None else None
        asked = None if case.order is not None else spendable
        return voucher_offer(row, credits=asked)
    if isinstance(row, PromotionTier):
        return tier_offer(row)
    return _campaign_offer(row)


def _campaign_offer(campaign: Campaign) -> Offer:
    """Return what a code of this campaign would be, were the customer to get one."""
    gift = campaign.gift["amount"] if campaign.gift else None
    return Offer(
        "campaign",
        campaign.public_id,
        discount=parse_discount(campaign.discount) if campaign.discount else None,
        gift=GiftCredits(gift, gift) if gift is not None else None,
        validity=parse_validity(
            campaign.validity,
            starts_at=campaign.start_date,
            expires_at=campaign.expiration_date,
            created_at=campaign.created_at,
        ),
        is_active=campaign.active,
    )


def _candidates(
    project: Project, asked: QualificationRequest, customer: Customer | None, *, now: datetime
) -> Iterator[Candidate]:
    if asked.scenario == "PROMOTION_STACKS" or asked.scenario in ITEM_EFFECTS_ONLY:
        return
    if not asked.objects or "voucher" in asked.objects:
        yield from _first(_voucher_candidates(project, asked, customer, now=now), asked)
    if asked.scenario == WALLET or asked.codes:
        return
    if not asked.objects or "promotion_tier" in asked.objects:
        tiers = PromotionTier.objects.filter(
            project=project, active=True, campaign__active=True, campaign__deleted_at=None
        ).select_related("campaign__category", "category")
        if asked.campaign_ids:
            tiers = tiers.filter(campaign_id__in=asked.campaign_ids)
        yield from _first(tiers.filter(_running(now)), asked)
    if not asked.objects or "campaign" in asked.objects:
        yield from _first(_campaign_candidates(project, asked, now=now), asked)


def _voucher_candidates(
    project: Project, asked: QualificationRequest, customer: Customer | None, *, now: datetime
) -> QuerySet[Voucher]:
    held = Q(holder=customer) if customer else Q(pk__in=[])
    of_anybody = Q(holder=None) & (Q(campaign=None) | Q(campaign__type=Campaign.Type.STANDALONE))
    rows = with_reservations(vouchers_for_wire(project), now=now).filter(
        held if asked.scenario == WALLET else held | of_anybody,
        _running(now),
        Q(campaign=None) | Q(campaign__active=True),
        Q(quantity=None) | Q(redeemed_quantity__lt=F("quantity")),
        Q(gift_balance=None) | Q(gift_balance__gt=0),
        active=True,
    )
    if asked.campaign_ids:
        rows = rows.filter(campaign_id__in=asked.campaign_ids)
    return rows.filter(code__in=asked.codes) if asked.codes else rows


def _campaign_candidates(
    project: Project, asked: QualificationRequest, *, now: datetime
) -> QuerySet[Campaign]:
    rows = (
        Campaign.objects.filter(project=project, active=True)
        .present()
        .filter(_running(now), campaign_type__in=["DISCOUNT_COUPONS", "GIFT_VOUCHERS"])
        .exclude(type=Campaign.Type.STANDALONE)
        .select_related("category")
    )
    return rows.filter(pk__in=asked.campaign_ids) if asked.campaign_ids else rows


def _running(now: datetime) -> Q:
    return (Q(start_date=None) | Q(start_date__lte=now)) & (
        Q(expiration_date=None) | Q(expiration_date__gt=now)
    )


def _first(rows: QuerySet[Any], asked: QualificationRequest) -> QuerySet[Any]:
    if asked.starting_after is not None and asked.sorting == "DEFAULT":
        rows = rows.filter(created_at__lt=asked.starting_after)
    return rows.order_by("-created_at")[:CANDIDATES_MAX]
