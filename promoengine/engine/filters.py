"""Published filters of products and of customers: conditions by field, all or any of which must hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from promoengine.engine.calendar import CALENDAR
from promoengine.engine.operators import OPERATORS, Condition, InvalidCondition, Moment, parse_condition

JUNCTIONS = {"and": all, "or": any}
FIELDS_MAX = 100
FILTER_OPERATORS = OPERATORS | CALENDAR

# Reads the conditions on a field, or returns None where there is no such field.
ReadCondition = Callable[[str, Mapping[str, Any]], Condition | None]


class InvalidFilter(ValueError):
    """A filter that can't be meant; the text says what should be there, after the path to the filter."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions by the fields they are on; without any, everything matches."""

    junction: str
    conditions: tuple[tuple[str, Condition], ...]

    def matches(self, read: Callable[[str], Any], at: Moment) -> bool:
        """Return whether what `read` says of the fields passes; what is unknown does not."""
        if not self.conditions:
            return True
        return JUNCTIONS[self.junction](
            condition.holds(read(field), at) is True for field, condition in self.conditions
        )

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(field for field, _ in self.conditions)


def parse_filter(data: Mapping[str, Any], read_condition: ReadCondition, known: str) -> Filter:
    """Read a published filter; without a `junction` all its conditions must hold.

    `known` are the names of fields, as the refusal of another one says them.

    Raises:
        InvalidFilter: junction, field, operator or value are wrong.
    """
    junction = data.get("junction", "and")
    if not isinstance(junction, str) or junction.lower() not in JUNCTIONS:
        raise InvalidFilter(" has wrong `junction` property. It must be one of: and, or")
    if len(data) > FIELDS_MAX:
        raise InvalidFilter(f" may have up to {FIELDS_MAX} fields")
    asked = [(field, one) for field, one in data.items() if field != "junction"]
    conditions = tuple((field, _condition(field, one, read_condition, known)) for field, one in asked)
    return Filter(junction.lower(), conditions)


def parse_filter_condition(conditions: Mapping[str, Any]) -> Condition:
    """Read the conditions on one field, with all operators that filters have.

    Raises:
        InvalidCondition: an operator that does not exist, or values it can't work with.
    """
    return parse_condition(conditions, FILTER_OPERATORS)


def _condition(field: str, asked: Any, read_condition: ReadCondition, known: str) -> Condition:
    shown = field[:100]
    conditions = asked.get("conditions") if isinstance(asked, Mapping) else None
    try:
        condition = read_condition(field, conditions if isinstance(conditions, Mapping) else {})
    except InvalidCondition as error:
        raise InvalidFilter(f".{shown}.conditions{error}") from error
    if condition is None:
        raise InvalidFilter(f".{shown} should be one of {known}")
    if not isinstance(conditions, Mapping):
        raise InvalidFilter(f".{shown} should have required property 'conditions'")
    return condition
