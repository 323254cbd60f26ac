"""When offers may be used, in the shop's own time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from promoengine.engine.timeframes import InvalidValidity, parse_duration, parse_validity

WARSAW = ZoneInfo("Europe/Warsaw")


def at(text):
    """Return a moment in Warsaw's time."""
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW).astimezone(UTC)


def test_dates_are_half_open():
    validity = parse_validity(None, starts_at=at("2026-03-01 00:00"), expires_at=at("2026-04-01 00:00"))

    assert validity.has_started(at("2026-03-01 00:00"))
    assert not validity.has_expired(at("2026-03-31 23:59"))
    assert validity.has_expired(at("2026-04-01 00:00"))


@pytest.mark.parametrize(
    ("windows", "moment", "is_open"),
    [
        ({"day_of_week": [0]}, "2026-11-22 00:00", True),  # a Sunday begins at midnight in Warsaw
        ({"day_of_week": [0]}, "2026-11-21 23:59", False),
        ({"day_of_week": [0]}, "2026-11-23 00:00", False),
        (
            {"hours": {"daily": [{"start_time": "09:00", "expiration_time": "17:00"}]}},
            "2026-11-20 09:00",
            True,
        ),
        (
            {"hours": {"daily": [{"start_time": "09:00", "expiration_time": "17:00"}]}},
            "2026-11-20 17:00",
            False,
        ),
        (
            {"hours": {"daily": [{"start_time": "22:00", "expiration_time": "02:00", "days_of_week": [5]}]}},
            "2026-11-21 01:59",  # the night of Friday goes on into Saturday
            True,
        ),
        (
            {"hours": {"daily": [{"start_time": "22:00", "expiration_time": "02:00", "days_of_week": [5]}]}},
            "2026-11-20 01:59",
            False,
        ),
        ({"timeframe": {"interval": "P1D", "duration": "PT2H"}}, "2026-03-10 11:59", True),
        ({"timeframe": {"interval": "P1D", "duration": "PT2H"}}, "2026-03-10 12:00", False),
        (
            {"timeframe": {"interval": "P1D", "duration": "PT2H"}},
            "2026-04-10 10:30",
            True,
        ),  # after the clocks changed
        ({"timeframe": {"interval": "P7D", "duration": "P1D"}}, "2026-03-08 10:00", True),
        ({"timeframe": {"interval": "P7D", "duration": "P1D"}}, "2026-03-10 10:00", False),
    ],
)
def test_windows_are_of_the_shops_own_time(windows, moment, is_open):
    validity = parse_validity(windows, starts_at=at("2026-03-01 10:00"))

    assert validity.is_open(at(moment), WARSAW) is is_open


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P24D", timedelta(days=24)),
        ("PT1H", timedelta(hours=1)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("P2W", timedelta(weeks=2)),
        ("PT90S", timedelta(seconds=90)),
    ],
)
def test_durations_are_read(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "P", "PT", "P1M", "1D", "P-1D", "P0D", "P99999999999999D", "PT1X"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InvalidValidity):
        parse_duration(text)


@pytest.mark.parametrize(
    "windows",
    [
        {"day_of_week": [7]},
        {"day_of_week": "monday"},
        {"hours": {"daily": [{"start_time": "9 o'clock", "expiration_time": "17:00"}]}},
        {"hours": {"daily": [{"start_time": "09:00Z", "expiration_time": "17:00"}]}},
        {"hours": {"daily": [{"start_time": "09:00", "expiration_time": "17:00+02:00"}]}},
        {"hours": {"daily": ["x"]}},
        {"timeframe": {"interval": "P1D"}},
        {"timeframe": {"interval": "P1D", "duration": 5}},
    ],
)
def test_windows_that_cannot_be_meant_are_refused(windows):
    with pytest.raises(InvalidValidity):
        parse_validity(windows)
