from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from promoengine.engine.filters import InvalidFilter, parse_filter, parse_filter_condition
from promoengine.engine.operators import UNKNOWN, InvalidCondition, Moment

# A Sunday, in Warsaw already the 16th.
NOW = Moment(datetime(2026, 3, 15, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Warsaw"), week_start=1)
NEW_YEAR = Moment(datetime(2026, 12, 31, 12, tzinfo=UTC), ZoneInfo("UTC"))


def read_price(field, conditions):
    return parse_filter_condition(conditions) if field in ("price", "name") else None


def parsed(data):
    return parse_filter(data, read_price, "price, name")


@pytest.mark.parametrize(
    ("operator", "values", "value", "holds"),
    [
        ("$today", [True], "2026-03-16", True),
        ("$today", [True], "2026-03-15T23:00:00Z", True),
        ("$today", [True], "2026-03-15", False),
        ("$yesterday", [True], "2026-03-15", True),
        ("$tomorrow", [True], "2026-03-17", True),
        ("$this_week", [True], "2026-03-22", True),
        ("$this_week", [True], "2026-03-15", False),
        ("$last_week", [True], "2026-03-15", True),
        ("$next_week", [True], "2026-03-23", True),
        ("$this_month", [True], "2026-03-31", True),
        ("$this_month", [True], "2025-03-31", False),
        ("$last_month", [True], "2026-02-01", True),
        ("$next_month", [True], "2026-04-30", True),
        ("$this_year", [True], "2026-12-31", True),
        ("$last_year", [True], "2025-01-01", True),
        ("$next_year", [True], "2027-06-01", True),
        ("$today_md", [True], "1990-03-16", True),
        ("$today_md", [True], "1990-03-15", False),
        ("$this_month_md", [True], "1990-03-01", True),
        ("$next_month_md", [True], "1990-04-01", True),
        ("$next_month_md", [True], "1990-03-01", False),
        ("$this_week_md", [True], "1990-03-20", True),
        ("$is_day_of_month", [16], "1990-05-16", True),
        ("$is_month", [5], "1990-05-16", True),
        ("$is_year", [1990], "1991-05-16", False),
        ("$is_years_ago", [36], "1990-05-16", True),
        ("$is_days_ago_md", [3], "1990-03-13", True),
        ("$is_days_in_future_md", ["3"], "1990-03-19", True),
        ("$is_less_days_in_future_md", [7], "1990-03-22", True),
        ("$is_less_days_in_future_md", [7], "1990-03-23", False),
        ("$is_more_days_in_future_md", [7], "1990-03-23", False),
        ("$is_more_days_in_future_md", [7], "1990-03-24", True),
        ("$is_less_days_ago_md", [7], "1990-03-10", True),
        ("$is_more_days_ago_md", [7], "1990-03-10", False),
        ("$today_md", [True], "some day", UNKNOWN),
        ("$today", [True], None, UNKNOWN),
        ("$is_more_days_ago_md", [7], None, UNKNOWN),
    ],
)
def test_calendar_operators(operator, values, value, holds):
    assert parse_filter_condition({operator: values}).holds(value, NOW) is holds


@pytest.mark.parametrize(
    ("operator", "value"),
    [("$next_month_md", "1990-01-31"), ("$tomorrow_md", "1990-01-01"), ("$this_month_md", "1990-12-01")],
)
def test_anniversaries_pass_the_end_of_the_year(operator, value):
    assert parse_filter_condition({operator: [True]}).holds(value, NEW_YEAR) is True


def test_a_leap_day_has_its_anniversary_in_march():
    first_of_march = Moment(datetime(2027, 3, 1, 12, tzinfo=UTC), ZoneInfo("UTC"))

    assert parse_filter_condition({"$today_md": [True]}).holds("2000-02-29", first_of_march) is True


@pytest.mark.parametrize(
    "conditions",
    [
        {"$today": ["yes"]},
        {"$is_month": [13]},
        {"$is_month": [1, 2]},
        {"$is_days_ago_md": [-1]},
        {"$never": [1]},
    ],
)
def test_conditions_that_cannot_be_meant(conditions):
    with pytest.raises(InvalidCondition):
        parse_filter_condition(conditions)


@pytest.mark.parametrize(
    ("junction", "price", "name", "matches"),
    [
        ({"junction": "and"}, 5, "a", True),
        ({"junction": "AND"}, 5, "b", False),
        ({"junction": "or"}, 5, "b", True),
        ({}, 5, "b", False),
        ({"junction": "and"}, None, "a", False),
        ({"junction": "or"}, None, None, False),
    ],
)
def test_conditions_are_joined(junction, price, name, matches):
    asked = parsed(
        junction | {"price": {"conditions": {"$less_than": [6]}}, "name": {"conditions": {"$is": "a"}}}
    )

    assert asked.matches({"price": price, "name": name}.get, NOW) is matches


def test_a_filter_without_conditions_matches_everything():
    assert parsed({"junction": "or"}).matches({}.get, NOW) is True


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"junction": "xor"}, " has wrong `junction` property. It must be one of: and, or"),
        ({"age": {"conditions": {}}}, ".age should be one of price, name"),
        ({"price": {}}, ".price should have required property 'conditions'"),
        ({"price": {"conditions": {"$never": [1]}}}, ".price.conditions.$never is not a known operator"),
    ],
)
def test_filters_that_cannot_be_meant(data, message):
    with pytest.raises(InvalidFilter) as refused:
        parsed(data)

    assert str(refused.value) == message
