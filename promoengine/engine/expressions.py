"""What a formula is made of: literals, operands and calls of registered functions.

What can't be computed is None: a missing operand, a division by zero, a text where a number should be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from promoengine.engine.values import number_of

Value = Decimal | str | bool | date | datetime | tuple[Any, ...]
Operands = Callable[[str, tuple[Any, ...]], Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a formula is evaluated over: its operands, and the time where the project is."""

    operands: Operands
    now: datetime
    zone: ZoneInfo


class Node(Protocol):
    """One part of a formula."""

    def evaluate(self, scope: Scope) -> Value | None:
        """Return the value, None where it can't be computed."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a text as written."""

    value: Value

    def evaluate(self, scope: Scope) -> Value | None:
        return self.value


@dataclass(frozen=True, slots=True)
class Operand:
    """Something the checkout knows, `key` being the metadata key where it is one of many."""

    name: str
    arguments: tuple[str, ...]

    def evaluate(self, scope: Scope) -> Value | None:
        return value_of(scope.operands(self.name, self.arguments))


@dataclass(frozen=True, slots=True)
class Call:
    """A function or a comparison."""

    name: str
    arguments: tuple[Node, ...]

    def evaluate(self, scope: Scope) -> Value | None:
        return FUNCTIONS[self.name].apply(scope, self.arguments)


@dataclass(frozen=True, slots=True)
class Chain:
    """A sum or a product, flat because a long one would be too deep a tree."""

    first: Node
    rest: tuple[tuple[str, Node], ...]

    def evaluate(self, scope: Scope) -> Value | None:
        value = self.first.evaluate(scope)
        for symbol, node in self.rest:
            if value is None:
                return None
            value = FUNCTIONS[symbol].apply(scope, (Literal(value), node))
        return value


Apply = Callable[[Scope, tuple[Node, ...]], Value | None]


@dataclass(frozen=True, slots=True)
class Function:
    """A function with the fewest and the most arguments it takes; `most` None is any number."""

    apply: Apply
    least: int
    most: int | None


FUNCTIONS: dict[str, Function] = {}


def value_of(given: Any) -> Value | None:
    """Return an operand's value as formulas know values; None for null, NaN and objects."""
    if isinstance(given, bool | str | date):
        return given
    if isinstance(given, list | tuple):
        return tuple(value for element in given if (value := value_of_element(element)) is not None)
    return number_of(given)


def value_of_element(given: Any) -> Value | None:
    """Return an element of a list; lists in lists are left out."""
    return None if isinstance(given, list | tuple) else value_of(given)


def lazy(name: str, least: int, most: int | None = None) -> Callable[[Apply], Apply]:
    """Register a function that evaluates its arguments itself; a name can't be taken twice."""

    def register(apply: Apply) -> Apply:
        if name in FUNCTIONS:
            raise ValueError(f"{name} is registered already")
        FUNCTIONS[name] = Function(apply, least, most)
        return apply

    return register


Compute = Callable[..., Value | None]


def function(name: str, least: int, most: int | None = None) -> Callable[[Compute], Compute]:
    """Register a function of the scope and computed values; without one of them, there is no result."""

    def register(compute: Compute) -> Compute:
        @lazy(name, least, most)
        def apply(scope: Scope, arguments: tuple[Node, ...]) -> Value | None:
            values = []
            for argument in arguments:
                value = argument.evaluate(scope)
                if value is None:
                    return None
                values.append(value)
            try:
                return compute(scope, *values)
            except ArithmeticError:
                return None

        return compute

    return register


def numeric(name: str, least: int, most: int | None = None) -> Callable[[Compute], Compute]:
    """Register a function of numbers; a text that spells a number is one."""

    def register(compute: Compute) -> Compute:
        @function(name, least, most)
        def of_numbers(scope: Scope, *values: Value) -> Value | None:
            numbers = [number_of(value) for value in values]
            return None if None in numbers else compute(*numbers)

        return compute

    return register
