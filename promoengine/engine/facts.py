"""What a rule may ask about, besides the order: who, when, by which key, and how often so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from promoengine.engine.limits import Counter, CounterKind
from promoengine.engine.operators import Moment
from promoengine.engine.order import Good, Order


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is at the checkout; `attributes` are the published fields, `segments` public ids."""

    id: str | None = None
    segments: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that holds for the whole checkout.

    `used` has what counters stand at, with what others' sessions hold; a counter that is not there stands
    at 0. Conditions named in `ignored` are taken as met, as a qualification does with limits.
    """

    moment: Moment
    customer: Customer | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    api_key: tuple[str, ...] | None = None
    user: str | None = None
    used: Mapping[Counter, int] = field(default_factory=dict)
    goods: Mapping[str, Good] = field(default_factory=dict)
    ignored: Callable[[str], bool] | None = None
    is_traced: bool = False


class Subject(Protocol):
    """What a rule asks about the redeemable it guards."""

    @property
    def holder_id(self) -> str | None: ...

    def counter(self, kind: CounterKind) -> Counter: ...


@dataclass(frozen=True, slots=True)
class Use:
    """What using a redeemable would do: the order after it, and the gift credits and points it takes."""

    after: Order | None
    credits: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class Situation:
    """One redeemable before the running order.

    `initial` is the order as it was sent, `taken` what redeemables before it in this checkout add to
    counters; `use` works out what it would do, the first time somebody asks.
    """

    facts: Facts
    subject: Subject
    before: Order | None
    initial: Order | None
    taken: Mapping[Counter, int]
    use: Callable[[], Use]

    def contribution(self, measure: str) -> int:
        """Return what using the redeemable adds to a counter of that measure."""
        match measure:
            case "count":
                return 1
            case "orders_amount":
                return self.before.amount if self.before else 0
            case "discount_amount":
                after = self.use().after
                return after.total_discount - self.before.total_discount if after and self.before else 0
            case "gift_amount":
                return self.use().credits
            case _:
                return 0

    def standing(self, counter: Counter) -> int:
        """Return what the counter stands at, with what this checkout adds before this redeemable."""
        return self.facts.used.get(counter, 0) + self.taken.get(counter, 0)
