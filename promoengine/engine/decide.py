"""The one question every door asks: what becomes of these offers on this order?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from promoengine.engine.bundles import BundleFound
from promoengine.engine.discounts import Applied
from promoengine.engine.facts import Facts
from promoengine.engine.findings import Finding
from promoengine.engine.judging import Turn, take_turn
from promoengine.engine.limits import Counter, CounterClaim
from promoengine.engine.offers import Offer
from promoengine.engine.order import Order
from promoengine.engine.refusals import (
    CATEGORY_LIMIT_EXCEEDED,
    EXCLUDED,
    EXCLUSIVE_CATEGORY_LIMIT_EXCEEDED,
    EXCLUSIVE_LIMIT_EXCEEDED,
    LIMIT_EXCEEDED,
    NO_EFFECT,
    PRECEDING_FAILED,
    Refusal,
    Skip,
)
from promoengine.engine.stacking import StackingRules


@dataclass(frozen=True, slots=True)
class Case:
    """All that deciding may need; `order` is None where the caller sent none."""

    offers: tuple[Offer, ...]
    order: Order | None
    facts: Facts
    stacking: StackingRules = StackingRules()


@dataclass(frozen=True, slots=True)
class Applicable:
    """The offer applies: the order before and after it, and what it takes of a card: credits and points.

    `applied` is what its discount did, where it has one; `counted` what it adds to the counters of its rules.
    """

    offer: Offer
    before: Order | None
    after: Order | None
    credits: int = 0
    applied: Applied | None = None
    counted: tuple[CounterClaim, ...] = ()
    findings: tuple[Finding, ...] = ()
    bundle: BundleFound | None = None
    points: int = 0

    @property
    def discount(self) -> Mapping[str, Any] | None:
        """The discount as it was worked out, or as it stands where there is no order to work it out on."""
        if self.applied is not None:
            return self.applied.wire
        discount = self.offer.discount
        return {**discount.shown, "effect": discount.effect_under(self.offer.scope)} if discount else None

    @property
    def saving(self) -> int:
        """What it takes off, in minor units."""
        if self.before is None or self.after is None:
            return 0
        return self.after.total_discount - self.before.total_discount


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """The offer does not apply, for this reason; of its rules, `reasons` are the conditions that failed."""

    offer: Offer
    refusal: Refusal
    findings: tuple[Finding, ...] = ()
    reasons: tuple[Finding, ...] = ()
    bundle: BundleFound | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The offer was left out; `rival` is the one that took its place, where one did."""

    offer: Offer
    skip: Skip
    rival: Offer | None = None


Outcome = Applicable | Inapplicable | Skipped


@dataclass(frozen=True, slots=True)
class Claim:
    """What using an offer takes of its own limits: one use, and gift credits in minor units or points."""

    offer: Offer
    quantity: int
    credits: int
    points: int = 0


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
        return tuple(Claim(outcome.offer, 1, outcome.credits, outcome.points) for outcome in self.applicable)

    @property
    def counted(self) -> tuple[CounterClaim, ...]:
        """What a redemption adds to counters, one claim for each, and the bounds this decision rests on."""
        merged: dict[Counter, CounterClaim] = {}
        for claim in (claim for outcome in self.applicable for claim in outcome.counted):
            earlier = merged.get(claim.counter)
            merged[claim.counter] = earlier.then(claim) if earlier else claim
        return tuple(merged.values())


def decide(case: Case) -> Decision:
    """Apply the case's offers to its order and say what became of each.

    Each offer sees the order as those before it left it. Offers of exclusive categories come first: where
    one of them applies, only joint ones may join it, and otherwise none of them may any more. Unless the
    stacking rules say PARTIAL, the first that fails ends it: those after it are skipped.
    """
    offers = in_order(case)
    if any(_type(offer, case) == "EXCLUSIVE" for offer in offers):
        alone = _walk(_joint_last(offers, case), case, is_exclusive=True)
        for outcome in alone.applicable:
            if _type(outcome.offer, case) == "EXCLUSIVE":
                return _with_rival(alone, outcome.offer)
    return _walk(offers, case, is_exclusive=False)


def in_order(case: Case) -> list[Offer]:
    """Return the offers in the order in which they apply, where no exclusive one does."""
    offers = list(case.offers)
    if case.stacking.redeemables_sorting_rule == "CATEGORY_HIERARCHY":
        offers.sort(key=lambda offer: (offer.category is None, offer.category and offer.category.hierarchy))
    return offers


def _joint_last(offers: Sequence[Offer], case: Case) -> Sequence[Offer]:
    if case.stacking.grouped_redeemables_sorting_rule != "JOINT_ALWAYS_LAST":
        return offers
    return sorted(offers, key=lambda offer: _type(offer, case) == "JOINT")


def _walk(offers: Sequence[Offer], case: Case, *, is_exclusive: bool) -> Decision:
    """Give each offer its turn, common ones only where exclusive ones have had theirs and don't apply."""
    order, outcomes, failed = case.order, [], False
    applied: list[Offer] = []
    taken: dict[Counter, int] = {}
    for offer in offers:
        outcome: Outcome
        if failed:
            outcome = Skipped(offer, PRECEDING_FAILED)
        elif is_exclusive and _type(offer, case) is None:
            outcome = Skipped(offer, EXCLUDED)
        elif over := _over_limit(offer, applied, case):
            outcome = over
        else:
            outcome = _look_at(offer, order, taken, case)
            if not is_exclusive and _type(offer, case) == "EXCLUSIVE" and isinstance(outcome, Applicable):
                outcome = Skipped(offer, EXCLUDED, next(reversed(applied), None))
        outcomes.append(outcome)
        if isinstance(outcome, Applicable):
            order = outcome.after
            applied.append(offer)
            for claim in outcome.counted:
                taken[claim.counter] = taken.get(claim.counter, 0) + claim.amount
        elif isinstance(outcome, Inapplicable):
            failed = not case.stacking.is_partial
    return Decision(tuple(outcomes), case.order, order, case.stacking.is_partial)


def _look_at(offer: Offer, order: Order | None, taken: dict[Counter, int], case: Case) -> Outcome:
    moment = case.facts.moment
    if refusal := offer.refusal(order, moment.now, moment.zone):
        return Inapplicable(offer, refusal)
    turn = Turn(
        offer,
        case.facts,
        before=order,
        initial=case.order,
        taken=taken,
        from_initial=_counts_from_initial(offer, case.stacking),
        once=case.stacking.redeemables_products_application_mode == "ONCE",
    )
    result = take_turn(turn)
    if result.refusal is not None:
        return Inapplicable(offer, result.refusal, result.findings, result.reasons, turn.bundle)
    if not result.has_effect and _skips_without_effect(offer, case.stacking):
        return Skipped(offer, NO_EFFECT)
    return Applicable(
        offer,
        order,
        result.after,
        result.credits,
        result.applied,
        result.counted,
        result.findings,
        turn.bundle,
        result.points,
    )


def _over_limit(offer: Offer, applied: Sequence[Offer], case: Case) -> Skipped | None:
    for skip, limit, rivals in _limits(offer, applied, case):
        if limit is not None and len(rivals) >= limit:
            return Skipped(offer, skip, next(reversed(rivals), None))
    return None


def _limits(
    offer: Offer, applied: Sequence[Offer], case: Case
) -> Iterator[tuple[Skip, int | None, Sequence[Offer]]]:
    """Yield the limits that an offer is under, each with those that have taken of it."""
    rules = case.stacking
    yield LIMIT_EXCEEDED, rules.applicable_redeemables_limit, applied
    if offer.category is None:
        return
    category = offer.category.id
    same = [one for one in applied if one.category is not None and one.category.id == category]
    if _type(offer, case) == "EXCLUSIVE":
        others = [one for one in applied if _type(one, case) == "EXCLUSIVE"]
        yield EXCLUSIVE_LIMIT_EXCEEDED, rules.applicable_exclusive_redeemables_limit, others
        limit = rules.applicable_exclusive_redeemables_per_category_limit
        yield EXCLUSIVE_CATEGORY_LIMIT_EXCEEDED, limit, same
    limit = rules.applicable_redeemables_category_limits.get(
        category, rules.applicable_redeemables_per_category_limit
    )
    yield CATEGORY_LIMIT_EXCEEDED, limit, same


def _with_rival(decision: Decision, rival: Offer) -> Decision:
    """Return the decision with the exclusive offer that applies named where it kept common ones out."""
    outcomes = (
        replace(outcome, rival=rival)
        if isinstance(outcome, Skipped) and outcome.skip is EXCLUDED
        else outcome
        for outcome in decision.outcomes
    )
    return replace(decision, outcomes=tuple(outcomes))


def _type(offer: Offer, case: Case) -> str | None:
    return case.stacking.type_of(offer.category.id) if offer.category else None


def _counts_from_initial(offer: Offer, rules: StackingRules) -> bool:
    category = offer.category.id if offer.category else None
    if category in rules.initial_amount_mode_categories:
        return True
    if category in rules.discounted_amount_mode_categories:
        return False
    return rules.discount_calculation_mode == "INITIAL_AMOUNT"


def _skips_without_effect(offer: Offer, rules: StackingRules) -> bool:
    category = offer.category.id if offer.category else None
    if category in rules.no_effect_skip_categories:
        return True
    if category in rules.no_effect_redeem_anyway_categories:
        return False
    return rules.redeemables_no_effect_rule == "SKIP"
