"""The one question every door asks: what becomes of these offers on this order?"""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from promoengine.engine.offers import Offer
from promoengine.engine.order import Order
from promoengine.engine.refusals import LIMIT_EXCEEDED, PRECEDING_FAILED, Refusal, Skip
from promoengine.engine.stacking import StackingRules


@dataclass(frozen=True, slots=True)
class Case:
    """All that deciding may need; `order` is None where the caller sent none."""

    offers: tuple[Offer, ...]
    order: Order | None
    now: datetime
    zone: ZoneInfo
    stacking: StackingRules = StackingRules()


@dataclass(frozen=True, slots=True)
class Applicable:
    """The offer applies: the order before and after it, and the gift credits it takes, in minor units."""

    offer: Offer
    before: Order | None
    after: Order | None
    credits: int = 0


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """The offer does not apply, for this reason."""

    offer: Offer
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Skipped:
    """The offer was not looked at."""

    offer: Offer
    skip: Skip


Outcome = Applicable | Inapplicable | Skipped


@dataclass(frozen=True, slots=True)
class Claim:
    """What using an offer takes of its limits: one use, and gift credits in minor units."""

    offer: Offer
    quantity: int
    credits: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of each offer, in the order they were looked at, and the order they left."""

    outcomes: tuple[Outcome, ...]
    initial_order: Order | None
    order: Order | None
    is_partial: bool = field(default=False)

    @property
    def applicable(self) -> tuple[Applicable, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Applicable))

    @property
    def inapplicable(self) -> tuple[Inapplicable, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Inapplicable))

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Skipped))

    @property
    def is_valid(self) -> bool:
        """Whether a redemption would go through: all of them apply, or in partial mode any."""
        return bool(self.applicable) and (self.is_partial or not self.inapplicable)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What a redemption must still win in the database, which alone knows the present."""
        return tuple(Claim(outcome.offer, 1, outcome.credits) for outcome in self.applicable)


def decide(case: Case) -> Decision:
    """Apply the case's offers to its order and say what became of each.

    Each offer sees the order as those before it left it. Unless the stacking rules say PARTIAL, the first
    that fails ends it: those after it are skipped.
    """
    order, outcomes, applied, failed = case.order, [], 0, False
    for offer in case.offers:
        outcome = _look_at(offer, order, case, applied=applied, failed=failed)
        outcomes.append(outcome)
        if isinstance(outcome, Applicable):
            order, applied = outcome.after, applied + 1
        elif isinstance(outcome, Inapplicable):
            failed = not case.stacking.is_partial
    return Decision(tuple(outcomes), case.order, order, case.stacking.is_partial)


def _look_at(offer: Offer, order: Order | None, case: Case, *, applied: int, failed: bool) -> Outcome:
    if failed:
        return Skipped(offer, PRECEDING_FAILED)
    if applied >= case.stacking.applicable_redeemables_limit:
        return Skipped(offer, LIMIT_EXCEEDED)
    if refusal := offer.refusal(order, case.now, case.zone):
        return Inapplicable(offer, refusal)
    if order is None:
        asked = offer.gift.asked if offer.gift else None
        return Applicable(offer, None, None, asked or 0)
    after, credits = offer.apply(order)
    return Applicable(offer, order, after, credits)
