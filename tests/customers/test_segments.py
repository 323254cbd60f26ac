"""Customer segments over HTTP: who is in them, who enters and leaves, and rules that ask."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.jobs import sync_segment, sync_segments
from customers.models import Customer, Segment, SegmentMember
from customers.services.segment_syncs import run_sync
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from promoengine.core.services.definitions import current_version
from redemptions.jobs import refresh_customers
from tests.factories import CustomerFactory, VoucherFactory
from tests.moments import PAST

VIP = {"junction": "and", "metadata.vip": {"conditions": {"$is": [True]}}}


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


def make(api, name="Segment", **body):
    answer = api.post("/v1/segments", {"name": name, **body})
    assert answer.status_code == 200, answer.content
    return answer.json()


def fill(project):
    """Do what waits in the background."""
    for action in AsyncAction.objects.filter(project=project, status="ENQUEUED"):
        run_async_action(action.pk)


def names_of(api, ref):
    answer = api.get(f"/v1/customers/{ref}/segments")
    assert answer.status_code == 200, answer.content
    return [segment["name"] for segment in answer.json()["data"]]


def moves(project):
    """Return who entered and left segments, in order."""
    events = OutboxEvent.objects.filter(project=project, type__startswith="customer.segment.").order_by("pk")
    return [
        (event.type.rpartition(".")[2], event.data["segment"]["name"], event.data["customer"]["source_id"])
        for event in events
    ]


def test_a_static_segment_holds_whom_it_lists(api, project):
    ann, bob = CustomerFactory(project=project, source_id="ann"), CustomerFactory(project=project)
    CustomerFactory(project=project, source_id="eve")

    made = make(api, type="static", customers=["ann", bob.public_id, ann.public_id])

    assert (made["type"], made["filter"], made["initial_sync_status"]) == ("static", None, "DONE")
    assert names_of(api, "ann") == names_of(api, bob.public_id) == ["Segment"]
    assert names_of(api, "eve") == []
    assert moves(project) == []


def test_a_passive_segment_is_asked_and_tells_nobody(api, project):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": True})
    made = make(api, type="passive", filter=VIP)

    assert made["filter"] == VIP
    assert names_of(api, "ann") == ["Segment"]
    api.put("/v1/customers/ann", {"metadata": {"vip": False}})
    assert names_of(api, "ann") == []
    assert not SegmentMember.objects.exists()
    assert moves(project) == []


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


@pytest.mark.parametrize(
    ("type_", "body", "details"),
    [
        ("passive", [], "Payload should be object"),
        ("passive", {"name": ""}, "Payload must have required property 'name'"),
        ("passive", {"filter": None}, "Property .filter should be object"),
        ("passive", {"type": "auto-update"}, "Property .type cannot be changed"),
        ("static", {"customers": ["ann"]}, "Property .customers cannot be changed in a static segment"),
        ("static", {"filter": VIP}, "Property .filter cannot be changed in a static segment"),
    ],
)
def test_a_wrong_change_changes_nothing(api, type_, body, details):
    made = make(api, type=type_, **({"customers": []} if type_ == "static" else {"filter": VIP}))

    answer = api.put(f"/v1/segments/{made['id']}", body)

    assert (answer.status_code, answer.json()["details"]) == (400, details)
    assert api.get(f"/v1/segments/{made['id']}").json() == made


def test_a_filling_that_was_given_up_is_begun_anew(api, project):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": True})
    make(api, type="auto-update", filter=VIP)
    AsyncAction.objects.filter(project=project).update(status="FAILED")

    sync_segments()
    fill(project)

    assert moves(project) == [("entered", "Segment", "ann")]
    assert Segment.objects.get().initial_sync_status == "DONE"


def test_a_filter_is_counted_before_there_is_a_segment(api, other_api, project):
    CustomerFactory.create_batch(2, project=project, metadata={"vip": True})
    CustomerFactory(project=project)
    CustomerFactory(project=other_api.project, metadata={"vip": True})

    answer = api.post("/v1/segments/preview", {"filter": VIP})

    assert answer.json() == {"object": "segment_preview", "total": 2, "is_estimate": False}
    assert not Segment.objects.exists()
    refused = api.post("/v1/segments/preview", {"filter": {"age": {"conditions": {"$is": [1]}}}})
    assert refused.status_code == 400
    assert refused.json()["details"].startswith("Property .filter.age should be one of")
    assert api.post("/v1/segments/preview", []).status_code == 400


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


def test_customers_enter_and_leave_as_they_change(api, project):
    make(api, type="auto-update", filter=VIP)
    fill(project)

    api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})
    api.post("/v1/customers", {"source_id": "ann", "name": "Ann"})
    api.put("/v1/customers/ann", {"metadata": {"vip": False}})
    api.put("/v1/customers/ann", {"metadata": {"vip": True}})

    assert moves(project) == [(what, "Segment", "ann") for what in ("entered", "left", "entered")]
    (entered, *_) = OutboxEvent.objects.filter(type="customer.segment.entered")
    assert entered.data["customer"]["metadata"] == {"vip": True}
    assert entered.entity_id == entered.data["segment"]["id"]


def test_custom_events_bring_customers_in(api, project):
    make(api, type="auto-update", filter={"events.cart.left.count": {"conditions": {"$more_than": ["1"]}}})
    fill(project)

    for _ in range(3):
        api.post("/v1/events", {"event": "cart.left", "customer": {"source_id": "ann"}})

    assert moves(project) == [("entered", "Segment", "ann")]


def test_buying_a_product_brings_customers_in(api, project):
    code = VoucherFactory(project=project).code
    bought = {"summary.orders.products": {"conditions": {"$in": ["shoe"]}}}
    never = {"summary.orders.products": {"conditions": {"$is_unknown": [True]}}}
    made = make(api, type="auto-update", filter=bought)
    make(api, "Never", type="passive", filter=never)
    fill(project)
    api.post("/v1/customers", {"source_id": "bob"})
    items = [{"product_id": "prod_1", "price": 100, "product": {"source_id": "shoe"}}]
    api.post(f"/v1/vouchers/{code}/redemption", {"order": {"items": items}, "customer": {"source_id": "ann"}})

    refresh_customers(event_ids=[str(key) for key in OutboxEvent.objects.values_list("pk", flat=True)])

    assert moves(project) == [("entered", "Segment", "ann")]
    listed = api.get("/v1/customers", {"segment_id": made["id"]}).json()["customers"]
    assert [one["source_id"] for one in listed] == ["ann"]
    assert names_of(api, "bob") == ["Never"]
    assert names_of(api, "ann") == ["Segment"]
    assert "products" not in api.get("/v1/customers/ann").json()["summary"]["orders"]


def test_a_deleted_customer_is_in_no_segment(api, project):
    segment = make(api, type="auto-update", filter=VIP)
    api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})

    api.delete("/v1/customers/ann")
    fill(project)

    assert not SegmentMember.objects.exists()
    assert api.get("/v1/customers", {"segment_id": segment["id"]}).json()["customers"] == []
    assert moves(project) == [("entered", "Segment", "ann")]


def test_erasing_a_customer_counts_their_segments(api, project):
    CustomerFactory(project=project, source_id="ann")
    make(api, type="static", customers=["ann"])

    answer = api.post("/v1/customers/ann/permanent-deletion")

    assert answer.json()["data_json"]["segments"] == 1


@pytest.mark.parametrize("type_", ["static", "auto-update", "passive"])
def test_customers_are_listed_by_segment(api, project, type_):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": True})
    CustomerFactory(project=project, source_id="bob")
    named = {"customers": ["ann"]} if type_ == "static" else {"filter": VIP}
    segment = make(api, type=type_, **named)
    fill(project)

    listed = api.get("/v1/customers", {"segment_id": segment["id"]}).json()

    assert [customer["source_id"] for customer in listed["customers"]] == ["ann"]
    assert listed["total"] == 1


def test_nobody_is_in_a_segment_that_is_not_there(api, other_api, project):
    CustomerFactory(project=project, metadata={"vip": True})
    theirs = make(other_api, type="passive", filter=VIP)

    for segment in ("seg_none", theirs["id"]):
        assert api.get("/v1/customers", {"segment_id": segment}).json()["customers"] == []


def test_one_who_is_not_known_is_answered_as_they_would_be(api, project):
    make(api, "starts", type="passive", filter={"source_id": {"conditions": {"$starts_with": ["b2b-"]}}})
    make(api, "new", type="passive", filter={"created_at": {"conditions": {"$less_than": [30]}}})
    make(api, "vip", type="passive", filter=VIP)

    assert names_of(api, "b2b-9") == ["new", "starts"]


def test_segments_are_listed_and_found(api, project, other_api):
    made = [make(api, name, type="passive", filter=VIP) for name in ("one", "two", "three")]
    make(other_api, type="passive", filter=VIP)

    def listed(**query):
        return [one["name"] for one in api.get("/v1/segments", query).json()["data"]]

    assert listed() == ["three", "two", "one"]
    assert listed(order="created_at", limit=2) == ["one", "two"]
    assert listed(ids=made[1]["id"]) == ["two"]
    assert listed(**{"filters[name][conditions][$starts_with]": "t"}) == ["three", "two"]
    assert api.get("/v1/segments").json()["total"] == 3


def test_a_deleted_segment_is_gone(api, project):
    CustomerFactory(project=project, source_id="ann")
    made = make(api, type="static", customers=["ann"])

    assert api.delete(f"/v1/segments/{made['id']}").status_code == 204

    assert api.get(f"/v1/segments/{made['id']}").json()["resource_type"] == "segment"
    assert api.delete(f"/v1/segments/{made['id']}").status_code == 404
    assert names_of(api, "ann") == []


def test_a_segment_deleted_before_it_was_filled_fills_nothing(api, project):
    CustomerFactory(project=project, metadata={"vip": True})
    made = make(api, type="auto-update", filter=VIP)
    api.delete(f"/v1/segments/{made['id']}")

    fill(project)

    assert AsyncAction.objects.get(project=project).status == "DONE"
    assert moves(project) == []


def test_making_and_deleting_are_changes_of_definitions(api, project):
    versions = [current_version(project)]
    made = make(api, type="passive", filter=VIP)
    versions.append(current_version(project))
    api.delete(f"/v1/segments/{made['id']}")
    versions.append(current_version(project))

    assert versions == sorted(set(versions))


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ([], "Payload should be object"),
        ({"type": "static"}, "Payload must have required property 'name'"),
        ({"name": "x" * 256, "type": "static"}, "Property .name should have 1 to 255 characters"),
        ({"name": "x", "type": "other"}, "Property .type should be one of static, auto-update, passive"),
        ({"name": "x", "type": "static"}, "Property .customers should be array"),
        ({"name": "x", "type": "static", "customers": [1]}, "Property .customers[0] should be string"),
        (
            {"name": "x", "customers": ["a"] * 20_001},
            "Property .customers may have up to 20000 customers",
        ),
        ({"name": "x", "type": "passive"}, "Property .filter should be object"),
        (
            {"name": "x", "filter": {"junction": "or"}},
            "Property .filter should have at least one field with conditions",
        ),
        (
            {"name": "x", "filter": {"junction": "xor", **VIP} | {"junction": "xor"}},
            "Property .filter has wrong `junction` property. It must be one of: and, or",
        ),
        (
            {"name": "x", "filter": {"metadata.vip": {"conditions": {"$like": [1]}}}},
            "Property .filter.metadata.vip.conditions.$like is not a known operator",
        ),
        (
            {"name": "x", "filter": {"name": ["a"]}},
            "Property .filter.name should have required property 'conditions'",
        ),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, project, body, details):
    answer = api.post("/v1/segments", body)

    assert (answer.status_code, answer.json()["details"]) == (400, details)
    assert not Segment.objects.exists()


@pytest.mark.parametrize("field", ["age", "metadata.", "events.count", "events..count", "address.street"])
def test_an_unknown_field_is_named(api, field):
    answer = api.post("/v1/segments", {"name": "x", "filter": {field: {"conditions": {"$is": ["a"]}}}})

    assert answer.status_code == 400
    assert answer.json()["details"].startswith(f"Property .filter.{field} should be one of name, email,")


def test_whom_a_static_segment_lists_must_exist(api, other_api, project):
    theirs = CustomerFactory(project=other_api.project, source_id="theirs")

    for ref in ("nobody", "theirs", theirs.public_id):
        answer = api.post("/v1/segments", {"name": "x", "type": "static", "customers": [ref]})
        assert (answer.status_code, answer.json()["resource_id"]) == (404, ref)
    assert not Segment.objects.exists()


def test_there_may_be_a_hundred_segments_by_filter(api, project):
    Segment.objects.bulk_create(
        [Segment(project=project, name=f"{n}", type="passive", filter=VIP) for n in range(100)]
    )

    assert api.post("/v1/segments", {"name": "x", "filter": VIP}).status_code == 400
    assert api.post("/v1/segments", {"name": "x", "customers": []}).status_code == 200


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


def test_entering_takes_no_more_queries_for_many_segments(api, project, django_assert_max_num_queries):
    for number in range(3):
        make(api, f"{number}", type="auto-update", filter=VIP)
    fill(project)
    api.post("/v1/customers", {"source_id": "bob"})

    with django_assert_max_num_queries(25):
        api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})

    assert len(moves(project)) == 3


def test_projects_keep_to_themselves(api, other_api, project):
    make(other_api, type="auto-update", filter=VIP)
    fill(other_api.project)

    api.post("/v1/customers", {"source_id": "ann", "metadata": {"vip": True}})

    assert not SegmentMember.objects.exists()
