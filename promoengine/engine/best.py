"""Which of several redeemables, used in which order, take most off an order: a search with a bound."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from promoengine.engine.decide import Applicable, Case, Decision, Outcome, Skipped, decide
from promoengine.engine.offers import Offer
from promoengine.engine.refusals import NOT_CHOSEN

TRIES = 1000


@dataclass(frozen=True, slots=True)
class Combination:
    """The offers that save most together, in the order to use them; `left_out` are the others.

    `is_proven` says that no other choice or order saves more; otherwise more would have had to be tried.
    """

    offers: tuple[Offer, ...]
    left_out: tuple[Offer, ...]
    decision: Decision
    is_proven: bool

    @property
    def saving(self) -> int:
        """What they take off together, in minor units."""
        return saving_of(self.decision)


def best_combination(case: Case, *, tries: int = TRIES) -> Combination:
    """Return the choice and order of the case's offers that takes most off its order.

    Choices are tried deepest first and, of those that go on alike, the one that saves most first, so the
    first found is the greedy one and only a better one replaces it; of equals the one with fewer offers
    stays. The search ends when nothing is left to try or to pay, or after `tries` decisions.
    """
    search = _Search(case, tries)
    search.extend(())
    chosen = {id(offer) for offer in search.best}
    left_out = tuple(offer for offer in case.offers if id(offer) not in chosen)
    return Combination(search.best, left_out, search.decision, search.is_proven)


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
        self.is_proven = True

    def extend(self, chosen: tuple[Offer, ...]) -> None:
        """Try everything that begins with `chosen`, which has been tried itself."""
        for _, offers, decision in sorted(self._next(chosen), key=lambda one: -one[0]):
            if saving_of(decision) > saving_of(self.decision):
                self.best, self.decision = offers, decision
            if self.decision.order is not None and self.decision.order.total == 0:
                return
            self.extend(offers)

    def _next(self, chosen: tuple[Offer, ...]) -> Iterable[tuple[int, tuple[Offer, ...], Decision]]:
        taken = {id(offer) for offer in chosen}
        for offer in self.case.offers:
            if id(offer) in taken:
                continue
            if self.tries_left == 0:
                self.is_proven = False
                return
            self.tries_left -= 1
            offers = (*chosen, offer)
            decision = decide(replace(self.case, offers=offers))
            # Only what all applies is a step: an offer that does not apply now may later, after others.
            if len(decision.applicable) == len(offers):
                yield saving_of(decision), offers, decision
