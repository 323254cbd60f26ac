"""The official Python SDK keeps orders, from the cart to what a customer has spent, and imports old ones."""

import time
import uuid
from urllib.request import urlopen

import pytest
import voucherify as sdk
from voucherify.exceptions import ApiException

pytestmark = pytest.mark.xdist_group("product")

ITEMS = [
    {"object": "order_item", "source_id": "mug", "quantity": 2, "price": 1250},
    {
        "object": "order_item",
        "source_id": "comic",
        "related_object": "sku",
        "quantity": 1,
        "product": {"source_id": "books", "name": "Books", "override": True},
        "sku": {"source_id": "comic", "sku": "Comic", "price": 700, "override": True},
    },
]


@pytest.fixture
def orders(client):
    return sdk.OrdersApi(client)


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


def create(orders, **body):
    return orders.create_order(sdk.OrdersCreateRequestBody.from_dict(body))


def update(orders, ref, **body):
    return orders.update_order(ref, sdk.OrdersUpdateRequestBody.from_dict(body))


def test_an_order_from_cart_to_cancellation(client, orders):
    source_id, customer = unique("order"), unique("buyer")
    made = create(
        orders,
        source_id=source_id,
        items=ITEMS,
        customer={"source_id": customer, "name": "Ann"},
        referrer={"source_id": unique("friend")},
        metadata={"channel": "web"},
    )
    again = create(orders, source_id=source_id, metadata={"gift": True})
    paid = update(orders, made.id, status="PAID")
    read = orders.get_order(source_id)

    assert (made.status, made.amount, made.total_amount) == ("CREATED", 3200, 3200)
    assert [item.subtotal_amount for item in made.items] == [2500, 700]
    assert all(item.id.startswith("ordli_") for item in made.items)
    assert again.id == made.id
    assert paid.status == read.status == "PAID"
    assert read.metadata == {"channel": "web", "gift": True}
    assert (read.customer.id, read.referrer.id) == (made.customer_id, made.referrer_id)
    assert sdk.ProductsApi(client).get_sku("comic").sku == "Comic"
    assert spent(client, customer, (1, 3200))

    assert update(orders, source_id, status="CANCELED").status == "CANCELED"
    assert spent(client, customer, (0, 0))
    activity = sdk.CustomersApi(client).list_customer_activity(customer, limit=50)
    assert sorted(one.type for one in activity.data if ".order." in one.type) == [
        "customer.order.canceled",
        "customer.order.created",
        "customer.order.paid",
        *["customer.order.updated"] * 3,
    ]


def test_what_is_redeemed_on_an_order_is_read_with_it(client, orders):
    code = unique("PY")
    voucher = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1000}}
    sdk.VouchersApi(client).create_voucher(
        code, sdk.VouchersCreateWithSpecificCodeRequestBody.from_dict(voucher)
    )
    made = create(orders, source_id=unique("order"), amount=5000)
    body = {"redeemables": [{"object": "voucher", "id": code}], "order": {"id": made.id}}
    redeemed = sdk.RedemptionsApi(client).redeem_stacked_discounts(
        sdk.RedemptionsRedeemRequestBody.from_dict(body)
    )

    read = orders.get_order(made.id)

    assert (read.total_discount_amount, read.total_amount, read.status) == (1000, 4000, "PAID")
    assert list(read.redemptions) == [redeemed.redemptions[0].id]


def test_orders_are_listed(orders):
    made = [create(orders, source_id=unique("order"), amount=number) for number in (100, 200)]

    newest = orders.list_orders(limit=2, order=sdk.ParameterOrderListOrders("-created_at"))
    changed = update(orders, made[0].id, metadata={"seen": True})
    last_changed = orders.list_orders(limit=1, order=sdk.ParameterOrderListOrders("-updated_at"))

    assert [order.id for order in newest.orders] == [made[1].id, made[0].id]
    assert [order.id for order in last_changed.orders] == [changed.id]
    assert newest.total >= 2


def test_orders_are_imported_and_imported_again(client, orders):
    customer, names = unique("buyer"), [unique("old") for _ in range(3)]
    rows = [
        sdk.OrdersImportCreateRequestBodyItem.from_dict(
            {"source_id": name, "status": "PAID", "items": ITEMS, "customer": {"source_id": customer}}
        )
        for name in names
    ]

    for _ in range(2):
        started = orders.import_orders(rows)
        assert finished(client, started.async_action_id).result["done_count"] == 3

    assert orders.get_order(names[2]).amount == 3200
    assert spent(client, customer, (3, 9600))


def test_orders_are_exported(client, orders):
    source_id = unique("order")
    create(orders, source_id=source_id, amount=100)
    parameters = {"fields": ["source_id", "amount"], "order": "-created_at"}

    made = orders.create_order_export(sdk.OrdersExportCreateRequestBody.from_dict({"parameters": parameters}))

    for _ in range(200):
        done = sdk.ExportsApi(client).get_export(made.id)
        if done.status == "DONE":
            break
        time.sleep(0.1)
    with urlopen(done.result.url) as file:
        assert f"{source_id},100" in file.read().decode()


def test_an_unknown_order_is_an_error(orders):
    with pytest.raises(ApiException) as refused:
        orders.get_order("nobody")

    assert refused.value.status == 404


def spent(client, customer, expected):
    """Return whether a customer's summary comes to these orders and this amount."""
    for _ in range(100):
        found = sdk.CustomersApi(client).get_customer(customer).summary.orders
        if (found.total_count, found.total_amount) == expected:
            return True
        time.sleep(0.1)
    return False


def finished(client, action_id):
    for _ in range(200):
        action = sdk.AsyncActionsApi(client).get_async_action(action_id)
        if action.status == "DONE":
            return action
        time.sleep(0.1)
    raise AssertionError(f"{action_id} is not done")
