"""When something may be used: dates, repeating windows, weekdays and hours, in the project's zone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
WINDOW_KEYS = ("timeframe", "day_of_week", "hours")


class InvalidValidity(ValueError):
    """A time window that cannot be meant; the text names the property and says why."""


@dataclass(frozen=True, slots=True)
class DailyHours:
    """Open from `start` to before `end` on the weekdays given, 0 being Sunday; may pass midnight."""

    start: time
    end: time
    days: frozenset[int]

    def contains(self, local: datetime) -> bool:
        """Return whether the local time lies within; after midnight the evening's weekday counts."""
        clock, today = local.time(), weekday(local)
        if self.start <= self.end:
            return today in self.days and self.start <= clock < self.end
        return (today in self.days and clock >= self.start) or (
            (today - 1) % 7 in self.days and clock < self.end
        )


@dataclass(frozen=True, slots=True)
class Validity:
    """The dates are half-open, `starts_at <= now < expires_at`; the rest narrows them further."""

    starts_at: datetime | None = None
    expires_at: datetime | None = None
    interval: timedelta | None = None
    duration: timedelta | None = None
    repeats_from: datetime | None = None
    days: frozenset[int] = frozenset()
    hours: tuple[DailyHours, ...] = ()

    def has_started(self, now: datetime) -> bool:
        return self.starts_at is None or self.starts_at <= now

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        """Return whether the repeating windows, weekdays and hours allow this moment."""
        local = now.astimezone(zone)
        if self.hours:
            return any(hours.contains(local) for hours in self.hours)
        if self.days and weekday(local) not in self.days:
            return False
        if self.interval is None or self.duration is None or self.repeats_from is None:
            return True
        # Wall-clock time, so that a daily window keeps its hour when the clocks change.
        passed = local.replace(tzinfo=None) - self.repeats_from.astimezone(zone).replace(tzinfo=None)
        return passed >= timedelta() and passed % self.interval < self.duration


def weekday(local: date) -> int:
    """Return the weekday as the wire counts it, 0 being Sunday."""
    return local.isoweekday() % 7


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration in weeks, days, hours, minutes and seconds.

    Raises:
        InvalidValidity: anything else; months and years have no fixed length.
    """
    found = DURATION.fullmatch(text)
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number} if found else {}
    try:
        duration = timedelta(**parts)
    except OverflowError:
        duration = timedelta()
    if not duration:
        raise InvalidValidity(f" should be an ISO 8601 duration such as P7D or PT12H, and is {text!r}")
    return duration


def parse_validity(
    windows: Mapping[str, Any] | None,
    *,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
    created_at: datetime | None = None,
) -> Validity:
    """Read dates and the wire's `timeframe`, `day_of_week` and `hours`.

    Repeating windows count from the start, or from the creation where there is none.

    Raises:
        InvalidValidity: a window that cannot be meant.
    """
    windows = windows or {}
    timeframe = windows.get("timeframe") or {}
    hours = tuple(_daily_hours(row) for row in (windows.get("hours") or {}).get("daily") or ())
    return Validity(
        starts_at,
        expires_at,
        interval=_duration_of(timeframe, "interval"),
        duration=_duration_of(timeframe, "duration"),
        repeats_from=starts_at or created_at,
        days=_days(windows.get("day_of_week"), "validity_day_of_week"),
        hours=hours,
    )


def _duration_of(timeframe: Mapping[str, Any], name: str) -> timedelta | None:
    if not timeframe:
        return None
    if not isinstance(timeframe.get(name), str):
        raise InvalidValidity(f".validity_timeframe must have required property '{name}'")
    try:
        return parse_duration(timeframe[name])
    except InvalidValidity as error:
        raise InvalidValidity(f".validity_timeframe.{name}{error}") from error


def _daily_hours(row: Any) -> DailyHours:
    where = ".validity_hours.daily"
    if not isinstance(row, Mapping):
        raise InvalidValidity(f"{where} should be a list of objects")
    days = row.get("days_of_week")
    return DailyHours(
        _clock(row, "start_time"),
        _clock(row, "expiration_time"),
        _days(days, "validity_hours.daily.days_of_week") or frozenset(range(7)),
    )


def _clock(row: Mapping[str, Any], name: str) -> time:
    try:
        clock = time.fromisoformat(row[name])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidValidity(f".validity_hours.daily.{name} should be a time such as 09:30") from error
    if clock.tzinfo is not None:
        raise InvalidValidity(f".validity_hours.daily.{name} is in the project's time zone and names none")
    return clock


def _days(days: Any, name: str) -> frozenset[int]:
    if days is None:
        return frozenset()
    if not isinstance(days, list | tuple) or any(type(day) is not int or not 0 <= day <= 6 for day in days):
        raise InvalidValidity(f".{name} should be a list of numbers from 0 (Sunday) to 6 (Saturday)")
    return frozenset(days)
