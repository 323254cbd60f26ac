"""Refunds are our own: each answer has what our description of the API says, no less and no more."""

from promoengine.core.models import OutboxEvent
from redemptions.api.refunds import RefundAnswer, RefundCalculationAnswer, RefundItemRow, RefundList
from tests.factories import SkuFactory, VoucherFactory


def assert_described(answer, serializer):
    fields = serializer().fields
    required = {name for name, field in fields.items() if field.required}
    assert required <= answer.keys() <= fields.keys()


def test_refund_life(api, project):
    sku = SkuFactory(project=project, price=900)
    card = VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=500, gift_balance=500
    )
    codes = [VoucherFactory(project=project).code, card.code]
    items = [
        {"sku_id": sku.public_id, "quantity": 3, "sku": {"sku": "Red"}},
        {"source_id": "b", "related_object": "product", "quantity": 1, "price": 5, "product": {"name": "B"}},
    ]
    body = {"redeemables": [{"object": "voucher", "id": code} for code in codes]}
    order = {"source_id": "cart-1", "items": items, "amount": 3000}
    api.post("/v1/redemptions", body | {"order": order, "customer": {"source_id": "ann"}})
    back = {"items": [{"sku_id": sku.public_id, "quantity": 1}], "mode": "REEVALUATE"}

    calculated = api.post("/v1/orders/cart-1/refunds/calculation", back).json()
    made = api.post("/v1/orders/cart-1/refunds", back | {"source_id": "rma-1", "reason": "red"}).json()
    rest = api.post("/v1/orders/cart-1/refunds", {}).json()
    listed = api.get("/v1/orders/cart-1/refunds").json()

    assert_described(calculated, RefundCalculationAnswer)
    assert_described(listed, RefundList)
    assert [one["id"] for one in listed["refunds"]] == [rest["id"], made["id"]]
    for one in (made, rest, *listed["refunds"]):
        assert_described(one, RefundAnswer)
        for item in one["items"]:
            assert_described(item, RefundItemRow)
    assert [event.data for event in OutboxEvent.objects.filter(type="order.refunded").order_by("pk")] == [
        made,
        rest,
    ]


def test_the_customers_activity_tells_of_it(api, project):
    api.post(
        "/v1/redemptions",
        {
            "redeemables": [{"object": "voucher", "id": VoucherFactory(project=project).code}],
            "order": {"source_id": "cart-1", "amount": 3000},
            "customer": {"source_id": "ann"},
        },
    )
    made = api.post("/v1/orders/cart-1/refunds", {}).json()

    newest = api.get("/v1/customers/ann/activity").json()["data"][0]

    assert (newest["type"], newest["data"]["id"]) == ("customer.order.refunded", made["id"])
