"""The functions, comparisons and arithmetic of formulas, registered under the names they are written with."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Any

from promoengine.engine.expressions import Node, Scope, Value, function, lazy, numeric
from promoengine.engine.values import date_of, moment_of, number_of, scalar_of

# Far beyond money; larger results overflow, so that no power takes long.
ARITHMETIC = Context(prec=50, Emax=400, Emin=-400, traps=[DivisionByZero, InvalidOperation, Overflow])
PRECISION_MAX = 30


for symbol, operation in {
    "+": ARITHMETIC.add,
    "-": ARITHMETIC.subtract,
    "*": ARITHMETIC.multiply,
    "/": ARITHMETIC.divide,
    "%": ARITHMETIC.remainder,
    "POW": ARITHMETIC.power,
}.items():
    numeric(symbol, 2, 2)(operation)
numeric("negative", 1, 1)(ARITHMETIC.minus)
numeric("ABS", 1, 1)(ARITHMETIC.abs)


def _rounding(name: str, mode: str) -> None:
    @numeric(name, 1, 2)
    def rounded(number: Decimal, precision: Decimal = Decimal(0)) -> Value | None:
        if precision != precision.to_integral_value() or abs(precision) > PRECISION_MAX:
            return None
        context = ARITHMETIC.copy()
        context.rounding = mode
        # zero is added for 80 instead of 8E+1
        return context.add(context.quantize(number, Decimal(1).scaleb(-int(precision))), Decimal(0))


_rounding("ROUND", ROUND_HALF_UP)
_rounding("FLOOR", ROUND_FLOOR)
_rounding("CEIL", ROUND_CEILING)


@function("MIN", 1)
def lowest(scope: Scope, *values: Value) -> Value | None:
    """Return the lowest number, those of arrays included."""
    numbers = _numbers(values)
    return min(numbers) if numbers else None


@function("MAX", 1)
def highest(scope: Scope, *values: Value) -> Value | None:
    """Return the highest number, those of arrays included."""
    numbers = _numbers(values)
    return max(numbers) if numbers else None


def _numbers(values: tuple[Value, ...]) -> list[Decimal]:
    """Return all as numbers, or nothing where one of them is none."""
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    numbers = [number for each in flat if (number := number_of(each)) is not None]
    return numbers if len(numbers) == len(flat) else []


@lazy("IF", 3, 3)
def choose(scope: Scope, arguments: tuple[Node, ...]) -> Value | None:
    """Return the second where the first is true, the third where it is false; the other is not looked at."""
    truth = truth_of(arguments[0].evaluate(scope))
    return None if truth is None else arguments[1 if truth else 2].evaluate(scope)


@lazy("SWITCH", 4)
def switch(scope: Scope, arguments: tuple[Node, ...]) -> Value | None:
    """Return the value beside the first case equal to the subject, else the last argument."""
    subject, *cases, default = arguments
    given = subject.evaluate(scope)
    if given is None:
        return None
    for case, result in zip(cases[::2], cases[1::2], strict=True):
        expected = case.evaluate(scope)
        if expected is not None and is_equal(scope, given, expected):
            return result.evaluate(scope)
    return default.evaluate(scope)


@lazy("DEFAULT_TO", 1)
def first_computable(scope: Scope, arguments: tuple[Node, ...]) -> Value | None:
    """Return the first value that can be computed."""
    values = (argument.evaluate(scope) for argument in arguments)
    return next((value for value in values if value is not None), None)


@lazy("AND", 1)
def all_of(scope: Scope, arguments: tuple[Node, ...]) -> Value | None:
    """Return whether all are true; one that is false decides even where another is missing."""
    return _decided_by(False, scope, arguments)


@lazy("OR", 1)
def any_of(scope: Scope, arguments: tuple[Node, ...]) -> Value | None:
    """Return whether one is true; it decides even where another is missing."""
    return _decided_by(True, scope, arguments)


def _decided_by(decisive: bool, scope: Scope, arguments: tuple[Node, ...]) -> bool | None:
    otherwise: bool | None = not decisive
    for argument in arguments:
        truth = truth_of(argument.evaluate(scope))
        if truth is decisive:
            return truth
        if truth is None:
            otherwise = None
    return otherwise


@function("NOT", 1, 1)
def opposite(scope: Scope, value: Value) -> Value | None:
    """Return the opposite of a condition."""
    truth = truth_of(value)
    return None if truth is None else not truth


def truth_of(value: Value | None) -> bool | None:
    """Return a boolean, or a text that spells one; numbers are neither true nor false."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def is_equal(scope: Scope, left: Value, right: Value) -> bool | None:
    """Return whether two values mean the same; None for an array beside a single value."""
    pair = _pair(scope, left, right)
    if pair is not None:
        return bool(pair[0] == pair[1])
    if isinstance(left, tuple) is not isinstance(right, tuple):
        return None
    return left == right if isinstance(left, tuple) else scalar_of(left) == scalar_of(right)


def _pair(scope: Scope, left: Value, right: Value) -> tuple[Any, Any] | None:
    """Return two numbers or two dates, ready to compare; beside a bare date no time of day counts."""
    numbers = number_of(left), number_of(right)
    if None not in numbers:
        return numbers
    dates = date_of(left), date_of(right)
    if all(isinstance(found, datetime) for found in dates):
        pair: tuple[Any, Any] = _moment(scope, dates[0]), _moment(scope, dates[1])
    else:
        pair = _day(scope, left), _day(scope, right)
    return None if None in pair else pair


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


for same in ("=", "IS", "DATE_IS"):
    function(same, 2, 2)(is_equal)
for differs in ("!=", "IS_NOT", "DATE_IS_NOT"):
    function(differs, 2, 2)(lambda scope, left, right: _not(is_equal(scope, left, right)))


def _ordering(name: str, holds: Callable[[Any, Any], bool]) -> None:
    @function(name, 2, 2)
    def ordered(scope: Scope, left: Value, right: Value) -> Value | None:
        pair = _pair(scope, left, right)
        return None if pair is None else holds(*pair)


for more in (">", "IS_AFTER"):
    _ordering(more, lambda left, right: bool(left > right))
for less in ("<", "IS_BEFORE"):
    _ordering(less, lambda left, right: bool(left < right))
_ordering(">=", lambda left, right: bool(left >= right))
_ordering("<=", lambda left, right: bool(left <= right))


@function("CONTAINS", 2, 2)
def contains(scope: Scope, left: Value, right: Value) -> Value | None:
    """Return whether an array has the value, or a text has it in it."""
    if isinstance(left, tuple):
        return any(is_equal(scope, element, right) for element in left)
    return right in left if isinstance(left, str) and isinstance(right, str) else None


@function("STARTS_WITH", 2, 2)
def starts_with(scope: Scope, left: Value, right: Value) -> Value | None:
    """Return whether a text starts with another."""
    return left.startswith(right) if isinstance(left, str) and isinstance(right, str) else None


@function("ENDS_WITH", 2, 2)
def ends_with(scope: Scope, left: Value, right: Value) -> Value | None:
    """Return whether a text ends with another."""
    return left.endswith(right) if isinstance(left, str) and isinstance(right, str) else None


@function("IN_ARRAY", 2)
def in_array(scope: Scope, value: Value, *offered: Value) -> bool:
    """Return whether the value, or one of an array's, is among those given: apart, or as "EU,EMEA"."""
    asked = value if isinstance(value, tuple) else (value,)
    known = [each for values in offered for each in _spelled(values)]
    return any(is_equal(scope, one, other) for one in asked for other in known)


def _spelled(values: Value) -> tuple[Value, ...]:
    if isinstance(values, tuple):
        return values
    if isinstance(values, str):
        return (values, *(part.strip() for part in values.split(",")))
    return (values,)


@function("NOT_IN_ARRAY", 2)
def not_in_array(scope: Scope, value: Value, *offered: Value) -> Value | None:
    """Return whether the value is not among those given."""
    return not in_array(scope, value, *offered)


@function("TODAY", 0, 0)
def today(scope: Scope) -> Value | None:
    """Return the date where the project is."""
    return scope.now.astimezone(scope.zone).date()


@function("NOW", 0, 0)
def now(scope: Scope) -> Value | None:
    """Return the moment."""
    return scope.now


@function("DATE", 1, 1)
def as_date(scope: Scope, value: Value) -> Value | None:
    """Return a date-time's day where the project is, or the date that a text spells."""
    return _day(scope, value)


@function("DATE_TIME", 1, 1)
def as_moment(scope: Scope, value: Value) -> Value | None:
    """Return the moment that a text spells; a bare date is midnight where the project is."""
    return _moment(scope, date_of(value))


def _moment(scope: Scope, found: date | None) -> datetime | None:
    return None if found is None else moment_of(found, scope.zone)


def _day(scope: Scope, value: Value) -> date | None:
    found = date_of(value)
    if not isinstance(found, datetime):
        return found
    moment = moment_of(found, scope.zone)
    return None if moment is None else moment.astimezone(scope.zone).date()


def _of_date(name: str, number: Callable[[date, date], int]) -> None:
    """Register a function of one date and today."""

    @function(name, 1, 1)
    def computed(scope: Scope, value: Value) -> Value | None:
        day = _day(scope, value)
        return None if day is None else Decimal(number(day, scope.now.astimezone(scope.zone).date()))


def whole_months(start: date, end: date) -> int:
    """Return the months completed from `start` to `end`, negative where `end` comes first."""
    if end < start:
        return -whole_months(end, start)
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def whole_years(start: date, end: date) -> int:
    """Return the years completed from `start` to `end`, as in ages; negative where `end` comes first."""
    months = whole_months(start, end)
    return months // 12 if months >= 0 else -(-months // 12)


_of_date("DAY_OF_MONTH", lambda day, today: day.day)
_of_date("MONTH", lambda day, today: day.month)
_of_date("YEAR", lambda day, today: day.year)
_of_date("DAYS_SINCE", lambda day, today: (today - day).days)
_of_date("MONTHS_SINCE", whole_months)
_of_date("YEARS_SINCE", whole_years)
_of_date("DAYS_UNTIL", lambda day, today: (day - today).days)
_of_date("MONTHS_UNTIL", lambda day, today: whole_months(today, day))
_of_date("YEARS_UNTIL", lambda day, today: whole_years(today, day))
