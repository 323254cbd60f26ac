"""Importing historic orders: many at once, as often as one likes, and without a word about them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Customer, SegmentMember
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from promoengine.core.services.metadata_schemas import define_attribute
from redemptions.models import Order
from redemptions.services import import_orders as imports
from tests.factories import CustomerFactory, ProductFactory
from tests.redemptions.storefront import code_with, redeem


def send(api, rows):
    """Import orders, and return what became of it."""
    answer = api.post("/v1/orders/import", rows)
    assert answer.status_code == 200, answer.content
    action = AsyncAction.objects.latest("created_at")
    assert answer.json() == {"async_action_id": action.public_id}
    run_async_action(action.pk)
    return api.get(f"/v1/async-actions/{action.public_id}").json()


def rows_of(count, **more):
    return [
        {"source_id": f"old-{number}", "status": "PAID", "amount": 100, **more} for number in range(count)
    ]


def orders_of(api, customer):
    orders = api.get(f"/v1/customers/{customer}").json()["summary"]["orders"]
    return orders["total_count"], orders["total_amount"]


def test_orders_are_imported_with_people_and_goods(api, project):
    CustomerFactory(project=project, source_id="ann")
    ProductFactory(project=project, source_id="mug", price=900)
    rows = [
        {
            "source_id": "old-1",
            "status": "FULFILLED",
            "customer": {"source_id": "ann"},
            "referrer": {"source_id": "bob", "name": "Bob"},
            "items": [{"source_id": "mug", "quantity": 2, "discount_amount": 300}],
            "metadata": {"ordered_at": "2020-01-31"},
        },
        {
            "source_id": "old-2",
            "status": "PAID",
            "customer": {"source_id": "ann"},
            "items": [{"source_id": "hat", "product": {"name": "Hat", "price": 500, "override": True}}],
        },
        {"status": "CREATED", "amount": 5},
    ]

    done = send(api, rows)

    assert (done["type"], done["status"], done["operation_status"]) == ("ORDERS.IMPORT", "DONE", "SUCCESS")
    assert done["result"]["message"] == "3 orders imported, 0 failed"
    first = api.get("/v1/orders/old-1").json()
    assert (first["status"], first["amount"], first["total_amount"]) == ("FULFILLED", 1800, 1500)
    assert first["items"][0]["id"].startswith("ordli_")
    assert first["referrer_id"] == api.get("/v1/customers/bob").json()["id"]
    assert api.get("/v1/products/hat").json()["name"] == "Hat"
    assert orders_of(api, "ann") == (2, 2000)
    assert Order.objects.count() == 3


def test_no_event_tells_of_them_but_their_customers_enter_segments(api):
    rich = {"summary.orders.total_amount": {"conditions": {"$more_than": [150]}}}
    api.post("/v1/segments", {"name": "Rich", "type": "auto-update", "filter": rich})
    run_async_action(AsyncAction.objects.get().pk)

    send(api, rows_of(2, customer={"source_id": "ann"}))

    types = set(OutboxEvent.objects.values_list("type", flat=True))
    assert types == {"customer.created", "customer.segment.entered"}
    assert SegmentMember.objects.get().customer.source_id == "ann"


def test_the_same_import_again_changes_nothing(api):
    rows = rows_of(
        3, customer={"source_id": "ann", "metadata": {"a": 1}}, items=[{"source_id": "x", "price": 100}]
    )
    send(api, rows)
    before = list(Order.objects.order_by("pk").values())

    again = send(api, rows)

    assert again["result"]["done_count"] == 3
    assert list(Order.objects.order_by("pk").values()) == before
    assert orders_of(api, "ann") == (3, 300)


def test_an_import_changes_what_is_there(api):
    send(api, rows_of(3, customer={"source_id": "ann"}))

    send(
        api,
        [
            {"source_id": "old-0", "status": "CANCELED"},
            {"source_id": "old-1", "customer": {"source_id": "bob"}},
        ],
    )

    assert orders_of(api, "ann") == (1, 100)
    assert orders_of(api, "bob") == (1, 100)
    assert api.get("/v1/orders/old-0").json()["amount"] == 100


def test_the_last_of_two_rows_of_one_order_counts(api):
    send(api, [{"source_id": "a", "amount": 1, "metadata": {"x": 1}}, {"source_id": "a", "amount": 2}])

    order = api.get("/v1/orders/a").json()
    assert (order["amount"], order["metadata"], order["updated_at"]) == (2, {"x": 1}, None)


def test_an_order_that_was_redeemed_keeps_its_discounts(api):
    redeem(api, code_with(api), order={"source_id": "a", "amount": 5000}, customer={"source_id": "ann"})

    send(api, [{"source_id": "a", "status": "FULFILLED"}])

    order = api.get("/v1/orders/a").json()
    assert (order["status"], order["total_amount"], len(order["redemptions"])) == ("FULFILLED", 4000, 1)


def test_what_can_not_be_stored_is_reported_and_the_rest_is_there(api):
    api.post("/v1/orders", {"source_id": "taken", "amount": 1})
    made = api.post("/v1/orders", {"amount": 1}).json()

    done = send(
        api,
        [
            {"source_id": "good", "amount": 1},
            {"source_id": "nobody", "customer": {"id": "cust_none"}},
            {"id": "ord_none", "amount": 1},
            {"id": made["id"], "source_id": "taken"},
            {
                "source_id": "goods",
                "items": [{"product": {"id": "prod_none", "name": "x", "override": True}}],
            },
        ],
    )

    result = done["result"]
    assert (result["done_count"], result["failed_count"]) == (1, 4)
    assert [(one["row"], one["source_id"], one["reason"]) for one in result["failed"]] == [
        (2, "nobody", "Cannot find customer with id cust_none"),
        (3, None, "Cannot find order with id ord_none"),
        (4, "taken", "Duplicated order exists with source_id taken"),
        (5, "goods", "Cannot find product with id prod_none"),
    ]
    assert api.get("/v1/orders/good").status_code == 200
    assert Order.objects.count() == 3


def test_orders_keep_to_their_schema_and_to_what_was_paid_back(api, project):
    define_attribute(project, "order_item", "size", definition={"type": "number"}, now=timezone.now())
    api.post("/v1/orders", {"source_id": "sold", "status": "PAID", "items": [{"amount": 100}]})
    api.post("/v1/orders/sold/refunds", {})

    done = send(
        api,
        [
            {"source_id": "wrong", "items": [{"amount": 1, "metadata": {"size": "big"}}]},
            {"source_id": "sold", "amount": 50},
            {"source_id": "sold", "status": "FULFILLED"},
            {"source_id": "right", "items": [{"amount": 1, "metadata": {"size": 42}}]},
        ],
    )

    reasons = [(one["row"], one["reason"]) for one in done["result"]["failed"]]
    assert [row for row, _ in reasons] == [1, 2]
    assert reasons[0][1].startswith("[0].items[0].metadata.size: must be a number")
    assert "has refunds" in reasons[1][1]
    assert api.get("/v1/orders/sold").json()["status"] == "FULFILLED"


def test_another_projects_orders_and_people_are_unknown(api, other_api):
    theirs = other_api.post("/v1/orders", {"amount": 1, "customer": {"source_id": "ann"}}).json()

    done = send(
        api, [{"id": theirs["id"], "amount": 2}, {"amount": 3, "customer": {"id": theirs["customer_id"]}}]
    )

    assert done["result"]["failed_count"] == 2
    assert other_api.get(f"/v1/orders/{theirs['id']}").json() == theirs


def test_a_dead_workers_successor_goes_on(api, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    written = []
    write = imports._write

    def dies_once(action, rows, failures):
        written.append(len(rows))
        if len(written) == 3:
            raise KeyboardInterrupt
        return write(action, rows, failures)

    monkeypatch.setattr(imports, "_write", dies_once)
    api.post("/v1/orders/import", rows_of(7, customer={"source_id": "ann"}))
    action = AsyncAction.objects.get()
    with pytest.raises(KeyboardInterrupt):
        run_async_action(action.pk)

    run_async_action(action.pk)

    action.refresh_from_db()
    assert (written, action.done_count) == ([2, 2, 2, 2, 1], 7)
    assert orders_of(api, "ann") == (7, 700)
    assert action.params == {}


@pytest.mark.parametrize(
    ("rows", "details"),
    [
        ({"a": 1}, "Payload should be array"),
        ([{}] * 2001, "Payload should have up to 2000 orders"),
        ([{}, 5], "Property [1] should be object"),
        ([{"status": "LOST"}], "Property [0].status should be one of"),
        ([{"items": [{}, {"quantity": "x"}]}], "Property [0].items[1].quantity should be integer"),
        ([{"amount": -1}], "Property [0].amount has to be a valid positive number"),
        ([{"customer": {"email": 5}}], "Property [0].customer.email should be string"),
        ([{"referrer": []}], "Property [0].referrer should be object"),
        (
            [{"items": [{"product": {"override": True}}]}],
            "Property [0].items[0].product should have required",
        ),
    ],
)
def test_bad_input_is_named_and_starts_nothing(api, rows, details):
    answer = api.post("/v1/orders/import", rows)

    assert (answer.status_code, answer.json()["key"][:7]) == (400, "invalid")
    assert answer.json()["details"].startswith(details)
    assert not AsyncAction.objects.exists()


def test_an_empty_import_is_done_at_once(api):
    assert send(api, [])["result"]["message"] == "0 orders imported, 0 failed"


def test_queries_do_not_grow_with_the_batch(api, project):
    CustomerFactory(project=project, source_id="ann")
    counts = []
    for count in (2, 50):
        api.post("/v1/orders/import", rows_of(count, customer={"source_id": "ann"}, metadata={"n": count}))
        with CaptureQueriesContext(connection) as queries:
            run_async_action(AsyncAction.objects.latest("created_at").pk)
        counts.append(len(queries))

    # The second one changes two orders besides.
    assert counts[1] - counts[0] <= 2
    assert (Order.objects.count(), Customer.objects.count()) == (50, 1)
