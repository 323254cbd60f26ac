"""What SQL says of a filter beforehand agrees with what asking each customer finds, on both sides."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers.membership import DATES, parse_filter
from customers.models import Customer, CustomerSummary, CustomEvent
from customers.people import people_of
from customers.preselection import preselect
from customers.segments import count_matching
from customers.selectors import customers_for_wire
from promoengine.core.errors import InvalidPayload
from promoengine.engine.operators import Moment
from tests.factories import CustomerFactory, ProjectFactory

# On the day after clocks were put forward, so that days have different lengths.
AT = Moment(datetime(2026, 3, 29, 22, 30, tzinfo=UTC), ZoneInfo("Europe/Warsaw"))
TEXTS = ["", "A", "Ann", "ann", "5", "5.0", "007", "true", "%", "_n", "2026-03-01", "\\", "é"]
NUMBERS = [0, 1, 5, 5.0, 5.5, -3, 2**53, 10**30, 1e300]
VALUES = [*TEXTS, *NUMBERS, True, False, None]
INSIDE = [*VALUES, [], ["A", 5], [None], {"id": "A"}, {"id": 5}, {"b": "A"}, {}]
BIRTHDAYS = [
    *(date(1, 1, 1), date(1890, 3, 30), date(2000, 2, 29), date(1990, 3, 29), date(1990, 3, 30)),
    *(date(1990, 3, 31), date(1990, 4, 5), date(1986, 12, 31), date(2026, 3, 1), date(2027, 12, 31)),
]
MOMENTS = [
    AT.now - timedelta(days=days, hours=hours)
    for days in (-40, -1, 0, 1, 6, 30, 31, 365, 20_000)
    for hours in (0, 23)
]
PEOPLE = [
    *({"name": text, "address": {"city": text}} for text in TEXTS),
    *({"metadata": {"a": value}, "address": {"city": 5}} for value in INSIDE),
    *({"birthdate": day} for day in BIRTHDAYS),
    *({"created_at": moment, "updated_at": moment} for moment in MOMENTS),
]
SUMMARIES = [
    *({"orders_count": number, "orders_amount": 3 * number} for number in range(7)),
    *({"last_order_at": moment} for moment in MOMENTS),
    *({"products": products} for products in ([], ["shoe"], ["hat", "shoe"])),
]
FIELDS = st.sampled_from(
    [
        *("name", "birthdate", "address.city", "address.state", "metadata.a", "metadata.a.b", "metadata.'%s"),
        *("created_at", "updated_at", "summary.orders.last_order_date", "summary.orders.products"),
        *("summary.orders.total_count", "summary.orders.total_amount", "summary.orders.average_amount"),
        *("events.seen.count", "events.seen.last_date", "events.\\.count"),
    ]
)
ASKED = st.sampled_from([*TEXTS, *NUMBERS, True, "shoe", "a\0b", "2026-03-29T23:00:00Z"])
CONDITIONS = st.dictionaries(
    st.sampled_from(["$is", "$is_not", "$in", "$not_in", "$starts_with", "$ends_with", "$contains"]),
    st.lists(ASKED, min_size=1, max_size=2),
    min_size=1,
    max_size=1,
) | st.one_of(
    st.builds(
        lambda operator, value: {operator: [value]},
        st.sampled_from(
            ["$more_than", "$less_than", "$more_than_equal", "$less_than_equal", "$before", "$after"]
        ),
        ASKED,
    ),
    st.builds(
        lambda operator, value: {operator: [value]},
        st.sampled_from(
            [
                "$more_than_ago",
                "$less_than_ago",
                "$is_days_ago",
                "$more_than_future",
                "$is_years_ago",
                "$is_days_ago_md",
                "$is_more_days_ago_md",
                "$is_less_days_in_future_md",
                "$count_more",
            ]
        ),
        st.integers(0, 40),
    ),
    st.builds(
        lambda operator: {operator: [True]},
        st.sampled_from(
            [
                "$has_value",
                "$is_unknown",
                "$today",
                "$last_week",
                "$this_month",
                "$last_year",
                "$next_month_md",
                "$this_week_md",
            ]
        ),
    ),
    st.just({"$is_month": [3]}),
    st.just({"$dow": [1, 2]}),
    st.just({}),
)
FILTERS = st.builds(
    lambda junction, asked: (
        {"junction": junction} | {name: {"conditions": one} for name, one in asked.items()}
    ),
    st.sampled_from(["and", "or"]),
    st.dictionaries(FIELDS, CONDITIONS, min_size=1, max_size=3),
)


class TestPreselection(TestCase):
    """Whoever SQL is sure of matches, and whoever matches SQL has thought possible."""

    @classmethod
    def setUpTestData(cls):
        cls.project = ProjectFactory()
        for columns in PEOPLE:
            Customer.objects.create(project=cls.project, **columns)
        for columns in SUMMARIES:
            customer = Customer.objects.create(project=cls.project)
            CustomerSummary.objects.create(customer=customer, **columns)
            CustomEvent.objects.create(project=cls.project, customer=customer, type="seen", created_at=AT.now)

    @given(filter_=FILTERS)
    @settings(max_examples=100, deadline=None)
    def test_the_lines_lie_around_those_who_match(self, filter_):
        try:
            asked = parse_filter(filter_)
        except InvalidPayload:
            reject()
        assert_around(self.project, asked)

    def test_every_value_is_compared_as_when_it_is_asked(self):
        fields = ("name", "address.city", "metadata.a", "summary.orders.total_count")
        for field, operator, value in product(fields, ("$in", "$not_in", "$contains", "$more_than"), VALUES):
            try:
                asked = parse_filter({field: {"conditions": {operator: [value]}}})
            except InvalidPayload:
                continue
            assert_around(self.project, asked)


def assert_around(project, asked):
    marked = preselect(asked, AT).mark(customers_for_wire(project))
    lines = marked.annotate(is_sure=F("surely"), is_possible=F("maybe")).values_list(
        "pk", "is_sure", "is_possible"
    )
    surely, maybe = set(), set()
    for key, is_sure, is_possible in lines:
        surely |= {key} if is_sure else set()
        maybe |= {key} if is_possible else set()
    assert surely <= matching_of(project, asked) <= maybe, asked


def matching_of(project, asked):
    customers = list(customers_for_wire(project))
    people = people_of(customers, asked.needs)
    return {
        customer.pk for customer, person in zip(customers, people, strict=True) if asked.matches(person, AT)
    }


@pytest.mark.parametrize(
    ("field", "conditions"),
    [
        ("email", {"$ends_with": ["@example.com"]}),
        ("name", {"$not_in": ["Bob"]}),
        ("address.country", {"$is": ["Poland"]}),
        ("metadata.club", {"$in": ["Gold", "Silver"]}),
        ("metadata.vip", {"$is": [True]}),
        ("birthdate", {"$next_month": [True]}),
        ("birthdate", {"$is_years_ago": [36]}),
        ("created_at", {"$less_than": [30]}),
        ("created_at", {"$after": ["2021-12-01T00:00:00.000Z"]}),
        ("summary.orders.total_count", {"$more_than": [3]}),
        ("summary.orders.total_amount", {"$less_than": [100]}),
    ],
)
def test_what_is_asked_often_leaves_nobody_in_doubt(project, field, conditions):
    CustomerFactory.create_batch(2, project=project)
    asked = parse_filter({field: {"conditions": conditions}})

    marked = preselect(asked, AT).mark(customers_for_wire(project))

    assert field in DATES or not marked.filter(surely=False, maybe=True).exists()
    assert not marked.filter(surely=True, maybe=False).exists()


def test_a_count_of_very_many_in_doubt_is_an_estimate(project, monkeypatch):
    monkeypatch.setattr("customers.segments.ASKED_MAX", 20)
    CustomerFactory.create_batch(40, project=project, metadata={"shoe": {"size": 42}})

    found = count_matching(project, parse_filter({"metadata.shoe.size": {"conditions": {"$is": [42]}}}), AT)

    assert (found.customers, found.is_estimate) == (40, True)
