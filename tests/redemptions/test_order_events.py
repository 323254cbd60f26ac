"""What is told of orders, whoever changes them, and what customers have spent by it."""

import pytest

from customers.models import Customer
from promoengine.core.json_text import to_json
from promoengine.core.models import OutboxEvent
from tests.redemptions.ordering import ANN, change, create, events, spent
from tests.redemptions.storefront import code_with, redeem


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("CREATED", ["created"]),
        ("PAID", ["created", "paid"]),
        ("PROCESSING", ["created", "processing"]),
        ("CANCELED", ["created", "canceled"]),
        ("FULFILLED", ["created", "fulfilled"]),
    ],
)
def test_a_new_order_tells_its_status(api, project, status, expected):
    create(api, amount=1, status=status)

    assert events(project) == expected


def test_each_change_tells_of_itself_once(api, project):
    made = create(api, amount=1, customer=ANN)
    for body in (
        {"status": "PAID"},
        {"status": "PAID"},
        {"amount": 2},
        {"status": "CREATED"},
        {"metadata": {}},
    ):
        change(api, made, **body)

    assert events(project) == ["created", "updated", "paid", "updated", "updated"]
    activity = api.get("/v1/customers/ann/activity", {"limit": 100}).json()["data"]
    told = [one["type"] for one in reversed(activity) if ".order." in one["type"]]
    assert told == [f"customer.order.{event}" for event in events(project)]


def test_redemption_and_rollback_tell_of_the_order(api, project):
    redeemed = redeem(api, code_with(api), order={"source_id": "cart-1", "amount": 5000}, customer=ANN)
    api.post(f"/v1/redemptions/{redeemed['redemptions'][0]['id']}/rollback")

    assert events(project) == ["created", "paid", "updated", "canceled"]
    paid = OutboxEvent.objects.get(type="customer.order.paid").data
    assert paid["order"]["id"] == redeemed["order"]["id"]
    assert paid["customer"]["source_id"] == "ann"
    assert paid["redemption"]["id"] == redeemed["redemptions"][0]["id"]


def test_an_order_that_passes_on_tells_whom_it_leaves_nothing_personal(api, project):
    made = create(api, amount=1, customer=ANN | {"email": "ann@example.com"})

    change(
        api,
        made,
        customer={"source_id": "bob", "email": "bob@example.com"},
        referrer={"source_id": "eve", "email": "eve@example.com"},
        metadata={"door": "bob's"},
    )

    happened = OutboxEvent.objects.filter(type="customer.order.updated")
    told = {
        Customer.objects.get(pk=event.customer_id).source_id: to_json(event.data).decode()
        for event in happened
    }
    assert told.keys() == {"ann", "bob"}
    assert "bob" not in told["ann"]
    assert "bob@example.com" in told["bob"]
    assert "eve" not in told["bob"]


def test_a_guests_redemption_is_told_by_itself(api, project):
    redeemed = redeem(api, code_with(api), order={"amount": 5000})

    assert events(project) == []
    told = OutboxEvent.objects.get(type="redemption.succeeded")
    assert told.data["order"]["id"] == redeemed["order"]["id"]


def test_what_a_customer_spent_follows_their_orders(api):
    first = create(api, amount=1000, customer=ANN, status="PAID")
    second = create(api, amount=500, customer=ANN)
    assert spent(api) == (1, 1000)

    change(api, second, status="FULFILLED")
    assert spent(api) == (2, 1500)

    change(api, first, status="CANCELED")
    assert spent(api) == (1, 500)

    change(api, second, amount=700, discount_amount=100)
    assert spent(api) == (1, 600)

    change(api, second, customer={"source_id": "bob"})
    assert (spent(api), spent(api, "bob")) == ((0, 0), (1, 600))


def test_what_a_customer_spent_is_without_discounts(api):
    redeemed = redeem(api, code_with(api), order={"amount": 5000}, customer=ANN)
    assert spent(api) == (1, 4000)

    api.post(f"/v1/redemptions/{redeemed['redemptions'][0]['id']}/rollback")
    assert spent(api) == (0, 0)
