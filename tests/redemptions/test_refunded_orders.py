"""What a refund means for its order, for its customer, and for those who hear of it."""

import pytest

from customers.models import CustomerSummary
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.models import Order
from tests.factories import (
    CustomerFactory,
    VoucherFactory,
)
from tests.redemptions.refunding import line, refund, refused, sell, summary_of, units
from tests.redemptions.storefront import redeem


def test_a_canceled_order_is_not_refunded(api, project):
    sold = redeem(api, VoucherFactory(project=project).code, order={"items": [line("a", 1, 3000)]})
    api.post(f"/v1/redemptions/{sold['redemptions'][0]['id']}/rollback")

    assert refused(api, sold["order"]["id"]) == (400, "invalid_order")


def test_an_order_not_paid_is_not_refunded(api, project):
    order = sell(api, VoucherFactory(project=project).code, amount=3000, status="CREATED")

    assert refused(api, order) == (400, "invalid_order")


def test_one_event_tells_of_a_refund(api, project):
    customer = CustomerFactory(project=project)
    order = redeem(
        api,
        VoucherFactory(project=project).code,
        order={"items": [line("a", 2, 1000)]},
        customer={"id": customer.public_id},
    )["order"]["id"]

    made = refund(api, order, items=[units(0)])

    event = OutboxEvent.objects.get(type="order.refunded")
    assert (event.data, event.entity_id, event.customer_id) == (made, order, customer.pk)


def test_an_order_with_refunds_takes_no_more_redemptions(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])
    refund(api, order, items=[units(0)])
    more = VoucherFactory(project=project, quantity=1)

    answers = [
        api.post(path, {"redeemables": [{"object": "voucher", "id": more.code}], "order": {"id": order}})
        for path in ("/v1/validations", "/v1/redemptions")
    ]

    more.refresh_from_db()
    assert [(one.status_code, one.json()["key"]) for one in answers] == [(400, "invalid_order")] * 2
    assert more.redeemed_quantity == 0


@pytest.mark.parametrize(
    "change",
    [
        {"items": [{"source_id": "a", "quantity": 5, "price": 1000}]},
        {"amount": 1},
        {"discount_amount": 0},
    ],
)
def test_what_an_order_with_refunds_sold_stays(api, project, change):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])
    refund(api, order, items=[units(0)])

    answer = api.put(f"/v1/orders/{order}", change)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_order")


def test_all_else_of_an_order_with_refunds_may_change(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])
    refund(api, order, items=[units(0)])
    read = api.get(f"/v1/orders/{order}").json()

    answer = api.put(f"/v1/orders/{order}", read | {"status": "FULFILLED", "metadata": {"parcel": "7"}})

    assert (answer.status_code, answer.json()["status"]) == (200, "FULFILLED")


def test_an_import_leaves_an_order_with_refunds_as_it_was_sold(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)], source_id="o-7")
    refund(api, order, items=[units(0)])

    api.post("/v1/orders/import", [{"source_id": "o-7", "amount": 1}])
    action = AsyncAction.objects.latest("pk")
    run_async_action(action.pk)

    action.refresh_from_db()
    assert (action.failed_count, Order.objects.get().amount) == (1, 2000)


def test_the_customers_sums_are_exact_after_a_refund(api, project):
    code = VoucherFactory(project=project).code
    buyer = {"source_id": "u"}
    orders = [
        redeem(api, code, order={"items": [line("a", 2, price)]}, customer=buyer)["order"]["id"]
        for price in (1000, 3000)
    ]

    refund(api, orders[1], items=[units(0)])
    partly = summary_of(api, "u")["orders"]
    refund(api, orders[1])
    wholly = summary_of(api, "u")["orders"]

    assert (partly["total_amount"], partly["total_count"], partly["last_order_amount"]) == (3500, 2, 2500)
    assert (wholly["total_amount"], wholly["total_count"], wholly["last_order_amount"]) == (1000, 1, 1000)


def test_what_came_back_was_not_bought(api, project):
    items = [line("hat", 2, 3000), line("mug", 1, 1000)]
    code, buyer = VoucherFactory(project=project).code, {"source_id": "u"}
    order = redeem(api, code, order={"items": items}, customer=buyer)["order"]["id"]
    bought = []
    for units_back in ([units(0)], [units(0)], None):
        refund(api, order, **({"items": units_back} if units_back else {}))
        summary_of(api, "u")
        bought.append(CustomerSummary.objects.get(customer__source_id="u").products)

    assert [sorted(names) for names in bought] == [["hat", "mug"], ["mug"], []]


def test_a_segment_of_big_spenders_is_left_after_a_refund(api, project):
    rich = {
        "name": "Big",
        "type": "auto-update",
        "filter": {"summary.orders.total_amount": {"conditions": {"$more_than": [4000]}}},
    }
    api.post("/v1/segments", rich)
    order = redeem(
        api,
        VoucherFactory(project=project).code,
        order={"items": [line("a", 2, 3000)]},
        customer={"source_id": "u"},
    )["order"]["id"]
    summary_of(api, "u")
    before = api.get("/v1/customers/u/segments").json()["data"]

    refund(api, order, items=[units(0)])
    summary_of(api, "u")

    assert ([one["name"] for one in before], api.get("/v1/customers/u/segments").json()["data"]) == (
        ["Big"],
        [],
    )
