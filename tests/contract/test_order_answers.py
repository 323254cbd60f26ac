"""Every answer about orders has the published shape, and so have the events."""

import pytest
from jsonschema import Draft202012Validator

from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from tests.contract.published import as_json_schema, published, without_nulls
from tests.factories import ProductFactory, SkuFactory, VoucherFactory

PUBLISHED = {
    "source_id": "new",
    "status": "FULFILLED",
    "metadata": {"location_id": ["L1", "L2"], "payment_mean": ["paypal", "credit-card"]},
    "customer": {"source_id": "bob", "name": "Bob", "metadata": {"lang": "en"}, "birthdate": "2022-01-02"},
    "referrer": {"source_id": "jane", "name": "Jane", "birthday": "2022-03-03"},
    "items": [
        {
            "source_id": "prod_1",
            "related_object": "product",
            "quantity": 2,
            "product": {"name": "Phone", "price": 60000, "metadata": {"color": ["red"]}, "override": True},
        },
        {
            "source_id": "ComicBook_1",
            "related_object": "sku",
            "quantity": 1,
            "product": {"source_id": "Books", "name": "Comic Books1", "price": 2100, "override": True},
            "sku": {"sku": "Comics1", "source_id": "ComicBook_1", "price": 1700, "override": True},
        },
    ],
}


def test_order_life(contract):
    made = contract.call("post", "/v1/orders", PUBLISHED)

    assert (made["amount"], made["total_amount"]) == (121700, 121700)
    path = f"/v1/orders/{made['id']}"
    contract.call("post", "/v1/orders", PUBLISHED)
    contract.call("put", path, {"status": "CANCELED"})
    contract.call("get", path)
    contract.call("get", "/v1/orders/nobody", status=404)
    contract.call("get", "/v1/orders", query={"order": "-updated_at", "limit": 5, "page": 1})


def test_orders_of_redemptions(contract, api, project):
    sku = SkuFactory(project=project, product=ProductFactory(project=project), price=100)
    gift = {"type": "UNIT", "effect": "ADD_NEW_ITEMS", "unit_off": 1, "unit_type": sku.public_id}
    codes = [VoucherFactory(project=project), VoucherFactory(project=project, discount=gift)]
    body = {
        "redeemables": [{"object": "voucher", "id": voucher.code} for voucher in codes],
        "order": {"source_id": "cart-1", "items": [{"source_id": "a", "quantity": 2, "price": 5000}]},
        "customer": {"source_id": "ann"},
    }
    parent = contract.call("post", "/v1/redemptions", body)["parent_redemption"]

    order = contract.call("get", "/v1/orders/cart-1")
    contract.call("put", "/v1/orders/cart-1", {"status": "FULFILLED"})
    api.post(f"/v1/redemptions/{parent['id']}/rollbacks")
    contract.call("get", "/v1/orders/cart-1")
    contract.call("get", "/v1/orders", query={"customer": "ann"})

    assert (order["initial_amount"], order["amount"]) == (10000, 10100)


def test_orders_are_imported(contract):
    started = contract.call("post", "/v1/orders/import", [PUBLISHED, {"id": "ord_none"}])
    run_async_action(AsyncAction.objects.get().pk)

    contract.call("get", f"/v1/async-actions/{started['async_action_id']}")
    contract.call("post", "/v1/orders/import", [{"items": [{"initial_quantity": -1}]}], status=400)


def test_orders_are_exported(contract):
    contract.call("post", "/v1/orders", PUBLISHED)
    fields = ["id", "source_id", "total_amount", "referrer_id", "metadata"]
    filters = {"discount_amount": {"conditions": {"$more_than": [100000]}}}

    for parameters in ({}, {"fields": fields, "order": "-updated_at", "filters": filters}):
        made = contract.call("post", "/v1/orders/export", {"parameters": parameters} if parameters else {})
        run_async_action(AsyncAction.objects.latest("created_at").pk)
        assert contract.call("get", f"/v1/exports/{made['id']}")["status"] == "DONE"
    contract.call("post", "/v1/orders/export", {"parameters": {"fields": ["color"]}}, status=400)


@pytest.mark.parametrize("status", ["PAID", "PROCESSING", "CANCELED", "FULFILLED"])
def test_events_of_orders(api, project, status):
    api.post("/v1/orders", PUBLISHED | {"status": "CREATED"})
    api.put("/v1/orders/new", {"status": status})

    events = OutboxEvent.objects.filter(project=project, type__startswith="customer.order.").order_by("pk")
    names = ["Created", "Updated", status.capitalize()]
    assert [event.type for event in events] == [f"customer.order.{name.lower()}" for name in names]
    for event, name in zip(events, names, strict=True):
        schema = as_json_schema({"$ref": f"#/components/schemas/EventCustomerOrder{name}"})
        validator = Draft202012Validator({**published().root, "allOf": [schema]})
        wrong = [error.message for error in validator.iter_errors(without_nulls(event.data))]
        assert [text for text in wrong if "PROCESSING" not in text] == []
