"""How discounts are shared out over the lines of an order, and over each line's single units.

Discounts on lines stay where they are; what came off the whole goes to the lines by what was left to pay of
them, in the order in which the discounts applied. All parts are integers, by largest remainder, and always
sum to the whole. Beside the lines there is one more place, the last: what the order's amount has that is on
no line, such as shipping, and lines without units.
"""

from collections.abc import Sequence

from promoengine.engine.money import spread
from promoengine.engine.order import Order


def worths(order: Order) -> list[int]:
    """Return what each place of an order costs before discounts; their sum is the order's amount.

    Where the order was sent with less than its lines cost, each line costs its share less.
    """
    amounts = [item.amount if item.quantity > 0 else 0 for item in order.items]
    rest = order.amount - sum(amounts)
    if rest >= 0:
        return [*amounts, rest]
    return [amount - less for amount, less in zip(amounts, spread(-rest, amounts), strict=True)] + [0]


def share_out(before: Order, after: Order, shared: Sequence[int]) -> list[int]:
    """Return what the discount that led from `before` to `after` takes off each place of `after`.

    `shared` is what earlier discounts took off the places of `before`; where the order was changed since, it
    is fitted to what it is now.
    """
    room = _room(before, after, shared)
    was = [item.discount for item in before.items] + [0] * (len(after.items) - len(before.items))
    on_lines = [
        item.discount - earlier if item.quantity > 0 else 0
        for item, earlier in zip(after.items, was, strict=True)
    ]
    parts = [min(max(0, part), left) for part, left in zip([*on_lines, 0], room, strict=True)]
    over = after.total_discount - before.total_discount - sum(parts)
    if over <= 0:
        return parts
    left = [space - part for space, part in zip(room, parts, strict=True)]
    # What a line can't bear, because earlier discounts on the whole took it, goes to the others.
    more = spread(min(over, sum(left)), left)
    return [part + one for part, one in zip(parts, more, strict=True)]


def fitted(parts: Sequence[int], rooms: Sequence[int], total: int) -> list[int]:
    """Return parts changed as little as needed so that they sum to `total` and none is above its room.

    Where the rooms together hold less than the total, they are full.
    """
    capped = [min(part, room) for part, room in zip(parts, rooms, strict=True)]
    difference = min(total, sum(rooms)) - sum(capped)
    if not difference:
        return capped
    if difference > 0:
        free = [room - part for part, room in zip(capped, rooms, strict=True)]
        return [part + more for part, more in zip(capped, spread(difference, free), strict=True)]
    return [part - less for part, less in zip(capped, spread(-difference, capped), strict=True)]


def attribute(
    shared: Sequence[int], allocations: Sequence[Sequence[int] | None], weights: Sequence[int]
) -> list[list[int]]:
    """Return what each discount has taken off each place, so that they sum to what is `shared` there.

    `allocations` are what discounts were said to take when they applied, in that order: none took what was
    canceled afterwards, so the last ones that sum to `shared` count. Where none do, because the order was
    changed or nothing was said, each place is split by `weights`; what has no weight is nobody's, the last.
    """
    places = len(shared)
    nothing = [0] * places
    parts = [stretched(one, places) if one is not None else None for one in allocations]
    total = nothing
    for start in range(len(parts), -1, -1):
        if start < len(parts):
            one = parts[start]
            if one is None:
                break
            total = [had + part for had, part in zip(total, one, strict=True)]
        if total == list(shared):
            earlier = [nothing] * start
            return [*earlier, *(part for part in parts[start:] if part is not None), nothing]
    split = [spread(part, weights) if sum(weights) else [0] * len(weights) for part in shared]
    known = [list(column) for column in zip(*split, strict=True)] if weights else []
    return [*known, [part - sum(row) for part, row in zip(shared, split, strict=True)]]


def share_of_units(total: int, quantity: int, *, first: int, count: int) -> int:
    """Return what `count` units of a line, after the `first` ones, have of its total.

    The units' shares differ by one at most, the larger first, and those of all units sum to the total.
    """
    return _up_to(total, quantity, first + count) - _up_to(total, quantity, first)


def shares_of_units(parts: Sequence[int], quantity: int, *, first: int, count: int) -> list[int]:
    """Return what those units have of each of several parts of one line.

    The remainder of each part starts where that of the one before ended, so that a unit's shares never sum to
    more than its share of the sum.
    """
    shares, before, level = [], 0, 0
    for part in parts:
        level += part
        upto = share_of_units(level, quantity, first=first, count=count)
        shares.append(upto - before)
        before = upto
    return shares


def stretched(parts: Sequence[int], places: int) -> list[int]:
    """Return parts for an order that has more lines now; what is on no line stays last."""
    if not parts or len(parts) > places:
        return [0] * places
    return [*parts[:-1], *[0] * (places - len(parts)), parts[-1]]


def _room(before: Order, after: Order, shared: Sequence[int]) -> list[int]:
    """Return what is left to pay of each place of `after` where only what was before has been taken off."""
    places = worths(after)
    taken = fitted(stretched(shared, len(places)), places, before.total_discount)
    return [worth - part for worth, part in zip(places, taken, strict=True)]


def _up_to(total: int, quantity: int, count: int) -> int:
    each, remainder = divmod(total, quantity)
    return each * count + min(count, remainder)
