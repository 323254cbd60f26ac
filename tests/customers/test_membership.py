"""Filters of segments: which fields they read, and that memberships are what a plain asking would say."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers.membership import parse_filter
from customers.models import Customer, CustomerSummary, CustomEvent, Segment, SegmentMember
from customers.people import people_of
from customers.selectors import customers_for_wire
from customers.services.delete import delete_customer
from customers.services.memberships import run_sync
from customers.services.segments import create_segment, delete_segment
from customers.services.summaries import store_summaries
from customers.services.track import track_event
from customers.services.upsert import update_customer, upsert_customer
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.engine.operators import Moment
from tests.factories import CustomerFactory, ProjectFactory

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
AT = Moment(NOW, ZoneInfo("Europe/Warsaw"))


@pytest.fixture
def person(project):
    ann = CustomerFactory(
        project=project,
        source_id="746-ann",
        name="Ann Smith",
        email="ann@example.com",
        phone="48123",
        birthdate="1990-04-20",
        address={"city": "Berlin", "country": "Germany", "postal_code": 10115},
        metadata={"vip": True, "shoe": {"size": 42}, "brands": ["A", "B"]},
        created_at=NOW - timedelta(days=40),
    )
    CustomerSummary.objects.create(
        customer=ann,
        succeeded=3,
        gift_redeemed_amount=500,
        orders_amount=40001,
        orders_count=2,
        last_order_amount=6000,
        last_order_at=NOW - timedelta(days=10),
    )
    for _ in range(2):
        CustomEvent.objects.create(project=project, customer=ann, type="cart.left", created_at=NOW)
    return people_of(list(customers_for_wire(project)), ["cart.left", "paid"])[0]


@pytest.mark.parametrize(
    ("field", "conditions", "matches"),
    [
        ("name", {"$has_value": True}, True),
        ("name", {"$starts_with": ["Ann"]}, True),
        ("email", {"$ends_with": [".org"]}, False),
        ("phone", {"$starts_with": ["48"]}, True),
        ("source_id", {"$starts_with": ["746"]}, True),
        ("description", {"$is_unknown": True}, True),
        ("description", {"$is_not": ["x"]}, False),
        ("address.city", {"$is": "Berlin"}, True),
        ("address.postal_code", {"$is_not": ["32-857"]}, True),
        ("address.state", {"$is_unknown": True}, True),
        ("created_at", {"$before": ["2026-03-01T00:00:00.000Z"]}, True),
        ("created_at", {"$more_than": [30]}, True),
        ("created_at", {"$less_than": ["30"]}, False),
        ("created_at", {"$more_than": ["2026-01-01"]}, True),
        ("birthdate", {"$next_month": [True]}, True),
        ("birthday", {"$next_month_md": [True]}, True),
        ("birthdate", {"$this_month": [True]}, False),
        ("birthdate", {"$is_years_ago": [36]}, True),
        ("metadata.vip", {"$is": ["true"]}, True),
        ("metadata.shoe.size", {"$more_than": [41]}, True),
        ("metadata.brands", {"$in": ["B", "C"]}, True),
        ("metadata.color", {"$is_not": ["red"]}, False),
        ("summary.orders.total_amount", {"$more_than": [40000]}, True),
        ("summary.orders.average_amount", {"$is": [20000]}, True),
        ("summary.orders.last_order_amount", {"$more_than": [5000]}, True),
        ("summary.orders.last_order_date", {"$less_than": [30]}, True),
        ("summary.orders.last_order_date", {"$more_than": [30]}, False),
        ("summary.redemptions.total_succeeded", {"$is": [3]}, True),
        ("summary.redemptions.gift.redeemed_amount", {"$more_than_equal": [500]}, True),
        ("events.cart.left.count", {"$is": ["2"]}, True),
        ("events.cart.left.last_date", {"$today": [True]}, True),
        ("events.paid.count", {"$less_than": [1]}, True),
        ("events.paid.last_date", {"$has_value": True}, False),
    ],
)
def test_a_filter_reads_the_published_fields(person, field, conditions, matches):
    assert parse_filter({"junction": "and", field: {"conditions": conditions}}).matches(person, AT) is matches


@pytest.mark.parametrize(
    ("conditions", "depends"),
    [
        ({"$less_than": [30]}, True),
        ({"$this_month": [True]}, True),
        ({"$is_days_ago": [1]}, True),
        ({"$before": ["2026-01-01"]}, False),
        ({"$has_value": True}, False),
    ],
)
def test_whether_the_day_matters_is_known(conditions, depends):
    assert parse_filter({"created_at": {"conditions": conditions}}).depends_on_today is depends


def test_people_take_as_many_queries_for_three_as_for_one(project, django_assert_num_queries):
    CustomerFactory.create_batch(3, project=project)
    everybody = list(customers_for_wire(project))

    for some in (everybody[:1], everybody):
        with django_assert_num_queries(1):
            people_of(some, ["a", "b"])
    with django_assert_num_queries(0):
        people_of(everybody, [])


FILTERS = [
    {"metadata.level": {"conditions": {"$more_than": [1]}}},
    {"metadata.level": {"conditions": {"$is_not": [2]}}},
    {"junction": "or", "name": {"conditions": {"$is": "A"}}, "email": {"conditions": {"$has_value": True}}},
    {"events.seen.count": {"conditions": {"$more_than": [1]}}},
    {"summary.orders.total_amount": {"conditions": {"$more_than_equal": [100]}}},
]
WHO = st.sampled_from(["ann", "bob"])
FIELDS = st.one_of(
    st.fixed_dictionaries({"metadata": st.fixed_dictionaries({"level": st.sampled_from([None, 1, 2, 3])})}),
    st.fixed_dictionaries({"name": st.sampled_from(["A", "B", None])}),
    st.fixed_dictionaries({"email": st.sampled_from(["a@example.com", ""])}),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("upsert"), WHO, FIELDS),
        st.tuples(st.just("update"), WHO, FIELDS),
        st.tuples(st.just("track"), WHO, st.just("seen")),
        st.tuples(st.just("orders"), WHO, st.sampled_from([0, 50, 150])),
        st.tuples(st.just("delete"), WHO, st.none()),
        st.tuples(st.just("segment"), st.just(""), st.sampled_from(FILTERS)),
        st.tuples(st.just("drop"), st.just(""), st.none()),
        st.tuples(st.just("fill"), st.just(""), st.none()),
    ),
    min_size=4,
    max_size=16,
)


class TestMemberships(TestCase):
    """Whatever happens, members are those whom the filter matches, and events add up to them."""

    @given(steps=STEPS)
    @settings(max_examples=60, deadline=None)
    def test_members_are_whom_a_plain_asking_finds(self, steps):
        project = ProjectFactory()
        shop = Shop(project)
        for filter_ in FILTERS:
            shop.start(filter_)
        # What comes later must hold without anybody being asked anew.
        shop.take("fill", "", None)

        for step in steps:
            shop.take(*step)
        shop.take("fill", "", None)

        assert members(project) == asked_plainly(project)
        assert balance(project) == dict.fromkeys(members(project), 1)


class Shop:
    """What may happen to a project's customers and segments."""

    def __init__(self, project) -> None:
        self.project = project

    def start(self, filter_) -> None:
        create_segment(self.project, data={"name": "S", "type": "auto-update", "filter": filter_}, now=NOW)

    def take(self, what, who, value) -> None:
        project, customer = self.project, Customer.objects.filter(project=self.project, source_id=who).first()
        if what == "upsert":
            upsert_customer(project, data={"source_id": who, **value}, now=NOW)
        elif what == "track":
            track_event(project, data={"event": value, "customer": {"source_id": who}}, now=NOW)
        elif what == "segment":
            self.start(value)
        elif what == "drop":
            self.drop()
        elif what == "fill":
            for action in AsyncAction.objects.filter(project=project, status="ENQUEUED"):
                run_sync(action)
                AsyncAction.objects.filter(pk=action.pk).update(status="DONE")
        elif customer is not None and what == "update":
            update_customer(project, who, data=value, now=NOW)
        elif customer is not None and what == "orders":
            store_summaries({customer.pk: {"orders_amount": value}}, now=NOW)
        elif customer is not None and what == "delete":
            delete_customer(project, who, now=NOW)

    def drop(self) -> None:
        segment = Segment.objects.filter(project=self.project).order_by("pk").first()
        if segment is not None:
            delete_segment(self.project, segment.public_id)


def members(project):
    rows = SegmentMember.objects.filter(segment__project=project).values_list("segment_id", "customer_id")
    return set(rows)


def asked_plainly(project):
    customers = list(customers_for_wire(project))
    people = people_of(customers, ["seen"])
    at = Moment(NOW, ZoneInfo(project.timezone), project.week_start)
    return {
        (segment.pk, customer.pk)
        for segment in Segment.objects.filter(project=project)
        for customer, person in zip(customers, people, strict=True)
        if parse_filter(segment.filter).matches(person, at)
    }


def balance(project):
    """Return how often each present customer entered a present segment more than they left it."""
    segments = {row.public_id: row.pk for row in Segment.objects.filter(project=project)}
    present = set(customers_for_wire(project).values_list("pk", flat=True))
    events = OutboxEvent.objects.filter(project=project, type__startswith="customer.segment.")
    found: Counter[tuple[uuid.UUID, uuid.UUID]] = Counter()
    for event in events.order_by("pk"):
        if event.entity_id in segments and event.customer_id in present:
            step = 1 if event.type.endswith("entered") else -1
            found[segments[event.entity_id], event.customer_id] += step
            assert found[segments[event.entity_id], event.customer_id] in (0, 1)
    return {pair: count for pair, count in found.items() if count}
