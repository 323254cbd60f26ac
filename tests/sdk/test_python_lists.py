"""The official Python SDK exports, reads the file by its link, and empties the bin."""

import time
import uuid

import pytest
import requests
import voucherify as sdk

pytestmark = pytest.mark.xdist_group("product")


def test_an_export_is_made_and_downloaded(client):
    api = sdk.ExportsApi(client)
    body = {"exported_object": "voucher", "parameters": {"fields": ["code", "voucher_type"], "order": "code"}}
    made = api.create_export(sdk.ExportsCreateRequestBody.from_dict(body))

    deadline = time.monotonic() + 30
    while (done := api.get_export(made.id)).status != "DONE":
        assert time.monotonic() < deadline, "the export was never done"
        time.sleep(0.2)
    lines = requests.get(done.result.url, timeout=30).text.splitlines()
    listed = [one.id for one in api.list_exports(limit=100).exports]
    api.delete_export(made.id)

    assert lines[0] == "Code,Voucher Type"
    assert len(lines) > 2
    assert made.id in listed
    assert requests.get(done.result.url, timeout=30).status_code == 404


def test_what_is_deleted_is_in_the_bin_until_it_is_deleted_there(client):
    products, api = sdk.ProductsApi(client), sdk.BinApi(client)
    ref = f"py-bin-{uuid.uuid4().hex[:8]}"
    made = products.create_product(sdk.ProductsCreateRequestBody(source_id=ref, name="Boot"))
    products.delete_product(made.id)

    (entry,) = [one for one in api.list_bin_entries(limit=100).data if one.resource_id == made.id]
    api.delete_bin_entry(entry.id)

    assert (entry.resource_type, entry.resource_name) == ("product", "Boot")
    assert made.id not in [one.resource_id for one in api.list_bin_entries(limit=100).data]


def test_locations_are_listed(client):
    assert sdk.LocationsApi(client).list_locations(limit=10).data == []
