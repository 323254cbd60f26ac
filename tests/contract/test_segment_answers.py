"""Every answer about customer segments has the published shape, and so have the events."""

import pytest
from jsonschema import Draft202012Validator

from promoengine.core.models import OutboxEvent
from tests.contract.published import as_json_schema, published
from tests.factories import CustomerFactory

FILTER = {
    "junction": "and",
    "birthdate": {"conditions": {"$next_month": [True]}},
    "address.country": {"conditions": {"$is": "Poland"}},
    "metadata.club_level": {"conditions": {"$in": ["Gold", "Silver"]}},
}


@pytest.mark.parametrize(
    "body",
    [
        {"type": "static", "customers": ["ann"]},
        {"type": "auto-update", "filter": FILTER},
        {"type": "passive", "filter": {"email": {"conditions": {"$has_value": True}}}},
    ],
)
def test_segment_life(contract, project, body):
    CustomerFactory(project=project, source_id="ann")

    made = contract.call("post", "/v1/segments", {"name": "Segment"} | body)

    path = f"/v1/segments/{made['id']}"
    contract.call("get", path)
    contract.call("get", "/v1/segments", query={"order": "created_at", "limit": 5})
    contract.call("get", "/v1/customers/ann/segments")
    contract.call("get", "/v1/customers/nobody/segments")
    contract.call("get", "/v1/customers", query={"segment_id": made["id"]})
    contract.call("delete", path, status=204)
    contract.call("get", path, status=404)
    contract.call("delete", path, status=404)


def test_entering_and_leaving(api, project):
    vip = {"metadata.vip": {"conditions": {"$is": [True]}}}
    api.post("/v1/segments", {"name": "Segment", "type": "auto-update", "filter": vip})
    for value in (True, False):
        api.post("/v1/customers", {"source_id": "ann", "email": "a@b.c", "metadata": {"vip": value}})

    events = OutboxEvent.objects.filter(project=project, type__startswith="customer.segment.").order_by("pk")
    assert [event.type for event in events] == ["customer.segment.entered", "customer.segment.left"]
    for event, name in zip(events, ("EventCustomerSegmentEntered", "EventCustomerSegmentLeft"), strict=True):
        schema = as_json_schema({"$ref": f"#/components/schemas/{name}"})
        validator = Draft202012Validator({**published().root, "allOf": [schema]})
        assert [error.message for error in validator.iter_errors(event.data)] == []
