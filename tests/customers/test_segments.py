"""Customer segments over HTTP: made, asked, listed and deleted, and what is wrong with one."""

import pytest

from customers.models import Segment, SegmentMember
from promoengine.core.services.definitions import current_version
from tests.customers.segments import VIP, fill, make, moves, names_of
from tests.factories import CustomerFactory


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
