"""The published operators of conditions, on one value: `{"$more_than": [100], "$less_than": [500]}`.

What is missing or of the wrong type is UNKNOWN, so that neither a rule nor its opposite holds by accident.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, DecimalException
from typing import Any
from zoneinfo import ZoneInfo

from promoengine.engine.checks import (
    ANY_TIME,
    EXACT,
    UNKNOWN,
    Among,
    Both,
    Bound,
    Check,
    Contains,
    Count,
    Days,
    InPlaces,
    Moment,
    Not,
    Presence,
    SameSet,
    Text,
    Truth,
    Unknown,
    Window,
    conjunction,
)
from promoengine.engine.places import InvalidShape, Shape, parse_shape
from promoengine.engine.timeframes import DailyHours, InvalidValidity, Validity, parse_duration, weekday
from promoengine.engine.values import date_of, moment_of, number_of, scalar_of

__all__ = ["UNKNOWN", "Condition", "InvalidCondition", "Moment", "Test", "Unknown", "parse_condition"]

PLACE = re.compile("loc_[0-9a-f]{32}")

# How each operator's values are read.
Operators = Mapping[str, Callable[[tuple[Any, ...]], Check]]

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")


class InvalidCondition(ValueError):
    """A condition that cannot be meant; the text says what should be there, after the path to it."""


@dataclass(frozen=True, slots=True)
class Test:
    """One operator with its values as they were sent, and the check they mean."""

    operator: str
    values: tuple[Any, ...]
    check: Check

    def holds(self, actual: Any, at: Moment) -> Truth:
        """Return the answer; UNKNOWN for what is missing, unless that is what was asked."""
        if (actual is None or actual is UNKNOWN) and self.operator not in PRESENCE:
            return UNKNOWN
        return self.check.holds(actual, at)


@dataclass(frozen=True, slots=True)
class Condition:
    """One `conditions` mapping, all of whose operators must hold."""

    tests: tuple[Test, ...]

    def holds(self, actual: Any, at: Moment) -> Truth:
        """Return whether a JSON value (or a `date`, `datetime`, `Decimal`) fulfils all operators."""
        return conjunction(test.holds(actual, at) for test in self.tests)

    def gap(self, actual: Any) -> Decimal | None:
        """Return the smallest amount known to make this hold when added to the number `actual`.

        Negative means it must be taken away. None where it holds, or no addition could help.
        """
        number = number_of(actual)
        if number is None or self.holds(number, ANY_TIME) is True:
            return None
        try:
            steps = {step for test in self.tests for step in test.check.steps(number)}
            helping = [step for step in steps if self.holds(EXACT.add(number, step), ANY_TIME) is True]
        except DecimalException:  # digits too far apart to add exactly
            return None
        return min(helping, key=lambda step: (abs(step), -step), default=None)

    def interval(self, actual: int) -> tuple[int | None, int | None]:
        """Return the widest interval around `actual`, ends included, in which the answer stays the same.

        None is an open end.
        """
        answer = self.holds(actual, ANY_TIME)
        cuts = sorted({cut for test in self.tests for cut in test.check.cuts()})
        above = bisect_right(cuts, actual)
        below = above - 1
        while below >= 0 and self.holds(cuts[below] - 1, ANY_TIME) is answer:
            below -= 1
        while above < len(cuts) and self.holds(cuts[above], ANY_TIME) is answer:
            above += 1
        return (
            cuts[below] if below >= 0 else None,
            cuts[above] - 1 if above < len(cuts) else None,
        )


def parse_condition(conditions: Mapping[str, Any], operators: Operators | None = None) -> Condition:
    """Read a `conditions` mapping; values are lists, and a bare value counts as a list of one.

    `operators` are those known here, unless told otherwise those of rules.

    Raises:
        InvalidCondition: an operator that does not exist, or values it can't work with.
    """
    if not isinstance(conditions, Mapping):
        raise InvalidCondition(" should be an object with operators such as $is")
    known = OPERATORS if operators is None else operators
    return Condition(tuple(_test(operator, sent, known) for operator, sent in conditions.items()))


def _places(values: tuple[Any, ...]) -> tuple[Shape, ...]:
    """Read areas, or ids of them: where an id has not been replaced by its area, nobody is in it."""
    try:
        found = [parse_shape(value) for value in values if not _is_place(value)]
    except InvalidShape as error:
        raise InvalidCondition(" should have ids of locations") from error
    if not values:
        raise InvalidCondition(" should have ids of locations")
    return tuple(found)


def _is_place(value: Any) -> bool:
    return isinstance(value, str) and PLACE.fullmatch(value) is not None


def _test(operator: Any, sent: Any, known: Operators) -> Test:
    if operator == "$from":
        raise InvalidCondition(".$from can be used with products and collections only")
    read = known.get(operator) if isinstance(operator, str) else None
    if read is None:
        raise InvalidCondition(f".{str(operator)[:40]} is not a known operator")
    values = tuple(sent) if isinstance(sent, list | tuple) else (sent,)
    try:
        return Test(operator, values, read(values))
    except InvalidCondition as error:
        raise InvalidCondition(f".{operator}{error}") from error


def _one(values: tuple[Any, ...], kind: str) -> Any:
    if len(values) != 1:
        raise InvalidCondition(f" should have one value, {kind}")
    return values[0]


def _among(values: tuple[Any, ...]) -> Among:
    scalars = [scalar_of(value) for value in values]
    if not scalars or None in scalars:
        raise InvalidCondition(" should be a list of texts, numbers, dates, or objects with an id")
    return Among.of(scalars)


def _texts(values: tuple[Any, ...]) -> tuple[str, ...]:
    if not values or not all(isinstance(value, str) for value in values):
        raise InvalidCondition(" should be a list of texts")
    return values


def _contains(values: tuple[Any, ...]) -> Contains:
    return Contains(tuple(value for value in values if isinstance(value, str)), _among(values))


def _date(value: Any, kind: str) -> date:
    found = date_of(value)
    if found is None or moment_of(found, ANY_TIME.zone) is None:
        raise InvalidCondition(f" should have one value, {kind}")
    return found


def _bound(*, below: bool, closed: bool) -> Callable[[tuple[Any, ...]], Check]:
    kind = "a number or a date"

    def read(values: tuple[Any, ...]) -> Check:
        value = _one(values, kind)
        number = number_of(value)
        return Bound(number if number is not None else _date(value, kind), below, closed)

    return read


def _instant(*, below: bool) -> Callable[[tuple[Any, ...]], Check]:
    kind = "a date"
    return lambda values: Bound(_date(_one(values, kind), kind), below, closed=False)


def _amount(values: tuple[Any, ...]) -> Decimal:
    kind = "a number that is not negative"
    number = number_of(_one(values, kind))
    if number is None or number < 0:
        raise InvalidCondition(f" should have one value, {kind}")
    return number


def _exactly(values: tuple[Any, ...]) -> Check:
    return Among.of([_amount(values)])


def _more(values: tuple[Any, ...]) -> Check:
    return Bound(_amount(values), below=False, closed=False)


def _fewer(values: tuple[Any, ...]) -> Check:
    return Bound(_amount(values), below=True, closed=False)


def _days(sign: int, read: Callable[[tuple[Any, ...]], Check]) -> Callable[[tuple[Any, ...]], Check]:
    """Count days in one direction from today; today itself is 0 days ago."""
    on_that_side = Bound(Decimal(0), below=False, closed=True)
    return lambda values: Days(sign, Both(on_that_side, read(values)))


def _weekdays(values: tuple[Any, ...]) -> Check:
    numbers = [number_of(value) for value in values]
    days = {int(number) for number in numbers if number is not None and number in range(7)}
    if not numbers or not all(number in days for number in numbers):
        raise InvalidCondition(" should be a list of numbers from 0 (Sunday) to 6 (Saturday)")
    return Window((lambda local, zone: weekday(local) in days,))


def _windows(
    parse: Callable[[list[str]], Callable[[datetime, ZoneInfo], bool]], example: str
) -> Callable[[tuple[Any, ...]], Check]:
    def read(values: tuple[Any, ...]) -> Check:
        try:
            return Window(tuple(parse(text.split(";")) for text in _texts(values)))
        except (InvalidCondition, InvalidValidity, ValueError) as error:
            raise InvalidCondition(f" should be a list of texts such as {example}") from error

    return read


def _repeating(parts: list[str]) -> Callable[[datetime, ZoneInfo], bool]:
    start, interval, duration = parts
    first, each, long = _date(start, "a date"), parse_duration(interval), parse_duration(duration)

    def contains(local: datetime, zone: ZoneInfo) -> bool:
        return Validity(interval=each, duration=long, repeats_from=moment_of(first, zone)).is_open(
            local, zone
        )

    return contains


def _absolute(parts: list[str]) -> Callable[[datetime, ZoneInfo], bool]:
    start, end = (_date(part, "a date") for part in parts)
    begun, over = Bound(start, below=False, closed=True), Bound(end, below=True, closed=False)
    return lambda local, zone: Both(begun, over).passes(local, Moment(local, zone)) is True


def _daily(parts: list[str]) -> Callable[[datetime, ZoneInfo], bool]:
    start, end, *rest = parts
    days = [int(day) for day in rest[0].split(",")] if rest else range(7)
    if len(rest) > 1 or not all(day in range(7) for day in days):
        raise ValueError(parts)
    hours = DailyHours(_clock(start), _clock(end), frozenset(days))
    return lambda local, zone: hours.contains(local)


def _clock(text: str) -> time:
    if not CLOCK.fullmatch(text):
        raise ValueError(text)
    return time.fromisoformat(text)


def _presence(values: tuple[Any, ...]) -> Check:
    if not all(value in ("", "true") or value is None or value is True for value in values):
        raise InvalidCondition(" should have no value")
    return Presence()


PRESENCE = ("$has_value", "$is_unknown")
OPERATORS: dict[str, Callable[[tuple[Any, ...]], Check]] = {
    "$is": _among,
    "$is_not": lambda values: Not(_among(values)),
    "$in": _among,
    "$not_in": lambda values: Not(_among(values)),
    "$not_intersect": lambda values: Not(_among(values)),
    "$not_differ": lambda values: SameSet(_among(values)),
    "$starts_with": lambda values: Text(str.startswith, _texts(values)),
    "$ends_with": lambda values: Text(str.endswith, _texts(values)),
    "$contains": _contains,
    "$not_contain": lambda values: Not(_contains(values)),
    "$less_than": _bound(below=True, closed=False),
    "$less_than_or_equal": _bound(below=True, closed=True),
    "$more_than": _bound(below=False, closed=False),
    "$more_than_or_equal": _bound(below=False, closed=True),
    "$in_location": lambda values: InPlaces(_places(values)),
    "$count": lambda values: Count(_exactly(values)),
    "$count_more": lambda values: Count(_more(values)),
    "$count_less": lambda values: Count(_fewer(values)),
    "$after": _instant(below=False),
    "$before": _instant(below=True),
    "$more_than_ago": _days(-1, _more),
    "$less_than_ago": _days(-1, _fewer),
    "$is_days_ago": _days(-1, _exactly),
    "$more_than_future": _days(1, _more),
    "$less_than_future": _days(1, _fewer),
    "$is_days_in_future": _days(1, _exactly),
    "$dow": _weekdays,
    "$timeframe": _windows(_repeating, "2026-01-31T18:00:00Z;P1D;PT1H"),
    "$timeframe_absolute": _windows(_absolute, "2026-01-31T18:00:00Z;2026-02-28T18:00:00Z"),
    "$timeframe_daily_hours": _windows(_daily, "18:00;20:01;2,3"),
    "$has_value": _presence,
    "$is_unknown": lambda values: Not(_presence(values)),
}
# The same operators under the names that other published clients send.
OPERATORS |= {
    "$greater_than": OPERATORS["$more_than"],
    "$greater_than_or_equal": OPERATORS["$more_than_or_equal"],
    "$more_than_equal": OPERATORS["$more_than_or_equal"],
    "$less_than_equal": OPERATORS["$less_than_or_equal"],
}
