"""Filters of segments: which fields they read, and that memberships are what a plain asking would say."""

import uuid
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from customers.membership import Needs, parse_filter
from customers.models import Customer, CustomerSummary, CustomEvent, Segment, SegmentMember
from customers.people import people_of
from customers.selectors import customers_for_wire
from customers.services.delete import delete_customer
from customers.services.segment_syncs import run_sync, sync_by_calendar
from customers.services.segments import create_segment, delete_segment, update_segment
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
    needs = Needs(frozenset({"cart.left", "paid"}), products=True)
    return people_of(list(customers_for_wire(project)), needs)[0]


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
            people_of(some, Needs(frozenset({"a", "b"})))
    with django_assert_num_queries(0):
        people_of(everybody, Needs())


FILTERS = [
    {"metadata.level": {"conditions": {"$more_than": [1]}}},
    {"metadata.level": {"conditions": {"$is_not": [2]}}},
    {"junction": "or", "name": {"conditions": {"$is": "A"}}, "email": {"conditions": {"$has_value": True}}},
    {"events.seen.count": {"conditions": {"$more_than": [1]}}},
    {"events.seen.last_date": {"conditions": {"$less_than": [2]}}},
    {"summary.orders.total_amount": {"conditions": {"$more_than_equal": [100]}}},
    {"summary.orders.last_order_date": {"conditions": {"$more_than": [2]}}},
    {"summary.orders.products": {"conditions": {"$in": ["shoe"]}}},
    {"summary.redemptions.total_succeeded": {"conditions": {"$is": [1]}}},
    {"created_at": {"conditions": {"$less_than": [2]}}},
]
WHO = st.sampled_from(["ann", "bob"])
FIELDS = st.one_of(
    st.fixed_dictionaries({"metadata": st.fixed_dictionaries({"level": st.sampled_from([None, 1, 2, 3])})}),
    st.fixed_dictionaries({"name": st.sampled_from(["A", "B", None])}),
    st.fixed_dictionaries({"email": st.sampled_from(["a@example.com", ""])}),
)
BOUGHT = st.fixed_dictionaries(
    {
        "orders_amount": st.sampled_from([0, 50, 150]),
        "succeeded": st.integers(0, 2),
        "products": st.sampled_from([[], ["shoe"], ["hat"]]),
    }
)
WHICH = st.integers(0, 20)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("upsert"), WHO, FIELDS),
        st.tuples(st.just("update"), WHO, FIELDS),
        st.tuples(st.just("track"), WHO, st.just("seen")),
        st.tuples(st.just("buy"), WHO, BOUGHT),
        st.tuples(st.just("delete"), WHO, st.none()),
        st.tuples(st.just("segment"), st.just(0), st.sampled_from(FILTERS)),
        st.tuples(st.just("edit"), WHICH, st.sampled_from(FILTERS)),
        st.tuples(st.just("drop"), WHICH, st.none()),
        st.tuples(st.just("days"), st.integers(1, 3), st.none()),
        st.tuples(st.just("die"), st.integers(1, 4), st.none()),
        st.tuples(st.just("fill"), st.just(0), st.none()),
    ),
    min_size=4,
    max_size=16,
)


class TestMemberships(TestCase):
    """Whatever happens, members are those whom the filter matches, and events add up to them."""

    @given(steps=STEPS)
    @settings(max_examples=30, deadline=None)
    def test_members_are_whom_a_plain_asking_finds(self, steps):
        shop = Shop(ProjectFactory())
        for filter_ in FILTERS[::3]:
            shop.segment(0, filter_)
        # What comes later must hold without anybody being asked anew.
        shop.fill(0, None)

        for step, who, value in steps:
            getattr(shop, step)(who, value)
        shop.fill(0, None)

        assert members(shop.project) == asked_plainly(shop)
        assert balance(shop.project) == dict.fromkeys(members(shop.project), 1)


class WorkerDied(BaseException):
    """What ends a process between any two lines."""


class Shop:
    """What may happen to a project's customers and segments."""

    def __init__(self, project) -> None:
        self.project, self.now = project, NOW

    def upsert(self, who, fields):
        upsert_customer(self.project, data={"source_id": who, **fields}, now=self.now)

    def update(self, who, fields):
        if self.find(who):
            update_customer(self.project, who, data=fields, now=self.now)

    def track(self, who, event):
        track_event(self.project, data={"event": event, "customer": {"source_id": who}}, now=self.now)

    def buy(self, who, values):
        if customer := self.find(who):
            store_summaries({customer.pk: values | {"last_order_at": self.now}}, now=self.now)

    def delete(self, who, _):
        if self.find(who):
            delete_customer(self.project, who, now=self.now)

    def segment(self, _, filter_):
        body = {"name": "S", "type": "auto-update", "filter": filter_}
        create_segment(self.project, data=body, now=self.now)

    def edit(self, which, filter_):
        if segment := self.pick(which):
            update_segment(self.project, segment.public_id, data={"filter": filter_}, now=self.now)

    def drop(self, which, _):
        if segment := self.pick(which):
            delete_segment(self.project, segment.public_id, now=self.now)

    def days(self, count, _):
        self.now += timedelta(days=count)

    def die(self, steps, _):
        """Ask all anew, in windows of one, with a worker that dies after some of them."""
        left = iter(range(steps))

        def clock():
            if next(left, None) is None:
                raise WorkerDied
            return self.now

        with pytest.MonkeyPatch.context() as patched, suppress(WorkerDied):
            patched.setattr("customers.services.segment_syncs.WINDOW", 1)
            self.run(clock)

    def fill(self, *_):
        self.run(lambda: self.now)

    def run(self, clock):
        sync_by_calendar(now=self.now)
        for action in AsyncAction.objects.filter(project=self.project, status="ENQUEUED").order_by("pk"):
            run_sync(action, clock=clock)
            AsyncAction.objects.filter(pk=action.pk).update(status="DONE")

    def find(self, who):
        return Customer.objects.filter(project=self.project, source_id=who).first()

    def pick(self, which):
        segments = Segment.objects.filter(project=self.project).order_by("pk")
        return segments[which % len(segments)] if segments else None


def members(project):
    rows = SegmentMember.objects.filter(segment__project=project).values_list("segment_id", "customer_id")
    return set(rows)


def asked_plainly(shop):
    project = shop.project
    customers = list(customers_for_wire(project))
    people = people_of(customers, Needs(frozenset({"seen"}), products=True))
    at = Moment(shop.now, ZoneInfo(project.timezone), project.week_start)
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
