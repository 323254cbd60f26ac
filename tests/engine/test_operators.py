"""The published operators on every type of value, missing and wrong ones included."""

import contextlib
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.engine.operators import UNKNOWN, InvalidCondition, Moment, parse_condition

WARSAW = ZoneInfo("Europe/Warsaw")
# Half past midnight in Warsaw on Saturday, 21 November 2026; in UTC it is Friday still.
NOW = Moment(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), WARSAW)

EXAMPLES = {
    "$is": ["a"],
    "$is_not": ["a"],
    "$in": ["a", 1, "2026-11-21"],
    "$not_in": ["a", 1, "2026-11-21T10:00:00Z"],
    "$not_intersect": ["a", 2.5],
    "$not_differ": ["a", True],
    "$starts_with": ["a"],
    "$ends_with": ["a"],
    "$contains": ["a"],
    "$not_contain": ["a", 5],
    "$less_than": [5],
    "$less_than_or_equal": ["5"],
    "$less_than_equal": [5],
    "$more_than": ["2026-11-21"],
    "$more_than_or_equal": [5.5],
    "$more_than_equal": [5],
    "$greater_than": [5],
    "$greater_than_or_equal": [5],
    "$count": [1],
    "$count_more": [1],
    "$count_less": [1],
    "$after": ["2026-11-21"],
    "$before": ["2026-11-21T10:00:00"],
    "$more_than_ago": [3],
    "$less_than_ago": [3],
    "$is_days_ago": [3],
    "$more_than_future": [3],
    "$less_than_future": [3],
    "$is_days_in_future": [3],
    "$dow": [0, 6],
    "$timeframe": ["2026-01-31T18:00:00Z;P1D;PT1H"],
    "$timeframe_absolute": ["2026-01-31;2026-12-31T18:00:00Z"],
    "$timeframe_daily_hours": ["22:00;02:00;5"],
    "$has_value": [],
    "$is_unknown": [],
}


def holds(operator, values, actual):
    return parse_condition({operator: values}).holds(actual, NOW)


@pytest.mark.parametrize(
    ("values", "actual", "answer"),
    [
        (["vip"], "vip", True),
        (["vip"], "VIP", False),
        ("vip", "vip", True),  # a bare value counts as a list of one
        (["żółw 🐢"], "żółw 🐢", True),
        ([1], 1, True),
        ([1], 1.0, True),
        ([1], "1", True),
        (["1"], 1, True),
        (["1.50"], 1.5, True),
        ([0.1], "0.1", True),
        (["007"], 7, False),  # a leading zero makes it a code
        (["01234"], "1234", False),
        ([1], True, False),
        ([True], True, True),
        ([True], "true", True),
        (["true"], True, True),
        ([False], 0, False),
        ([False], "", False),
        (["2026-11-21"], "2026-11-21", True),
        (["2026-11-21"], "2026-11-20T23:00:00Z", True),  # a bare date is midnight in Warsaw
        (["2026-11-21"], "2026-11-21T00:00:00Z", False),
        (["2026-11-21T10:00:00Z"], "2026-11-21T11:00:00+01:00", True),
        (["2026-11-21T10:00:00"], "2026-11-21T09:00:00.000Z", True),
        (["2026-11-21"], date(2026, 11, 21), True),
        (["2026-11-20T23:00:00Z"], datetime(2026, 11, 20, 23, tzinfo=UTC), True),
        (["2026-02-30"], "2026-02-30", True),  # no date, so a text
        (["0001-01-01"], "0001-01-01", True),
        (["a"], ["b", "a"], True),
        (["a"], ["b", "c"], False),
        (["a"], [], False),
        (["a"], {"deep": ["a"]}, False),
        (["a"], [["a"]], False),
        ([{"id": "prod_1"}], "prod_1", True),
        ([{"id": "prod_1"}], {"id": "prod_1", "object": "product"}, True),
        ([5], math.nan, False),
        ([5], math.inf, False),
        ([5], 10**4000, False),
    ],
)
def test_equality_is_by_what_a_value_means(values, actual, answer):
    assert [holds(operator, values, actual) for operator in ("$is", "$in")] == [answer, answer]
    assert [holds(operator, values, actual) for operator in ("$is_not", "$not_in", "$not_intersect")] == [
        not answer
    ] * 3


@pytest.mark.parametrize(
    ("operator", "values", "actual", "answer"),
    [
        ("$in", ["a", "b"], "b", True),
        ("$in", ["a", 5], "5", True),
        ("$in", ["a", "b"], ["c", "b"], True),
        ("$not_in", ["a", "b"], ["c", "b"], False),
        ("$not_in", ["a", "b"], [], True),
        ("$not_intersect", ["a", "b"], ["c", "d"], True),
        ("$not_intersect", ["a", "b"], ["c", "a"], False),
        ("$not_differ", ["a", "b"], ["b", "a", "a"], True),
        ("$not_differ", ["a", "b"], ["a"], False),
        ("$not_differ", ["a"], ["a", "b"], False),
        ("$not_differ", ["a"], ["a", None], False),
        ("$not_differ", [1, "2026-11-21"], ["1", "2026-11-20T23:00:00Z"], True),
        ("$not_differ", ["a"], "a", True),
        ("$not_differ", ["a"], [], False),
        ("$starts_with", ["pre", "ab"], "abc", True),
        ("$starts_with", ["b"], "abc", False),
        ("$starts_with", ["b"], ["abc", "bcd"], True),
        ("$starts_with", ["1"], 12, UNKNOWN),
        ("$starts_with", ["b"], ["abc", 5], UNKNOWN),
        ("$starts_with", ["b"], [], False),
        ("$ends_with", ["c"], "abc", True),
        ("$ends_with", ["🐢"], "żółw 🐢", True),
        ("$ends_with", ["t"], True, UNKNOWN),
        ("$contains", ["b"], "abc", True),
        ("$contains", ["ة"], "مرحبا بك في القاهرة", True),
        ("$contains", ["x"], "abc", False),
        ("$contains", ["b"], ["abc", "x"], True),
        ("$contains", [5], ["5", 6], True),
        ("$contains", [5], [55], False),
        ("$contains", ["5"], 55, UNKNOWN),
        ("$not_contain", ["b"], "abc", False),
        ("$not_contain", ["x"], "abc", True),
        ("$not_contain", ["b"], ["abc", "x"], False),
        ("$not_contain", ["z"], ["abc", 5, None], True),
        ("$not_contain", ["5"], 55, UNKNOWN),
    ],
)
def test_texts_and_lists(operator, values, actual, answer):
    assert holds(operator, values, actual) is answer


@pytest.mark.parametrize(
    ("operator", "values", "actual", "answer"),
    [
        ("$less_than", [5], 4.99, True),
        ("$less_than", [5], 5, False),
        ("$less_than_or_equal", [5], "5.0", True),
        ("$less_than_equal", [5], 5.01, False),
        ("$more_than", [5], "10", True),  # as numbers, not as texts
        ("$more_than", [0.3], 0.1 + 0.2, True),
        ("$more_than", [5], 5, False),
        ("$greater_than", [5], 6, True),
        ("$more_than_or_equal", ["5"], 5, True),
        ("$more_than_equal", [5], 4, False),
        ("$greater_than_or_equal", [5], Decimal("5.0"), True),
        ("$more_than", [5], -(10**300), False),
        ("$more_than", [5], 10**4000, UNKNOWN),
        ("$more_than", [5], "abc", UNKNOWN),
        ("$more_than", [5], "", UNKNOWN),
        ("$more_than", [0], True, UNKNOWN),
        ("$more_than", [5], math.nan, UNKNOWN),
        ("$more_than", [5], {"amount": 6}, UNKNOWN),
        ("$more_than", [5], "2026-11-21", UNKNOWN),
        ("$more_than", [5], [1, 6], True),
        ("$more_than", [5], [1, 2], False),
        ("$more_than", [5], [1, "abc"], UNKNOWN),
        ("$more_than", [5], ["abc", 6], True),
        ("$more_than", ["2026-11-21"], "2026-11-20T23:00:01Z", True),
        ("$less_than", ["2026-11-21"], "2026-11-20T23:00:00Z", False),
        ("$less_than_or_equal", ["2026-11-21"], "2026-11-20T23:00:00Z", True),
        ("$less_than", ["2026-11-21"], 5, UNKNOWN),
        ("$after", ["2026-11-21"], "2026-11-21", False),
        ("$after", ["2026-11-21"], "2026-11-21T00:00:01", True),
        ("$before", ["2026-11-21T00:00:00Z"], "2026-11-21", True),
        ("$before", ["2026-11-21"], "2026-11-21T00:00:00Z", False),
        ("$before", ["2026-11-21"], "yesterday", UNKNOWN),
        ("$before", ["2026-11-21"], "0001-01-01", UNKNOWN),
        ("$after", ["2026-11-21"], ["2026-01-01", "2026-12-01"], True),
        ("$count", [2], ["a", "b"], True),
        ("$count", [2], ["a"], False),
        ("$count", [1], "a", True),
        ("$count", [1], {"a": 1, "b": 2}, True),
        ("$count", [0], [], True),
        ("$count_more", [1], ["a", "b"], True),
        ("$count_more", [2], ["a", "b"], False),
        ("$count_less", ["3"], ["a", "b"], True),
        ("$count_less", [1], 5, False),
    ],
)
def test_order_and_number(operator, values, actual, answer):
    assert holds(operator, values, actual) is answer


@pytest.mark.parametrize(
    ("operator", "days", "actual", "answer"),
    [
        ("$is_days_ago", 0, "2026-11-21", True),
        ("$is_days_ago", 0, "2026-11-20T22:59:00Z", False),  # a minute before Warsaw's midnight
        ("$is_days_ago", 1, "2026-11-20T22:59:00Z", True),
        ("$is_days_ago", 3, "2026-11-18T23:59:59", True),
        ("$is_days_ago", 27, "2026-10-25T01:30:00Z", True),  # the day the clocks changed has 25 hours
        ("$more_than_ago", 3, "2026-11-17", True),
        ("$more_than_ago", 3, "2026-11-18", False),
        ("$less_than_ago", 3, "2026-11-19", True),
        ("$less_than_ago", 3, "2026-11-18", False),
        ("$less_than_ago", 3, "2026-11-22", False),  # what is to come is not ago
        ("$is_days_in_future", 1, "2026-11-22T23:59:00", True),
        ("$is_days_in_future", 1, "2026-11-22T23:59:00Z", False),
        ("$more_than_future", 3, "2026-11-25", True),
        ("$more_than_future", 3, "2026-11-24", False),
        ("$less_than_future", 3, "2026-11-23", True),
        ("$less_than_future", 3, "2026-11-20", False),
        ("$less_than_future", 3, ["2026-11-20", "2026-11-22"], True),
        ("$is_days_ago", 3, "abc", UNKNOWN),
        ("$is_days_ago", 3, 20261118, UNKNOWN),
    ],
)
def test_days_are_days_of_the_calendar_where_the_shop_is(operator, days, actual, answer):
    assert holds(operator, [days], actual) is answer


@pytest.mark.parametrize(
    ("operator", "values", "local", "answer"),
    [
        ("$dow", [6], "2026-11-21 00:30", True),  # in UTC it is Friday
        ("$dow", [5], "2026-11-21 00:30", False),
        ("$dow", ["0"], "2026-11-22 12:00", True),
        ("$timeframe", ["2026-03-01T10:00:00;P1D;PT2H"], "2026-03-10 11:59", True),
        ("$timeframe", ["2026-03-01T10:00:00;P1D;PT2H"], "2026-03-10 12:00", False),
        (
            "$timeframe",
            ["2026-03-01T10:00:00;P1D;PT2H"],
            "2026-04-10 10:00",
            True,
        ),  # after the clocks changed
        ("$timeframe", ["2026-03-01T10:00:00;P1D;PT2H"], "2026-02-10 11:00", False),
        ("$timeframe", ["2026-03-01;P7D;P1D"], "2026-03-08 23:59", True),
        ("$timeframe", ["2026-03-01;P7D;P1D", "2026-03-03;P7D;P1D"], "2026-03-10 10:00", True),
        ("$timeframe_absolute", ["2026-03-01;2026-03-02T10:00:00"], "2026-03-01 00:00", True),
        ("$timeframe_absolute", ["2026-03-01;2026-03-02T10:00:00"], "2026-02-28 23:59", False),
        ("$timeframe_absolute", ["2026-03-01;2026-03-02T10:00:00"], "2026-03-02 10:00", False),
        ("$timeframe_absolute", ["2026-03-01T09:00:00Z;2026-03-02"], "2026-03-01 10:00", True),
        ("$timeframe_daily_hours", ["18:00;20:01;2,3"], "2026-11-24 20:00", True),
        ("$timeframe_daily_hours", ["18:00;20:01;2,3"], "2026-11-24 20:01", False),
        ("$timeframe_daily_hours", ["18:00;20:01;2,3"], "2026-11-26 19:00", False),
        ("$timeframe_daily_hours", ["22:00;02:00;5"], "2026-11-21 00:30", True),  # Friday's night
        ("$timeframe_daily_hours", ["18:00;20:00"], "2026-11-26 19:00", True),
        ("$timeframe_daily_hours", ["02:00;03:00"], "2026-03-29 02:30", False),  # skipped by the clocks
    ],
)
def test_windows_are_of_the_shops_own_time(operator, values, local, answer):
    actual = datetime.fromisoformat(local).replace(tzinfo=WARSAW).astimezone(UTC)

    assert holds(operator, values, actual) is answer
    assert holds(operator, values, actual.isoformat()) is answer


@pytest.mark.parametrize("operator", sorted(EXAMPLES))
@pytest.mark.parametrize("missing", [None, UNKNOWN])
def test_what_is_missing_is_unknown(operator, missing):
    expected = {"$has_value": False, "$is_unknown": True}.get(operator, UNKNOWN)

    assert holds(operator, EXAMPLES[operator], missing) is expected


@pytest.mark.parametrize("actual", ["", 0, False, [], {}, "x"])
def test_whatever_is_there_has_a_value(actual):
    assert holds("$has_value", [True], actual) is True
    assert holds("$is_unknown", "", actual) is False


@pytest.mark.parametrize(
    ("conditions", "actual", "answer"),
    [
        ({"$more_than": [5], "$less_than": [10]}, 7, True),
        ({"$more_than": [5], "$less_than": [10]}, 12, False),
        ({"$more_than": [5], "$starts_with": ["1"]}, 12, UNKNOWN),
        ({"$more_than": [50], "$starts_with": ["1"]}, 12, False),  # false decides
        ({"$has_value": [], "$is": ["a"]}, None, False),
        ({}, None, True),
    ],
)
def test_all_operators_must_hold(conditions, actual, answer):
    assert parse_condition(conditions).holds(actual, NOW) is answer


def test_unknown_is_not_true_where_only_two_answers_are_possible():
    assert not UNKNOWN


def test_operators_and_values_are_kept_as_sent():
    condition = parse_condition({"$greater_than": 5, "$in": ["a", {"id": "b"}]})

    assert [(test.operator, test.values) for test in condition.tests] == [
        ("$greater_than", (5,)),
        ("$in", ("a", {"id": "b"})),
    ]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"$alike": ["a"]}, ".$alike is not a known operator"),
        ({5: ["a"]}, ".5 is not a known operator"),
        ({"$from": ["pc_1"]}, ".$from can be used with products and collections only"),
        ([], " should be an object with operators such as $is"),
        ({"$is": []}, ".$is should be a list of texts, numbers, dates, or objects with an id"),
        ({"$is": None}, ".$is should be a list of texts, numbers, dates, or objects with an id"),
        ({"$in": [math.nan]}, ".$in should be a list of texts, numbers, dates, or objects with an id"),
        ({"$in": [["a"]]}, ".$in should be a list of texts, numbers, dates, or objects with an id"),
        ({"$in": [{"name": "a"}]}, ".$in should be a list of texts, numbers, dates, or objects with an id"),
        ({"$starts_with": [5]}, ".$starts_with should be a list of texts"),
        ({"$more_than": ["abc"]}, ".$more_than should have one value, a number or a date"),
        ({"$more_than": [True]}, ".$more_than should have one value, a number or a date"),
        ({"$more_than": [1, 2]}, ".$more_than should have one value, a number or a date"),
        ({"$more_than": [math.inf]}, ".$more_than should have one value, a number or a date"),
        ({"$less_than": ["2026-02-30"]}, ".$less_than should have one value, a number or a date"),
        ({"$after": [5]}, ".$after should have one value, a date"),
        ({"$count": [-1]}, ".$count should have one value, a number that is not negative"),
        ({"$is_days_ago": ["x"]}, ".$is_days_ago should have one value, a number that is not negative"),
        ({"$dow": [7]}, ".$dow should be a list of numbers from 0 (Sunday) to 6 (Saturday)"),
        ({"$dow": ["monday"]}, ".$dow should be a list of numbers from 0 (Sunday) to 6 (Saturday)"),
        (
            {"$timeframe": ["2026-01-01;P1M;PT1H"]},
            ".$timeframe should be a list of texts such as 2026-01-31T18:00:00Z;P1D;PT1H",
        ),
        (
            {"$timeframe_absolute": ["2026-01-01"]},
            ".$timeframe_absolute should be a list of texts such as "
            "2026-01-31T18:00:00Z;2026-02-28T18:00:00Z",
        ),
        (
            {"$timeframe_daily_hours": ["18:00Z;20:00"]},
            ".$timeframe_daily_hours should be a list of texts such as 18:00;20:01;2,3",
        ),
        (
            {"$timeframe_daily_hours": ["18:00;20:00;7"]},
            ".$timeframe_daily_hours should be a list of texts such as 18:00;20:01;2,3",
        ),
        ({"$has_value": [False]}, ".$has_value should have no value"),
    ],
)
def test_what_cannot_be_meant_is_refused(conditions, message):
    with pytest.raises(InvalidCondition) as error:
        parse_condition(conditions)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("conditions", "actual", "gap"),
    [
        ({"$more_than_or_equal": [10000]}, 8760, "1240"),
        ({"$more_than": [10000]}, 8760, "1241"),
        ({"$less_than": [100]}, 130, "-31"),
        ({"$less_than_or_equal": [100]}, "130", "-30"),
        ({"$more_than": [5]}, 4.5, "0.6"),
        ({"$more_than": [5], "$less_than": [10]}, 3, "3"),
        ({"$more_than": [5], "$less_than": [10]}, 12, "-3"),
        ({"$more_than": [5], "$less_than": [5]}, 3, None),
        ({"$is": [7]}, 3, "4"),
        ({"$in": [1, 7]}, 4, "3"),  # of two equally near, what can be added
        ({"$in": ["a", 7]}, 4, "3"),
        ({"$not_differ": [7]}, 3, "4"),
        ({"$is_not": [7]}, 7, None),
        ({"$more_than": [5]}, 6, None),
        ({"$more_than": [5]}, "abc", None),
        ({"$more_than": [5]}, None, None),
        ({"$more_than": [5]}, True, None),
        ({"$more_than": [5]}, [1], None),
        ({"$more_than": ["2026-01-01"]}, 5, None),
        ({"$starts_with": ["a"]}, 5, None),
        ({"$more_than": [5]}, "0." + "1" * 2000, None),  # too many digits to add exactly
        ({"$more_than": [10**399]}, Decimal("1e-399"), str(10**399)),
    ],
)
def test_the_gap_is_what_would_have_to_be_added(conditions, actual, gap):
    assert parse_condition(conditions).gap(actual) == (None if gap is None else Decimal(gap))


@pytest.mark.parametrize(
    ("conditions", "actual", "interval"),
    [
        ({"$less_than": [10]}, 3, (None, 9)),
        ({"$less_than": [10]}, 10, (10, None)),
        ({"$less_than_or_equal": [10]}, 10, (None, 10)),
        ({"$more_than": [10.5]}, 10, (None, 10)),
        ({"$more_than_or_equal": [10]}, 12, (10, None)),
        ({"$more_than": [5], "$less_than": [10]}, 7, (6, 9)),
        ({"$more_than": [5], "$less_than": [10]}, 5, (None, 5)),
        ({"$is": [5]}, 5, (5, 5)),
        ({"$is_not": [5]}, 4, (None, 4)),
        ({"$in": [5, 6, 9]}, 5, (5, 6)),
        ({"$in": [5.5]}, 5, (None, None)),
        ({"$starts_with": ["5"]}, 5, (None, None)),
        ({"$has_value": []}, 5, (None, None)),
        ({"$after": ["2026-01-01"]}, 5, (None, None)),
    ],
)
def test_a_counter_may_move_within_the_interval_of_the_same_answer(conditions, actual, interval):
    assert parse_condition(conditions).interval(actual) == interval


texts = st.one_of(
    st.text(max_size=20),
    st.dates().map(date.isoformat),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.integers().map(str),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
numbers = st.one_of(st.integers(-50, 50), st.decimals(-50, 50, places=2), st.floats(-50, 50))
bounds = st.sampled_from(
    ["$less_than", "$less_than_or_equal", "$more_than", "$more_than_or_equal", "$is", "$in"]
)
comparisons = st.sampled_from(
    ["$is", "$in", "$is_not", "$not_in", "$not_differ", "$contains", "$less_than", "$more_than"]
)


@given(operator=st.sampled_from(sorted(EXAMPLES)), actual=json_values)
def test_any_value_has_an_answer(operator, actual):
    assert holds(operator, EXAMPLES[operator], actual) in (True, False, UNKNOWN)


@given(operator=st.sampled_from(sorted([*EXAMPLES, "$from", "$x"])), values=json_values, actual=json_values)
def test_any_values_are_read_or_refused(operator, values, actual):
    with contextlib.suppress(InvalidCondition):
        condition = parse_condition({operator: values})
        assert condition.holds(actual, NOW) in (True, False, UNKNOWN)
        condition.gap(actual)


@given(conditions=st.dictionaries(comparisons, numbers, max_size=4), actual=st.integers(-60, 60))
def test_the_answer_is_the_same_within_the_interval_and_differs_just_outside(conditions, actual):
    condition = parse_condition(conditions)

    low, high = condition.interval(actual)

    answer = condition.holds(actual, NOW)
    inside = range(-70 if low is None else low, (70 if high is None else high) + 1)
    assert actual in inside
    assert {condition.holds(number, NOW) for number in inside} == {answer}
    assert low is None or condition.holds(low - 1, NOW) is not answer
    assert high is None or condition.holds(high + 1, NOW) is not answer


@given(operator=bounds, limit=numbers, actual=numbers)
def test_adding_the_gap_makes_it_hold(operator, limit, actual):
    condition = parse_condition({operator: [limit]})

    gap = condition.gap(actual)

    if gap is None:
        assert condition.holds(actual, NOW) is True
    else:
        assert condition.holds(Context(prec=1000).add(Decimal(str(actual)), gap), NOW) is True


@given(moment=st.datetimes(timezones=st.just(UTC)), days=st.integers(0, 500))
def test_a_date_is_exactly_as_many_days_ago_as_the_calendar_says(moment, days):
    at = Moment(moment.replace(year=2026, month=1), WARSAW)
    day = at.now.astimezone(WARSAW).date() - timedelta(days=days)

    assert parse_condition({"$is_days_ago": [days]}).holds(day.isoformat(), at) is True
