"""What is paid back for units of an order that come back: integer minor units, never more than was paid."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from promoengine.engine.allocation import share_of_units, shares_of_units
from promoengine.engine.money import spread


class Mode(StrEnum):
    """Whether discounts stay as they were shared out, or are judged anew on what the customer keeps."""

    KEEP = "KEEP"
    REEVALUATE = "REEVALUATE"


@dataclass(frozen=True, slots=True)
class Sold:
    """A place of an order: what it cost, its units, and what each discount took off it.

    `returned` units of it have come back before. What is on no line is one unit, or none where there is
    nothing of it.
    """

    worth: int
    quantity: int
    parts: tuple[int, ...]
    returned: int = 0

    @property
    def left(self) -> int:
        return self.quantity - self.returned

    def shares(self, *, first: int, count: int, gifts: Collection[int]) -> "Shares":
        """Return what so many units after the `first` ones cost, and their shares of each discount."""
        if not self.quantity:
            return Shares()
        parts = shares_of_units(self.parts, self.quantity, first=first, count=count)
        worth = share_of_units(self.worth, self.quantity, first=first, count=count)
        return Shares(
            worth,
            {place: part for place, part in enumerate(parts) if part and place not in gifts},
            {place: part for place, part in enumerate(parts) if part and place in gifts},
        )


@dataclass(frozen=True, slots=True)
class Shares:
    """What some units cost, and what discounts and gift credits, by their places, have paid of it."""

    worth: int = 0
    discounts: Mapping[int, int] = field(default_factory=dict)
    credits: Mapping[int, int] = field(default_factory=dict)

    @property
    def value(self) -> int:
        """What was paid for them, in money and in gift credits."""
        return self.worth - sum(self.discounts.values())

    @property
    def money(self) -> int:
        return self.value - sum(self.credits.values())

    def __add__(self, other: "Shares") -> "Shares":
        return Shares(
            self.worth + other.worth,
            _added(self.discounts, other.discounts),
            _added(self.credits, other.credits),
        )


@dataclass(frozen=True, slots=True)
class PaidBack:
    """What earlier refunds of the order paid back: money, and gift credits by the places of the cards."""

    money: int = 0
    credits: Mapping[int, int] = field(default_factory=dict)

    @property
    def value(self) -> int:
        return self.money + sum(self.credits.values())


@dataclass(frozen=True, slots=True)
class RefundedPlace:
    """Units of one place that come back, their shares, and what is paid back for them."""

    place: int
    first: int
    count: int
    shares: Shares
    money: int
    credits: int


@dataclass(frozen=True, slots=True)
class Refund:
    """What is paid back: money, gift credits by the places of the cards, and for which units.

    `held_back` of the units' shares is kept; it is negative where what was held back before is paid now.
    With the last refund of an order everything has come back.
    """

    places: tuple[RefundedPlace, ...]
    shares: Shares
    money: int
    credits: Mapping[int, int]
    is_last: bool

    @property
    def held_back(self) -> int:
        return self.shares.value - self.money - sum(self.credits.values())


def work_out_refund(
    sold: Sequence[Sold],
    counts: Mapping[int, int],
    *,
    gifts: Mapping[int, int],
    paid_back: PaidBack,
    kept_worth: int | None = None,
) -> Refund:
    """Return the refund of `counts` units by place, none more than is left.

    `gifts` are the discounts that are gift credits, and go back to their cards, with what each card paid in
    all. Without `kept_worth` each
    unit brings its own share. With it, what the units kept would have cost without the others, money and
    gift credits together, only that is paid back which was paid beyond it; the rest is held back, of the
    money first. Once everything has come back, everything that was paid has been paid back.
    """
    now = {
        place: sold[place].shares(first=sold[place].returned, count=count, gifts=gifts)
        for place, count in sorted(counts.items())
        if count
    }
    shares = sum(now.values(), Shares())
    whole = sum((one.shares(first=0, count=one.quantity, gifts=gifts) for one in sold), Shares())
    back = sum(
        (
            one.shares(first=0, count=one.returned + counts.get(place, 0), gifts=gifts)
            for place, one in enumerate(sold)
        ),
        Shares(),
    )
    is_last = all(one.left == counts.get(place, 0) for place, one in enumerate(sold))
    if is_last:
        value = whole.value - paid_back.value
    elif kept_worth is None:
        value = shares.value
    else:
        value = min(back.value, whole.value - kept_worth) - paid_back.value
    credits, left = {}, max(0, value)
    for card, due in sorted(back.credits.items()):
        credits[card] = min(left, max(0, min(due, gifts[card]) - paid_back.credits.get(card, 0)))
        left -= credits[card]
    credits = {card: amount for card, amount in credits.items() if amount}
    return Refund(_divided(now, counts, sold, left, credits), shares, left, credits, is_last)


def _divided(
    now: Mapping[int, Shares],
    counts: Mapping[int, int],
    sold: Sequence[Sold],
    money: int,
    credits: Mapping[int, int],
) -> tuple[RefundedPlace, ...]:
    """Return what each place has of the money and the credits: its share, less what is held back of it."""
    own_money = [shares.money for shares in now.values()]
    own_credits = [sum(shares.credits.values()) for shares in now.values()]
    parts = zip(
        now.items(),
        _changed(own_money, money),
        _changed(own_credits, sum(credits.values())),
        strict=True,
    )
    return tuple(
        RefundedPlace(place, sold[place].returned, counts[place], shares, of_money, of_credits)
        for (place, shares), of_money, of_credits in parts
    )


def _changed(own: Sequence[int], total: int) -> list[int]:
    """Return shares made smaller or larger in proportion, so that they sum to the total."""
    weights = own if sum(own) else [1] * len(own)
    difference = total - sum(own)
    change = [part if difference > 0 else -part for part in spread(abs(difference), weights)]
    return [part + more for part, more in zip(own, change, strict=True)]


def _added(some: Mapping[int, int], others: Mapping[int, int]) -> dict[int, int]:
    return {key: some.get(key, 0) + others.get(key, 0) for key in sorted({*some, *others})}
