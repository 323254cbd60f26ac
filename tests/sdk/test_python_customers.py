"""The official Python SDK keeps customers: made, read, changed, listed, imported, deleted, erased; events."""

import time
import uuid

import pytest
import voucherify as sdk
from voucherify.exceptions import ApiException

pytestmark = pytest.mark.xdist_group("product")


@pytest.fixture
def customers(client):
    return sdk.CustomersApi(client)


@pytest.fixture
def source_id():
    return f"py-{uuid.uuid4().hex[:8]}"


def make(customers, source_id, **fields):
    return customers.create_customer(sdk.CustomersCreateRequestBody(source_id=source_id, **fields))


def until_done(client, action_id):
    deadline = time.monotonic() + 15
    while (action := sdk.AsyncActionsApi(client).get_async_action(action_id)).status != "DONE":
        assert time.monotonic() < deadline, action
        time.sleep(0.1)
    return action


def test_a_customers_life(customers, source_id):
    made = make(customers, source_id, name="Ann", email=f"{source_id}@example.com", metadata={"lang": "en"})
    changed = customers.update_customer(
        source_id, sdk.CustomersUpdateRequestBody(name="Anna", metadata={"vip": True})
    )
    read = customers.get_customer(made.id)
    listed = customers.list_customers(email=f"{source_id}@example.com")

    assert (changed.id, read.name, read.metadata) == (made.id, "Anna", {"lang": "en", "vip": True})
    assert [one.id for one in listed.customers] == [made.id]
    assert (read.summary.orders.total_count, read.loyalty.points) == (0, 0)

    customers.delete_customer(source_id)
    with pytest.raises(ApiException) as refused:
        customers.get_customer(source_id)
    assert refused.value.status == 404


def test_customers_come_from_csv_and_in_bulk(client, customers, source_id, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text(
        f"Source_id,Name,Address_City,Hobby\n{source_id},Ann,Oslo,chess\n,,,\n{source_id}-2,Bob,,\n"
    )

    imported = until_done(client, customers.import_customers_using_csv(file=str(file)).async_action_id)
    bulk = customers.update_customers_in_bulk(
        [sdk.CustomersUpdateInBulkRequestBody(source_id=source_id, description="regular")]
    )
    until_done(client, bulk.async_action_id)
    metadata = customers.update_customers_metadata_in_bulk(
        sdk.CustomersMetadataUpdateInBulkRequestBody(
            source_ids=[source_id, f"{source_id}-2"], metadata={"a": 1}
        )
    )
    until_done(client, metadata.async_action_id)

    ann = customers.get_customer(source_id)
    assert imported.result["done_count"] == 2
    assert (ann.address.city, ann.description, ann.metadata) == (
        "Oslo",
        "regular",
        {"Hobby": "chess", "a": 1},
    )
    assert customers.get_customer(f"{source_id}-2").metadata == {"a": 1}


def test_what_a_customer_did_is_told(client, customers, source_id):
    make(customers, source_id, name="Ann")
    event = sdk.EventsApi(client).track_custom_event(
        sdk.EventsCreateRequestBody.from_dict(
            {"event": "cart_abandoned", "customer": {"source_id": source_id}, "metadata": {"items": 3}}
        )
    )

    activity = customers.list_customer_activity(source_id, category="ACTION")
    told = customers.list_customer_activity(source_id, type="customer.custom_event")

    assert (event.type, event.metadata) == ("cart_abandoned", {"items": 3})
    assert [one.type for one in activity.data] == ["customer.custom_event", "customer.created"]
    assert [one.type for one in told.data] == ["customer.custom_event"]


def test_a_customer_is_erased_for_good(customers, source_id):
    made = make(customers, source_id, name="Ann", email=f"{source_id}@example.com")

    erased = customers.customer_permanently_deletion(source_id)

    assert (erased.related_object_id, erased.status, erased.data_json.customer) == (made.id, "DONE", 1)
    assert customers.list_customers(email=f"{source_id}@example.com").total == 0
    with pytest.raises(ApiException) as refused:
        customers.get_customer(source_id)
    assert refused.value.status == 404
