"""What each redemption of a checkout takes off each line of its order."""

from promoengine.engine.allocation import fitted, share_out, stretched, worths
from promoengine.engine.decide import Decision
from redemptions.orders import CheckoutOrder

Allocation = list[int]


def allocate(
    order: CheckoutOrder | None, decision: Decision
) -> tuple[list[Allocation | None], Allocation | None]:
    """Return what each redeemable that applies takes off the lines, and what all have taken since the first.

    Each list has the lines in their order and, last, what is on no line; it is empty where nothing is taken.
    There is None where there are no amounts to take anything off.
    """
    initial, final = decision.initial_order, decision.order
    if order is None or initial is None or final is None:
        return [None] * len(decision.applicable), None
    taken = fitted(order.shared(initial), worths(initial), initial.total_discount)
    allocations: list[Allocation | None] = []
    for outcome in decision.applicable:
        before, after = outcome.before, outcome.after
        if before is None or after is None or not outcome.saving:
            allocations.append([])
            continue
        parts = share_out(before, after, taken)
        taken = [was + part for was, part in zip(stretched(taken, len(parts)), parts, strict=True)]
        allocations.append(parts)
    places = worths(final)
    return allocations, fitted(stretched(taken, len(places)), places, final.total_discount)
