"""What a single operator asks of a value: the answer is true, false or UNKNOWN."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from itertools import chain
from math import ceil, floor
from typing import Any
from zoneinfo import ZoneInfo

from promoengine.engine.places import Shape, parse_point
from promoengine.engine.values import Scalar, date_of, moment_of, number_of, scalar_of

EXACT = Context(prec=1000, traps=[Inexact, InvalidOperation, Overflow])


class Unknown(enum.Enum):
    """Neither true nor false; counts as false where only two answers are possible."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        return False


UNKNOWN = Unknown.UNKNOWN
Truth = bool | Unknown


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is asked: `now` in UTC, the project's zone, and the first day of its week, 0 being Sunday."""

    now: datetime
    zone: ZoneInfo
    week_start: int = 1


# Counters and gaps are plain numbers, to which the time makes no difference.
ANY_TIME = Moment(datetime(2000, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))


def negation(truth: Truth) -> Truth:
    """Return the opposite; that of UNKNOWN is UNKNOWN."""
    return truth if isinstance(truth, Unknown) else not truth


def conjunction(truths: Iterable[Truth]) -> Truth:
    """Return whether all hold: one that is false decides, then one that is unknown (Kleene's logic)."""
    known: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is UNKNOWN:
            known = UNKNOWN
    return known


class Check:
    """What one operator asks; of a list, whether any element passes."""

    __slots__ = ()

    def holds(self, actual: Any, at: Moment) -> Truth:
        """Return the answer for a value that is there."""
        if not is_list(actual):
            return self.passes(actual, at)
        return negation(conjunction(negation(self.passes(element, at)) for element in actual))

    def passes(self, element: Any, at: Moment) -> Truth:
        """Return the answer for one element."""
        raise NotImplementedError

    def steps(self, number: Decimal) -> Iterable[Decimal]:
        """Return amounts which, added to `number`, may make this hold."""
        return ()

    def cuts(self) -> Iterable[int]:
        """Return the integers at which, seen from the one before, the answer may change."""
        return ()


@dataclass(frozen=True, slots=True)
class Among(Check):
    """The value is one of these; dates apart, because they depend on the zone."""

    plain: frozenset[Scalar]
    dates: tuple[date, ...]

    @classmethod
    def of(cls, scalars: Iterable[Scalar | None]) -> "Among":
        known = [scalar for scalar in scalars if scalar is not None]
        return cls(
            frozenset(scalar for scalar in known if not isinstance(scalar, date)),
            tuple(scalar for scalar in known if isinstance(scalar, date)),
        )

    def passes(self, element: Any, at: Moment) -> bool:
        scalar = scalar_of(element)
        if not isinstance(scalar, date):
            return scalar in self.plain
        moment = moment_of(scalar, at.zone)
        return scalar in self.dates or (
            moment is not None and any(moment_of(day, at.zone) == moment for day in self.dates)
        )

    def steps(self, number: Decimal) -> Iterable[Decimal]:
        return [EXACT.subtract(value, number) for value in self.plain if isinstance(value, Decimal)]

    def cuts(self) -> Iterable[int]:
        numbers = [value for value in self.plain if isinstance(value, Decimal)]
        return chain.from_iterable((ceil(value), floor(value) + 1) for value in numbers)


@dataclass(frozen=True, slots=True)
class SameSet(Check):
    """The elements, order and repetition aside, are exactly these."""

    values: Among

    def holds(self, actual: Any, at: Moment) -> bool:
        elements = actual if is_list(actual) else [actual]
        own = Among.of(scalar_of(element) for element in elements)
        return all(self.values.passes(element, at) for element in elements) and all(
            own.passes(value, at) for value in chain(self.values.plain, self.values.dates)
        )

    def steps(self, number: Decimal) -> Iterable[Decimal]:
        return self.values.steps(number)

    def cuts(self) -> Iterable[int]:
        return self.values.cuts()


@dataclass(frozen=True, slots=True)
class Bound(Check):
    """The value lies above the limit, or `below` it; `closed` includes the limit itself."""

    limit: Decimal | date
    below: bool
    closed: bool

    def passes(self, element: Any, at: Moment) -> Truth:
        if isinstance(self.limit, Decimal):
            number = number_of(element)
            return UNKNOWN if number is None else self._within(number, self.limit)
        moment, limit = _local(element, at), moment_of(self.limit, at.zone)
        return UNKNOWN if moment is None or limit is None else self._within(moment.astimezone(UTC), limit)

    def _within(self, value: Any, limit: Any) -> bool:
        if value == limit:
            return self.closed
        return bool((value < limit) is self.below)

    def steps(self, number: Decimal) -> Iterable[Decimal]:
        if not isinstance(self.limit, Decimal):
            return []
        step = EXACT.subtract(self.limit, number)
        if not self.closed:
            # one unit of the finest place in use: 1 for integers, 0.01 for 4.99
            unit = Decimal(1).scaleb(min(0, _places(number), _places(self.limit)))
            step = EXACT.subtract(step, unit) if self.below else EXACT.add(step, unit)
        return [step]

    def cuts(self) -> Iterable[int]:
        if not isinstance(self.limit, Decimal):
            return []
        return [ceil(self.limit) if self.below is not self.closed else floor(self.limit) + 1]


@dataclass(frozen=True, slots=True)
class Text(Check):
    """The text begins or ends with one of these."""

    matches: Callable[[str, tuple[str, ...]], bool]
    parts: tuple[str, ...]

    def passes(self, element: Any, at: Moment) -> Truth:
        return self.matches(element, self.parts) if isinstance(element, str) else UNKNOWN


@dataclass(frozen=True, slots=True)
class Contains(Check):
    """The text has one of these in it; a list has it as an element, or in one of its texts."""

    parts: tuple[str, ...]
    values: Among

    def holds(self, actual: Any, at: Moment) -> Truth:
        if not is_list(actual):
            return self.passes(actual, at)
        return any(self.values.passes(element, at) or bool(self.passes(element, at)) for element in actual)

    def passes(self, element: Any, at: Moment) -> Truth:
        return any(part in element for part in self.parts) if isinstance(element, str) else UNKNOWN


@dataclass(frozen=True, slots=True)
class InPlaces(Check):
    """The point, or one of a list of points, lies in one of these areas."""

    shapes: tuple[Shape, ...]

    def passes(self, element: Any, at: Moment) -> Truth:
        point = parse_point(element)
        return UNKNOWN if point is None else any(shape.has(point) for shape in self.shapes)


@dataclass(frozen=True, slots=True)
class Count(Check):
    """The number of elements passes; what is no list counts as one."""

    of: Check

    def holds(self, actual: Any, at: Moment) -> Truth:
        return self.of.passes(len(actual) if is_list(actual) else 1, at)


@dataclass(frozen=True, slots=True)
class Days(Check):
    """The number of calendar days between today and the date passes; `sign` is -1 for dates in the past."""

    sign: int
    of: Check

    def passes(self, element: Any, at: Moment) -> Truth:
        local = _local(element, at)
        if local is None:
            return UNKNOWN
        return self.of.passes(self.sign * (local.date() - at.now.astimezone(at.zone).date()).days, at)


@dataclass(frozen=True, slots=True)
class Both(Check):
    """Two checks on the same value."""

    first: Check
    second: Check

    def passes(self, element: Any, at: Moment) -> Truth:
        return conjunction([self.first.passes(element, at), self.second.passes(element, at)])


@dataclass(frozen=True, slots=True)
class Window(Check):
    """The moment, as local time, lies in one of these windows."""

    windows: tuple[Callable[[datetime, ZoneInfo], bool], ...]

    def passes(self, element: Any, at: Moment) -> Truth:
        local = _local(element, at)
        return UNKNOWN if local is None else any(contains(local, at.zone) for contains in self.windows)


@dataclass(frozen=True, slots=True)
class Presence(Check):
    """There is a value at all."""

    def holds(self, actual: Any, at: Moment) -> bool:
        return actual is not None and actual is not UNKNOWN


@dataclass(frozen=True, slots=True)
class Not(Check):
    """The opposite; of a list, that no element passes."""

    of: Check

    def holds(self, actual: Any, at: Moment) -> Truth:
        return negation(self.of.holds(actual, at))

    def cuts(self) -> Iterable[int]:
        return self.of.cuts()


def is_list(value: Any) -> bool:
    """Return whether a value has elements of its own."""
    return isinstance(value, list | tuple | set | frozenset)


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _local(value: Any, at: Moment) -> datetime | None:
    found = date_of(value)
    moment = None if found is None else moment_of(found, at.zone)
    return None if moment is None else moment.astimezone(at.zone)
