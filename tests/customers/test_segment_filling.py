"""Auto-update segments are filled in the background, and again as filters and days change."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.jobs import sync_segment, sync_segments
from customers.models import Customer, Segment, SegmentMember
from customers.services.segment_syncs import run_sync
from promoengine.core.models import AsyncAction
from promoengine.core.services.definitions import current_version
from tests.customers.segments import VIP, fill, make, moves
from tests.factories import CustomerFactory
from tests.moments import PAST


class WorkerDied(BaseException):
    """What ends a process between any two lines."""


def dying_after(asked):
    """Return a clock that ends its worker the next time it is looked at after so many."""
    left = iter(range(asked))

    def clock():
        if next(left, None) is None:
            raise WorkerDied
        return timezone.now()

    return clock


def test_an_auto_update_segment_is_filled_in_the_background(api, project):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": True})
    CustomerFactory(project=project, source_id="bob")
    made = make(api, type="auto-update", filter=VIP)
    assert made["initial_sync_status"] == "IN_PROGRESS"

    fill(project)

    assert api.get(f"/v1/segments/{made['id']}").json()["initial_sync_status"] == "DONE"
    assert moves(project) == [("entered", "Segment", "ann")]


def test_how_far_filling_is_can_be_watched(api, project, monkeypatch):
    monkeypatch.setattr("customers.services.segment_syncs.WINDOW", 2)
    CustomerFactory.create_batch(3, project=project, metadata={"vip": True})
    made = make(api, type="auto-update", filter=VIP)
    (action,) = AsyncAction.objects.filter(project=project)

    with pytest.raises(WorkerDied):
        run_sync(action, clock=dying_after(2))

    shown = api.get(f"/v1/segments/{made['id']}").json()
    assert shown["initial_sync_status"] == "IN_PROGRESS"
    assert shown["initial_sync_progress"] == {
        "asked_customers": 2,
        "total_customers": 3,
        "matching_customers": 2,
    }
    fill(project)
    assert "initial_sync_progress" not in api.get(f"/v1/segments/{made['id']}").json()
    assert len(moves(project)) == 3


def test_only_those_in_doubt_are_asked(api, project):
    CustomerFactory.create_batch(5, project=project, name="Bob")
    counts = []
    for name in ("Nobody", "Bob"):
        make(api, type="auto-update", filter={"name": {"conditions": {"$is": [name]}}})
        with CaptureQueriesContext(connection) as queries:
            fill(project)
        counts.append(sum("FOR NO KEY UPDATE" in query["sql"] for query in queries))

    assert counts == [0, 1]


def test_a_changed_filter_tells_only_of_the_difference(api, project):
    for name, level in (("ann", 1), ("bob", 2), ("eve", 3)):
        CustomerFactory(project=project, source_id=name, metadata={"level": level})
    made = make(api, type="auto-update", filter={"metadata.level": {"conditions": {"$less_than": [3]}}})
    fill(project)
    above = {"metadata.level": {"conditions": {"$more_than": [1]}}}

    changed = api.put(f"/v1/segments/{made['id']}", {"name": "Above", "filter": above}).json()
    fill(project)

    assert (changed["name"], changed["filter"]) == ("Above", above)
    assert changed["initial_sync_status"] == "IN_PROGRESS"
    assert changed["updated_at"]
    assert moves(project) == [
        ("entered", "Segment", "ann"),
        ("entered", "Segment", "bob"),
        ("entered", "Above", "eve"),
        ("left", "Above", "ann"),
    ]


def test_a_filling_that_was_overtaken_stops(api, project):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": True})
    made = make(api, type="auto-update", filter=VIP)
    api.put(f"/v1/segments/{made['id']}", {"filter": {"name": {"conditions": {"$is": ["x"]}}}})

    fill(project)

    assert moves(project) == []
    assert api.get(f"/v1/segments/{made['id']}").json()["initial_sync_status"] == "DONE"


def test_a_new_name_asks_nobody(api, project):
    made = make(api, type="auto-update", filter=VIP)
    fill(project)

    api.put(f"/v1/segments/{made['id']}", {"name": "New"})
    version = current_version(project)
    api.put(f"/v1/segments/{made['id']}", {"name": "New", "filter": VIP})

    assert AsyncAction.objects.filter(project=project).count() == 1
    assert current_version(project) == version


def test_a_filling_that_was_given_up_is_begun_anew(api, project):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": True})
    make(api, type="auto-update", filter=VIP)
    AsyncAction.objects.filter(project=project).update(status="FAILED")

    sync_segments()
    fill(project)

    assert moves(project) == [("entered", "Segment", "ann")]
    assert Segment.objects.get().initial_sync_status == "DONE"


def test_members_of_a_big_segment_go_after_it(api, project, monkeypatch):
    monkeypatch.setattr("customers.services.segment_syncs.DELETED_AT_ONCE", 2)
    CustomerFactory.create_batch(5, project=project, metadata={"vip": True})
    made = make(api, type="auto-update", filter=VIP)
    fill(project)

    api.delete(f"/v1/segments/{made['id']}")

    assert SegmentMember.objects.count() == 3
    assert api.get("/v1/customers", {"segment_id": made["id"]}).json()["customers"] == []
    fill(project)
    assert not SegmentMember.objects.exists()


def test_filling_goes_on_where_it_stopped(api, project, monkeypatch):
    monkeypatch.setattr("customers.services.segment_syncs.WINDOW", 1)
    for name in ("ann", "bob", "eve"):
        CustomerFactory(project=project, source_id=name, metadata={"vip": True})
    make(api, type="auto-update", filter=VIP)
    action = AsyncAction.objects.get(project=project)
    sync_segment(action)

    sync_segment(AsyncAction.objects.get(pk=action.pk))

    action.refresh_from_db()
    assert action.done_count == 3
    assert moves(project) == [("entered", "Segment", name) for name in ("ann", "bob", "eve")]


def test_a_segment_deleted_before_it_was_filled_fills_nothing(api, project):
    CustomerFactory(project=project, metadata={"vip": True})
    made = make(api, type="auto-update", filter=VIP)
    api.delete(f"/v1/segments/{made['id']}")

    fill(project)

    assert AsyncAction.objects.get(project=project).status == "DONE"
    assert moves(project) == []


def test_a_new_day_brings_customers_in(api, project):
    customer = CustomerFactory(project=project, source_id="ann")
    make(api, type="auto-update", filter={"created_at": {"conditions": {"$more_than": [30]}}})
    fill(project)
    Segment.objects.update(synced_at=PAST)
    Customer.objects.filter(pk=customer.pk).update(created_at=PAST)

    sync_segments()
    sync_segments()
    fill(project)

    assert AsyncAction.objects.filter(project=project).count() == 2
    assert moves(project) == [("entered", "Segment", "ann")]


def test_segments_that_do_not_depend_on_the_day_are_left_alone(api, project):
    make(api, type="auto-update", filter=VIP)
    fill(project)
    Segment.objects.update(synced_at=PAST)

    sync_segments()

    assert AsyncAction.objects.filter(project=project).count() == 1
