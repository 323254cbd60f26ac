"""Operators on dates that only filters have: periods of the calendar, and anniversaries.

An operator that ends in `_md` looks at month and day alone, as a birthday does: each year has one of it, that
of 29 February being 1 March where there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from promoengine.engine.checks import UNKNOWN, Check, Moment, Not, Truth
from promoengine.engine.operators import InvalidCondition
from promoengine.engine.timeframes import weekday
from promoengine.engine.values import date_of, moment_of, number_of

ANNUAL = "_md"
DISTANCE_MAX = 100_000

# Whether a day lies in a period, seen from today, in weeks that begin on a weekday (0 is Sunday).
Holds = Callable[[date, date, int], bool]


@dataclass(frozen=True, slots=True)
class OnCalendar(Check):
    """The local day of a date has something to do with today; for `annual` ones, one of its anniversaries."""

    is_near: Holds
    annual: bool = False

    def passes(self, element: Any, at: Moment) -> Truth:
        day = local_day(element, at)
        if day is None:
            return UNKNOWN
        today = at.now.astimezone(at.zone).date()
        if not self.annual:
            return self.is_near(day, today, at.week_start)
        years = (today.year - 1, today.year, today.year + 1)
        return any(self.is_near(in_year(day, year), today, at.week_start) for year in years)


def local_day(value: Any, at: Moment) -> date | None:
    """Return the day in the project's zone that a date or date-time falls on, None for anything else."""
    found = date_of(value)
    moment = None if found is None else moment_of(found, at.zone)
    return None if moment is None else moment.astimezone(at.zone).date()


def in_year(day: date, year: int) -> date:
    """Return the anniversary of a day in a year."""
    if (day.month, day.day) == (2, 29):
        return date(year, 2, 28) + timedelta(days=1)
    return day.replace(year=year)


def days_off(offset: int) -> Holds:
    """Return whether it is so many days from today."""
    return lambda day, today, start: (day - today).days == offset


def weeks_off(offset: int) -> Holds:
    """Return whether it is in the week so many weeks from this one."""
    return lambda day, today, start: (_week(day, start) - _week(today, start)).days == 7 * offset


def months_off(offset: int) -> Holds:
    """Return whether it is in the month so many months from this one."""
    return lambda day, today, start: (day.year - today.year) * 12 + day.month - today.month == offset


def years_off(offset: int) -> Holds:
    """Return whether it is in the year so many years from this one."""
    return lambda day, today, start: day.year - today.year == offset


def fewer_days_off(sign: int, most: int) -> Holds:
    """Return whether it is less than so many days away, in the past for a `sign` of -1; today is 0 days."""
    return lambda day, today, start: 0 <= sign * (day - today).days < most


def _week(day: date, start: int) -> date:
    return day - timedelta(days=(weekday(day) - start) % 7)


def _period(is_near: Holds, annual: bool) -> Callable[[tuple[Any, ...]], Check]:
    def read(values: tuple[Any, ...]) -> Check:
        if not all(value in ("", "true") or value is None or value is True for value in values):
            raise InvalidCondition(" should have no value but true")
        return OnCalendar(is_near, annual)

    return read


def _number(values: tuple[Any, ...], lowest: int, highest: int) -> int:
    number = number_of(values[0]) if len(values) == 1 else None
    if number is None or number % 1 or not lowest <= number <= highest:
        raise InvalidCondition(f" should have one value, a whole number from {lowest} to {highest}")
    return int(number)


def _distance(near: Callable[[int], Holds], *, annual: bool) -> Callable[[tuple[Any, ...]], Check]:
    return lambda values: OnCalendar(near(_number(values, 0, DISTANCE_MAX)), annual)


def _farther(sign: int) -> Callable[[tuple[Any, ...]], Check]:
    """Ask for an anniversary that is more than so many days away: none is as near."""
    return lambda values: Not(OnCalendar(fewer_days_off(sign, _number(values, 0, DISTANCE_MAX) + 1), True))


def _part(read: Callable[[date], int], lowest: int, highest: int) -> Callable[[tuple[Any, ...]], Check]:
    def check(values: tuple[Any, ...]) -> Check:
        wanted = _number(values, lowest, highest)
        return OnCalendar(lambda day, today, start: read(day) == wanted)

    return check


PERIODS = {
    "$today": days_off(0),
    "$tomorrow": days_off(1),
    "$yesterday": days_off(-1),
    "$this_week": weeks_off(0),
    "$last_week": weeks_off(-1),
    "$next_week": weeks_off(1),
    "$this_month": months_off(0),
    "$last_month": months_off(-1),
    "$next_month": months_off(1),
}
YEARS = {"$this_year": years_off(0), "$last_year": years_off(-1), "$next_year": years_off(1)}
CALENDAR: dict[str, Callable[[tuple[Any, ...]], Check]] = {
    **{name: _period(near, annual=False) for name, near in (PERIODS | YEARS).items()},
    **{f"{name}{ANNUAL}": _period(near, annual=True) for name, near in PERIODS.items()},
    "$is_day_of_month": _part(lambda day: day.day, 1, 31),
    "$is_month": _part(lambda day: day.month, 1, 12),
    "$is_year": _part(lambda day: day.year, 1, 9999),
    "$is_years_ago": _distance(lambda years: years_off(-years), annual=False),
    "$is_days_ago_md": _distance(lambda days: days_off(-days), annual=True),
    "$is_more_days_ago_md": _farther(-1),
    "$is_less_days_ago_md": _distance(lambda days: fewer_days_off(-1, days), annual=True),
    "$is_days_in_future_md": _distance(days_off, annual=True),
    "$is_more_days_in_future_md": _farther(1),
    "$is_less_days_in_future_md": _distance(lambda days: fewer_days_off(1, days), annual=True),
}
