"""Whatever is in an order, its amounts add up, it can be sent back as read, and lines keep their ids."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promoengine.core.models import OutboxEvent
from tests.factories import VoucherFactory
from tests.redemptions.storefront import redeem

AMOUNTS = st.integers(0, 10_000)
LINES = st.lists(
    st.builds(
        lambda good, quantity, price, share: {
            "source_id": good,
            "quantity": quantity,
            "price": price,
            "discount_amount": quantity * price * share // 100,
            "discount_quantity": min(quantity, 1),
        },
        st.sampled_from("abc"),
        st.integers(0, 5),
        AMOUNTS,
        st.integers(0, 100),
    ),
    max_size=5,
)
DISCOUNTS = st.sampled_from(
    [
        {"type": "AMOUNT", "amount_off": 1000},
        {"type": "PERCENT", "percent_off": 33.3, "effect": "APPLY_TO_ITEMS"},
        {"type": "AMOUNT", "amount_off": 700, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"},
    ]
)
ON_A_DATABASE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_adds_up(order):
    items = order.get("items", [])
    off_items = sum(item.get("discount_amount", 0) for item in items)
    assert order.get("items_discount_amount", 0) == off_items
    assert order.get("total_discount_amount", 0) == order.get("discount_amount", 0) + off_items
    assert order["total_amount"] == order["amount"] - order.get("total_discount_amount", 0) >= 0
    for item in items:
        assert item["subtotal_amount"] == item["amount"] - item.get("discount_amount", 0) >= 0
        assert item.get("discount_quantity", 0) <= item["quantity"]
    assert len({item["id"] for item in items}) == len(items)


@ON_A_DATABASE
@given(lines=LINES, share=st.integers(0, 100), discount=DISCOUNTS, data=st.data())
def test_any_order_adds_up_and_can_be_sent_back(api, project, lines, share, discount, data):
    left = sum(line["quantity"] * line["price"] - line["discount_amount"] for line in lines)
    body = {"items": lines, "discount_amount": left * share // 100, "customer": {"source_id": "ann"}}
    made = api.post("/v1/orders", body).json()
    assert_adds_up(made)

    code = VoucherFactory(project=project, discount=discount).code
    redeem(api, code, order={"id": made["id"]})
    read = api.get(f"/v1/orders/{made['id']}").json()
    assert_adds_up(read)
    assert [item["id"] for item in read.get("items", [])] == [item["id"] for item in made.get("items", [])]

    happened = OutboxEvent.objects.count()
    assert api.put(f"/v1/orders/{made['id']}", read).json() == read
    assert OutboxEvent.objects.count() == happened

    items = data.draw(st.permutations(read.get("items", [])))[: data.draw(st.integers(0, 5))]
    anew = [{"id": item["id"], "source_id": item["source_id"], "amount": item["amount"]} for item in items]
    changed = api.put(f"/v1/orders/{made['id']}", {"items": anew}).json()
    assert_adds_up(changed)
    assert [item["id"] for item in changed.get("items", [])] == [item["id"] for item in items]
