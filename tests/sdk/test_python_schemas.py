"""The official Python SDK defines attributes and events, makes a project, and is held to what it defined."""

import uuid
from collections.abc import Iterator

import pytest
import voucherify as sdk
from voucherify.exceptions import ApiException

pytestmark = pytest.mark.xdist_group("product")


@pytest.fixture
def management(product, management_key) -> Iterator[sdk.ManagementApi]:
    configuration = sdk.Configuration(
        host=product.base_url,
        api_key={
            "X-Management-Id": management_key["app_id"],
            "X-Management-Token": management_key["app_token"],
        },
    )
    with sdk.ApiClient(configuration) as client:
        yield sdk.ManagementApi(client)


@pytest.fixture
def project_id(management) -> str:
    return management.list_projects().data[0].id


def test_attributes_are_defined_read_and_kept_to(client, management, project_id):
    """In a project of its own: the other stories' customers are not held to its schema."""
    made = management.create_project(
        sdk.ManagementProjectsCreateRequestBody.from_dict(
            {"name": "Attributes", "case_sensitive_codes": True, "timezone": "UTC", "currency": "EUR"}
        )
    )
    rating = {"type": "number", "optional": False, "array": False, "gte": 1, "lte": 5}
    body = {"related_object": "customer", "properties": {"rating": rating}}
    schema = management.create_metadata_schema(
        made.id, sdk.ManagementProjectsMetadataSchemasCreateRequestBody.from_dict(body)
    )
    own = sdk.Configuration(
        host=client.configuration.host,
        api_key={"X-App-Id": made.server_side_key.app_id, "X-App-Token": made.server_side_key.app_token},
    )
    with sdk.ApiClient(own) as shop:
        customers, schemas = sdk.CustomersApi(shop), sdk.MetadataSchemasApi(shop)
        assert schemas.get_metadata_schema("customer").id == schema.id
        assert [one.related_object for one in schemas.list_metadata_schemas().schemas] == ["customer"]
        with pytest.raises(ApiException) as refused:
            customers.create_customer(sdk.CustomersCreateRequestBody(source_id="ann", metadata={"rating": 6}))
        assert refused.value.status == 400
        assert "metadata_validation_failed" in refused.value.body
        customer = customers.create_customer(
            sdk.CustomersCreateRequestBody(source_id="ann", metadata={"rating": 5})
        )
        assert customer.metadata == {"rating": 5}

    more = {"allow_defined_only": True, "properties": {"rating": rating | {"lte": 10}}}
    changed = management.update_metadata_schema(
        made.id, schema.id, sdk.ManagementProjectsMetadataSchemasUpdateRequestBody.from_dict(more)
    )
    assert (changed.allow_defined_only, changed.properties["rating"]["lte"]) == (True, 10)
    assert management.list_metadata_schemas1(made.id).total == 1
    management.delete_metadata_schema(made.id, schema.id)
    with pytest.raises(ApiException) as gone:
        management.get_metadata_schema1(made.id, schema.id)
    assert gone.value.status == 404

    management.delete_project(made.id)
    with pytest.raises(ApiException) as closed:
        management.get_project(made.id)
    assert closed.value.status == 404


def test_events_are_defined_and_kept_to(client, management, project_id):
    name = f"review_{uuid.uuid4().hex[:8]}"
    body = {"name": name, "schema": {"properties": {"stars": {"type": "number", "optional": False}}}}

    made = management.create_custom_event_schema(
        project_id, sdk.ManagementProjectsCustomEventSchemasCreateRequestBody.from_dict(body)
    )

    events = sdk.EventsApi(client)
    body = {"event": name, "customer": {"source_id": "ann"}}
    with pytest.raises(ApiException) as refused:
        events.track_custom_event(sdk.EventsCreateRequestBody.from_dict(body))
    assert refused.value.status == 400
    body["metadata"] = {"stars": 5}
    assert events.track_custom_event(sdk.EventsCreateRequestBody.from_dict(body)).type == name
    assert management.get_custom_event_schema(project_id, made.id).name == name
    management.delete_custom_event_schema(project_id, made.id)


def test_the_project_is_read_and_changed(management, project_id):
    before = management.get_project(project_id)

    changed = management.update_project(
        project_id, sdk.ManagementProjectsUpdateRequestBody.from_dict({"description": "A demo"})
    )

    assert (changed.description, changed.name, changed.currency) == ("A demo", before.name, before.currency)
