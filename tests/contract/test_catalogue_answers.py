"""Every answer about products, SKUs and collections has the published shape."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.contract.published import published
from tests.contract.test_answers import is_routed

GROUPS = {"products", "product-collections"}
PHONE = {
    "source_id": "phone",
    "name": "Phone",
    "price": 200000,
    "attributes": ["color"],
    "metadata": {"brand": "Acme"},
    "image_url": "https://shop.example/phone.png",
}
SKU = {
    "source_id": "phone-64",
    "sku": "Phone 64GB",
    "price": 210000,
    "currency": "USD",
    "attributes": {"color": "black"},
    "metadata": {"a": 1},
}


def test_product_life(contract):
    made = contract.call("post", "/v1/products", PHONE)
    contract.call("post", "/v1/products", {})

    contract.call("get", f"/v1/products/{made['id']}")
    contract.call("put", "/v1/products/phone", {"price": 1})
    contract.call("get", "/v1/products")
    contract.call("get", "/v1/products/prod_5h1pp1ng")
    contract.call("delete", "/v1/products/phone", status=204)
    contract.call("get", "/v1/products/phone", status=404)


def test_sku_life(contract):
    contract.call("post", "/v1/products", PHONE)
    made = contract.call("post", "/v1/products/phone/skus", SKU)
    contract.call("post", "/v1/products/phone/skus", {})

    contract.call("get", f"/v1/skus/{made['id']}")
    contract.call("get", "/v1/products/phone/skus")
    contract.call("get", "/v1/products/phone")
    contract.call("get", "/v1/products")
    contract.call("put", "/v1/products/phone/skus/phone-64", {"price": 1})
    contract.call("delete", "/v1/products/phone/skus/phone-64", status=204)
    contract.call("get", "/v1/skus/phone-64", status=404)


def test_many_products(contract):
    contract.call("post", "/v1/products/bulk/async", [PHONE], status=202)
    contract.call(
        "post", "/v1/products/metadata/async", {"source_ids": ["phone"], "metadata": {"a": 1}}, status=202
    )


def test_imports_and_their_async_actions(contract, api):
    for path in ("/v1/products/importCSV", "/v1/skus/importCSV"):
        answer = api.upload(path, SimpleUploadedFile("rows.csv", b"name,source_id,price\nA,a,1\nB,b,x\n"))

        assert published().problems("post", path, answer.status_code, answer.json()) == []
        run_async_action(AsyncAction.objects.latest("created_at").pk)
        contract.call("get", f"/v1/async-actions/{answer.json()['async_action_id']}")


def test_collection_life(contract):
    contract.call("post", "/v1/products", PHONE)
    sku = contract.call("post", "/v1/products/phone/skus", SKU)
    listed = [{"id": "phone", "object": "product"}, {"id": sku["id"], "object": "sku"}]
    asked = {"junction": "and", "price": {"conditions": {"$more_than": [0]}}}

    for body in (
        {"type": "STATIC", "name": "Set", "products": listed},
        {"type": "AUTO_UPDATE", "name": "Dear", "filter": asked},
    ):
        made = contract.call("post", "/v1/product-collections", body)
        path = f"/v1/product-collections/{made['id']}"
        contract.call("get", path)
        assert contract.call("get", f"{path}/products")["total"] == 2
        contract.call("put", path, {"name": "Other"})
        contract.call("get", "/v1/product-collections")
        contract.call("delete", path, status=204)
        contract.call("get", path, status=404)


def test_the_collection_of_all_products(contract):
    contract.call("get", "/v1/product-collections/pc_a11pr0dUc75")
    contract.call("get", "/v1/product-collections/pc_a11pr0dUc75/products")


def test_every_endpoint_of_these_groups_is_there():
    missing = {
        f"{method} {template}"
        for _, method, template, operation in published().operations
        if set(operation["tags"]) & GROUPS and not is_routed(re.sub(r"\{[^}]+\}", "x", template), method)
    }

    assert missing == set()
