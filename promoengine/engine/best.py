"""Which of several redeemables, used in which order, take most off an order: a search with a bound."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from promoengine.engine.ceilings import NO_CEILING, Ceilings
from promoengine.engine.decide import Applicable, Case, Decision, Outcome, Skipped, decide
from promoengine.engine.offers import Offer
from promoengine.engine.refusals import NOT_CHOSEN

TRIES = 1000


@dataclass(frozen=True, slots=True)
class Combination:
    """The offers that save most together, in the order to use them; `left_out` are the others.

    No other choice or order saves more than `at_most` minor units: what these save, where that is proven, and
    else the bound of what there was no time to try.
    """

    offers: tuple[Offer, ...]
    left_out: tuple[Offer, ...]
    decision: Decision
    at_most: int

    @property
    def bound(self) -> int | None:
        """What nothing saves more than; None where free units, worth nobody knows what, were not tried."""
        return self.at_most if self.at_most < NO_CEILING else None

    @property
    def is_proven(self) -> bool:
        """Whether nothing saves more."""
        return self.at_most <= self.saving

    @property
    def saving(self) -> int:
        """What they take off together, in minor units."""
        return saving_of(self.decision)


def best_combination(case: Case, *, tries: int = TRIES) -> Combination:
    """Return the choice and order of the case's offers that takes most off its order.

    Choices are tried deepest first and, of those that go on alike, the one that saves most first, so the
    first found is the greedy one and only a better one replaces it; of equals the one with fewer offers
    stays. What can't save more than the best so far, by the ceilings of its offers, is not tried, nor what
    leaves the same order as the same offers did in another sequence. The search ends when nothing is left to
    try or to pay, or after `tries` decisions.
    """
    search = _Search(case, tries)
    search.extend((), search.decision)
    chosen = {id(offer) for offer in search.best}
    left_out = tuple(offer for offer in case.offers if id(offer) not in chosen)
    return Combination(search.best, left_out, search.decision, search.at_most)


def decide_best(case: Case) -> tuple[Decision, Combination]:
    """Decide by the best combination: what it leaves out is skipped, or does not apply even alone."""
    found = best_combination(case)
    others: list[Outcome] = []
    for offer in found.left_out:
        (alone,) = decide(replace(case, offers=(offer,))).outcomes
        skipped = Skipped(offer, NOT_CHOSEN, next(iter(found.offers), None))
        others.append(skipped if isinstance(alone, Applicable) else alone)
    outcomes = (*found.decision.outcomes, *others)
    return replace(found.decision, outcomes=outcomes, is_partial=True), found


def saving_of(decision: Decision) -> int:
    """Return what a decision takes off, in minor units."""
    if decision.order is None or decision.initial_order is None:
        return 0
    return decision.order.total_discount - decision.initial_order.total_discount


class _Search:
    """The best sequence so far; every sequence is decided once."""

    def __init__(self, case: Case, tries: int) -> None:
        self.case, self.tries_left = case, tries
        self.best: tuple[Offer, ...] = ()
        self.decision = decide(replace(case, offers=()))
        self.untried = 0
        self._seen: set[Hashable] = set()
        ceilings = Ceilings(case.order)
        self._ceilings = sorted(((ceilings.of(offer), id(offer)) for offer in case.offers), reverse=True)
        self._gives_units = any(ceiling >= NO_CEILING for ceiling, _ in self._ceilings)

    @property
    def at_most(self) -> int:
        """What no sequence saves more than."""
        return max(saving_of(self.decision), self.untried)

    def extend(self, chosen: tuple[Offer, ...], left: Decision) -> None:
        """Try everything that begins with `chosen`, which has been tried itself and has left this."""
        for _, offers, decision in sorted(self._next(chosen, left), key=lambda one: -one[0]):
            if saving_of(decision) > saving_of(self.decision):
                self.best, self.decision = offers, decision
            if self.decision.order is not None and self.decision.order.total == 0:
                return
            if self._most(offers, decision) > saving_of(self.decision) and self._is_new(offers, decision):
                self.extend(offers, decision)

    def _next(
        self, chosen: tuple[Offer, ...], left: Decision
    ) -> Iterable[tuple[int, tuple[Offer, ...], Decision]]:
        taken = {id(offer) for offer in chosen}
        for offer in self.case.offers:
            if id(offer) in taken:
                continue
            if self.tries_left == 0:
                self.untried = max(self.untried, self._most(chosen, left))
                return
            self.tries_left -= 1
            offers = (*chosen, offer)
            decision = decide(replace(self.case, offers=offers))
            # Only what all applies is a step: an offer that does not apply now may later, after others.
            if len(decision.applicable) == len(offers):
                yield saving_of(decision), offers, decision

    def _most(self, chosen: tuple[Offer, ...], left: Decision) -> int:
        """Return what nothing that begins with `chosen` saves more than, by what is left to pay and use."""
        taken, to_pay = {id(offer) for offer in chosen}, left.order.total if left.order else 0
        room = self.case.stacking.applicable_redeemables_limit
        rest = [ceiling for ceiling, key in self._ceilings if key not in taken]
        # Free units may be worth more than all there is to pay, and other offers reach them, too.
        if self._gives_units:
            return saving_of(left) + to_pay + sum(ceiling for ceiling in rest if ceiling >= NO_CEILING)
        return saving_of(left) + min(to_pay, sum(rest[: max(0, room - len(chosen))]))

    def _is_new(self, chosen: tuple[Offer, ...], left: Decision) -> bool:
        """Return whether these offers, in another sequence, have not left the same order and counters."""
        items = left.order.items if left.order else ()
        state = (
            frozenset(id(offer) for offer in chosen),
            left.order.discount if left.order else 0,
            tuple(
                (item.quantity, item.discount, item.discount_quantity, item.free_quantity) for item in items
            ),
            frozenset((claim.counter, claim.amount) for claim in left.counted),
        )
        is_new = state not in self._seen
        self._seen.add(state)
        return is_new
