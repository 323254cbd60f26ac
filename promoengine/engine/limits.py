"""What limits count, and what a decision uses up of them."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

# Whether people may use an offer of whom nothing is known: unless a limit counts by customer, in any case,
# only where their device or address counts them, or not at all.
GUESTS_UNLESS_LIMITED, GUESTS_ALLOWED, GUESTS_COUNTED, GUESTS_REFUSED = (
    "UNLESS_LIMITED",
    "ALLOWED",
    "COUNTED",
    "REFUSED",
)
GUEST_KEYS = ("device", "address")


@dataclass(frozen=True, slots=True)
class CounterKind:
    """What a condition counts, before it is known of which campaign, code or promotion.

    `owner` is `campaign` or `redeemable`; `measure` counts redemptions (`count`) or sums minor units
    (`orders_amount`, `discount_amount`, `gift_amount`) or discounted units (`units`, of the scope's `entry`);
    `window` is `ever`, `day`, `week` or `month` of the project's calendar; `subject` narrows it to one
    `customer`, `api_key` or `user`, or to nobody.
    """

    owner: str
    measure: str
    window: str = "ever"
    subject: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter: a kind, of the campaign, code or promotion tier with the key `object_key`.

    What is counted by `customer` may be counted by identity keys, too: then `subject` is such as `email`.
    """

    object_key: Hashable
    measure: str
    window: str = "ever"
    subject: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class CounterClaim:
    """What a decision adds to a counter, and between which values, both included, the sum must lie then.

    Within these bounds the conditions on the counter have the truth that was decided by; None is no bound.
    """

    counter: Counter
    amount: int
    low: int | None = None
    high: int | None = None

    def then(self, later: "CounterClaim") -> "CounterClaim":
        """Return both claims as one; `later` was judged with this one's amount already taken."""
        low = _above(None if self.low is None else self.low + later.amount, later.low)
        high = _below(None if self.high is None else self.high + later.amount, later.high)
        return replace(self, amount=self.amount + later.amount, low=low, high=high)

    def within(self, low: int | None, high: int | None) -> "CounterClaim":
        """Return the claim with these bounds too."""
        return replace(self, low=_above(self.low, low), high=_below(self.high, high))


def _above(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _below(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
