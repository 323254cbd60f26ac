"""Metadata schemas, event schemas and projects of the management API, held against the published contract."""

import pytest

from promoengine.core.models import ApiKey
from tests.api import Api
from tests.contract.conftest import ContractApi
from tests.factories import VoucherFactory

COLOR = {"type": "string", "optional": True, "array": False, "eq": ["red", "blue"], "max_length": 4}
DEFINITIONS = {
    "color": COLOR,
    "sizes": {"type": "number", "optional": True, "array": True, "ne": [13], "gt": 1, "lte": 50},
    "paid": {"type": "object", "optional": True, "array": False, "object_type": "Payment"},
}


@pytest.fixture
def management(project) -> ContractApi:
    return ContractApi(Api(project, ApiKey.Kind.MANAGEMENT))


@pytest.fixture
def url(project) -> str:
    return f"/management/v1/projects/{project.public_id}"


def test_metadata_schemas_life(management, contract, url):
    path = f"{url}/metadata-schemas"
    contract.call("get", "/v1/metadata-schemas")
    contract.call("get", "/v1/metadata-schemas/product", status=404)
    body = {"related_object": "product", "properties": DEFINITIONS}
    made = management.call("post", path, body)
    management.call("post", path, {"related_object": "product", "properties": {}}, status=409)
    management.call("post", path, {"properties": {}}, status=400)
    management.call("get", path)
    own = f"{path}/{made['id']}"
    management.call("get", own)
    management.call("put", own, {"properties": {"color": COLOR | {"deleted": True}}})
    management.call("put", own, {"properties": {"color": {"type": "number"}}}, status=400)
    contract.call("get", "/v1/metadata-schemas")
    contract.call("get", "/v1/metadata-schemas/product")
    management.call("delete", own, status=204)
    management.call("get", own, status=404)
    management.call("delete", own, status=404)


def test_a_refusal(management, contract, url, project):
    VoucherFactory(project=project, code="CODE")
    body = {"related_object": "publication", "properties": DEFINITIONS}
    management.call("post", f"{url}/metadata-schemas", body)
    body = {"voucher": "CODE", "customer": {"source_id": "ann"}, "metadata": {"color": "green"}}

    found = contract.call("post", "/v1/publications", body, status=400)

    said = "must be a string, must be equal to one of red,blue, must have at most 4 characters"
    assert (found["key"], found["message"]) == ("metadata_validation_failed", "Metadata validation failed")
    assert found["details"] == f"color: {said} (actual value is 'green')"


def test_event_schemas_life(management, contract, url):
    path = f"{url}/custom-event-schemas"
    properties = {"stars": {"type": "number", "optional": False}}
    made = management.call("post", path, {"name": "review", "schema": {"properties": properties}})
    management.call("post", path, {"name": "review", "schema": {"properties": {}}}, status=409)
    management.call("post", path, {"name": "review"}, status=400)
    own = f"{path}/{made['id']}"
    management.call("put", own, {"schema": {"properties": {"stars": {"type": "string"}}}})
    management.call("put", own, {"schema": {"properties": {"stars": {"type": "money"}}}}, status=400)
    management.call("get", own)
    management.call("get", path)
    contract.call("post", "/v1/events", {"event": "review", "customer": {"source_id": "ann"}})
    management.call("delete", own, status=204)
    management.call("get", own, status=404)


def test_projects_life(management, url):
    path = "/management/v1/projects"
    body = {"name": "x", "case_sensitive_codes": True, "timezone": "UTC", "currency": "EUR"}
    made = management.call("post", path, body)
    management.call("post", path, {"name": "x"}, status=400)
    management.call("get", path)
    management.call("get", url)
    management.call("put", url, {"description": "y", "default_code_config": {"charset": "01"}})
    management.call("delete", f"{path}/{made['id']}", status=204)
    management.call("get", f"{path}/{made['id']}", status=404)
