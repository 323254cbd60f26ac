"""What a rule may ask about, besides the order: who, when, by which key, and how often so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from promoengine.engine.limits import Counter, CounterKind
from promoengine.engine.operators import Moment
from promoengine.engine.order import Good, Order

# The identity keys that tell a person, and not a thing that several may use.
PERSONAL = frozenset({"email", "phone"})


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is at the checkout; `attributes` are the published fields, `segments` public ids.

    A guest is one of whom nothing is known but the browser they came with before.
    """

    id: str | None = None
    is_guest: bool = False
    segments: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that holds for the whole checkout.

    `identities` are the kinds of keys, as in `email`, that the person is known by besides a record. `used`
    has what counters stand at, with what others' sessions hold; a counter that is not there stands at 0.
    Conditions named in `ignored` are taken as met, as a qualification does with limits.
    """

    moment: Moment
    customer: Customer | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    api_key: tuple[str, ...] | None = None
    user: str | None = None
    identities: frozenset[str] = frozenset()
    used: Mapping[Counter, int] = field(default_factory=dict)
    goods: Mapping[str, Good] = field(default_factory=dict)
    ignored: Callable[[str], bool] | None = None
    is_traced: bool = False

    @property
    def is_person_known(self) -> bool:
        """Whether it can be told who it is, and not only from which browser or card."""
        is_customer = self.customer is not None and not self.customer.is_guest
        return is_customer or not self.identities.isdisjoint(PERSONAL)

    def knows(self, subject: str) -> bool:
        """Return whether it is known whom a counter by that subject counts here."""
        if subject in ("customer", "api_key", "user"):
            return getattr(self, subject) is not None
        return not subject or subject in self.identities


class Subject(Protocol):
    """What a rule asks about the redeemable it guards."""

    @property
    def holder_id(self) -> str | None: ...

    @property
    def guests(self) -> str: ...

    def counters_of(self, kind: CounterKind, *, of_guest: bool) -> tuple[Counter, ...]: ...


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

    @property
    def currency(self) -> str:
        """The order's currency where it is another than the project's."""
        return self.before.currency if self.before else ""

    def contribution(self, measure: str) -> int:
        """Return what using the redeemable adds to a counter of that measure; money in one currency."""
        match measure:
            case "count":
                return 1
            case "orders_amount" | "discount_amount" if self.currency:
                return 0
            case "orders_amount":
                return self.before.amount if self.before else 0
            case "discount_amount":
                after = self.use().after
                return after.total_discount - self.before.total_discount if after and self.before else 0
            case "gift_amount":
                return self.use().credits
            case _:
                return 0

    def counters(self, kind: CounterKind) -> tuple[Counter, ...]:
        """Return the counters of a kind here, the fullest first; none where nobody knows whom to count."""
        found = self.subject.counters_of(kind, of_guest=self.facts.customer is None)
        known = [counter for counter in found if self.facts.knows(counter.subject)]
        return tuple(sorted(known, key=self.standing, reverse=True)) if len(known) > 1 else tuple(known)

    def standing(self, counter: Counter) -> int:
        """Return what the counter stands at, with what this checkout adds before this redeemable."""
        return self.facts.used.get(counter, 0) + self.taken.get(counter, 0)
