"""What a condition of a validation rule is: read into a node, judged, and answered with a finding.

A finding says whether the condition holds, what it looked at, and how much is missing. What can't be known,
such as an attribute nobody has set, is `UNKNOWN`, never an exception.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from promoengine.engine.checks import Truth
from promoengine.engine.facts import Situation
from promoengine.engine.items import ItemRefs
from promoengine.engine.limits import Counter, CounterKind
from promoengine.engine.logic import Logic
from promoengine.engine.operators import UNKNOWN, Condition

MONEY, QUANTITY, COUNT = "amount", "quantity", "count"


@dataclass(frozen=True, slots=True)
class Node:
    """One numbered condition of a rule, read and checked; `path` is as in `2` or, nested, `2.1`."""

    path: str
    name: str
    property_name: str | None
    condition: Condition
    refs: ItemRefs
    message: str | None
    unknown_holds: bool = False
    logic: Logic | None = None
    parts: "Mapping[str, Node]" = field(default_factory=dict)

    @property
    def tests(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        """The operators with their values, as they were sent."""
        return (*((test.operator, test.values) for test in self.condition.tests), *self.refs.tests)

    def settled(self, truth: Truth) -> Truth:
        """Return the answer as it counts: what is unknown holds where the rule says so."""
        return True if truth is UNKNOWN and self.unknown_holds else truth


@dataclass(frozen=True, slots=True)
class Finding:
    """What a condition found. `missing` says how much more it takes, counted in `measure`.

    For a counter, `low` and `high` are the bounds within which the finding stays the same; `also` are others
    that count the same person, none of which may pass `high`.
    """

    node: Node
    truth: Truth
    actual: Any = None
    missing: Decimal | None = None
    measure: str = ""
    counter: Counter | None = None
    low: int | None = None
    high: int | None = None
    also: tuple[Counter, ...] = ()


Judge = Callable[[Node, Situation, list[Finding]], Truth]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of condition; `counter` is what it needs counted, `has_parts` lets others be nested in it.

    One that `is_money` compares with amounts, in the project's currency.
    """

    judge: Judge
    needs_property: bool = False
    names_items: bool = False
    has_parts: bool = False
    counter: CounterKind | None = None
    is_money: bool = False


KINDS: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Make a kind known by its published name, which can't be taken twice."""
    if name in KINDS:
        raise ValueError(f"condition {name} is registered already")
    KINDS[name] = kind


def asks_money(node: Node) -> bool:
    """Return whether a condition, or one nested in it, compares with amounts."""
    return KINDS[node.name].is_money or any(asks_money(part) for part in node.parts.values())


def lookup(values: Mapping[str, Any], path: str | None) -> Any:
    """Return a metadata value by its key or a dotted path into nested objects, None where there is none."""
    if not path:
        return None
    if path in values:
        return values[path]
    head, dot, rest = path.partition(".")
    inner = values.get(head) if dot else None
    return lookup(inner, rest) if isinstance(inner, Mapping) else None


def judge_value(
    node: Node, actual: Any, situation: Situation, findings: list[Finding], measure: str
) -> Truth:
    """Return whether the node's operators hold for a value, and note what was found."""
    truth = node.condition.holds(actual, situation.facts.moment)
    missing = node.condition.gap(actual) if truth is not True and measure else None
    findings.append(Finding(node, truth, actual, missing, measure))
    return truth


def any_of(truths: Iterable[Truth]) -> Truth:
    """Return whether one of them holds; unknown where only unknown ones might."""
    found: Truth = False
    for truth in truths:
        if truth is True:
            return True
        if truth is UNKNOWN:
            found = UNKNOWN
    return found


def each_of(truths: Iterable[Truth]) -> Truth:
    """Return whether all of them hold; unknown where only unknown ones might fail it."""
    found: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is UNKNOWN:
            found = UNKNOWN
    return found
