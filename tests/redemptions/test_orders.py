"""Orders over HTTP: made, read and changed, and what is wrong with one."""

import pytest

from promoengine.core.models import OutboxEvent
from redemptions.models import Order
from tests.factories import ProductFactory, SkuFactory, VoucherFactory
from tests.redemptions.ordering import ANN, change, create, events, read
from tests.redemptions.storefront import code_with, lines, redeem


def test_an_order_of_an_amount_alone(api):
    made = create(api, amount=5000)

    assert made == {
        "id": made["id"],
        "source_id": None,
        "status": "CREATED",
        "amount": 5000,
        "total_amount": 5000,
        "metadata": {},
        "customer_id": None,
        "referrer_id": None,
        "created_at": made["created_at"],
        "updated_at": None,
        "object": "order",
    }
    assert made["id"].startswith("ord_")


def test_an_order_is_read_by_its_id_and_by_the_shops(api):
    made = create(api, source_id="cart/1 a", amount=5000)

    assert read(api, made["id"]) == read(api, "cart%2F1%20a") == made


def test_an_order_named_like_anothers_id_does_not_hide_it(api):
    first = create(api, amount=1)
    create(api, source_id=first["id"], amount=2)

    assert read(api, first["id"])["amount"] == 1


def test_lines_are_added_up_and_numbered(api):
    made = create(api, items=[{"source_id": "a", "quantity": 2, "price": 300}, {"amount": 150}])

    first, second = made["items"]
    assert (made["amount"], made["total_amount"]) == (750, 750)
    assert (first["amount"], first["subtotal_amount"], first["object"]) == (600, 600, "order_item")
    assert first["id"].startswith("ordli_")
    assert first["id"] != second["id"]


def test_an_amount_that_is_sent_counts(api):
    assert create(api, amount=700, items=lines(300, 300))["amount"] == 700


def test_prices_come_from_the_catalogue(api, project):
    product = ProductFactory(project=project, price=4000)
    SkuFactory(project=project, product=product, source_id="red", price=4500)

    made = create(
        api,
        items=[
            {"source_id": product.source_id, "quantity": 2},
            {"source_id": "red", "related_object": "sku"},
            {"product_id": product.public_id, "price": 100},
        ],
    )

    assert [line["amount"] for line in made["items"]] == [8000, 4500, 100]


def test_goods_are_stored_where_a_line_says_so(api):
    item = {"source_id": "mug", "quantity": 3, "product": {"name": "Mug", "price": 900, "override": True}}

    made = create(api, items=[item, {"source_id": "unknown", "price": 1}])

    assert made["amount"] == 2701
    assert made["items"][0]["product"] == {"name": "Mug", "price": 900}
    assert api.get("/v1/products/mug").json()["price"] == 900
    assert api.get("/v1/products/unknown").status_code == 404


def test_customer_and_referrer_are_made_and_named(api):
    made = create(api, amount=1, customer=ANN | {"name": "Ann"}, referrer={"source_id": "bob"})

    ann, bob = (api.get(f"/v1/customers/{name}").json() for name in ("ann", "bob"))
    assert (made["customer_id"], made["referrer_id"]) == (ann["id"], bob["id"])
    assert made["customer"] == {"id": ann["id"], "object": "customer"}
    assert made["referrer"] == {"id": bob["id"], "object": "customer"}
    assert ann["name"] == "Ann"


@pytest.mark.parametrize("name", ["source_id", "id"])
def test_the_same_order_again_changes_it(api, project, name):
    first = create(api, source_id="cart-1", amount=100, metadata={"a": 1, "b": 1})

    second = create(api, **{name: first[name]}, status="PAID", metadata={"b": 2})

    assert second["id"] == first["id"]
    assert (second["amount"], second["status"], second["metadata"]) == (100, "PAID", {"a": 1, "b": 2})
    assert second["updated_at"] is not None
    assert Order.objects.filter(project=project).count() == 1


def test_what_is_not_mentioned_or_null_stays(api):
    made = create(api, amount=100, customer=ANN, referrer={"source_id": "bob"}, metadata={"a": 1})

    changed = change(api, made, status="FULFILLED", customer=None, items=None, amount=None, metadata=None)

    assert changed | {"status": "CREATED", "updated_at": None} == made


def test_what_is_read_can_be_sent_back_and_changes_nothing(api, project):
    code = code_with(api, discount={"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ITEMS"})
    redeem(api, code, order={"source_id": "cart-1", "items": lines(300, 500)}, customer=ANN)
    before, happened = read(api, "cart-1"), events(project)

    answer = api.put("/v1/orders/cart-1", before)

    assert answer.json() == before
    assert events(project) == happened


def test_lines_are_replaced_and_keep_their_ids(api):
    made = create(api, items=lines(100, 200, 300))
    first, second, third = made["items"]

    changed = change(
        api,
        made,
        items=[{"source_id": "c", "price": 350}, second | {"quantity": 2, "amount": 400}, {"amount": 5}],
    )

    assert [line["id"] for line in changed["items"][:2]] == [third["id"], second["id"]]
    assert changed["items"][2]["id"] not in {first["id"], second["id"], third["id"]}
    assert changed["amount"] == 755


def test_the_shops_id_may_come_later_but_once(api):
    create(api, source_id="taken", amount=1)
    made = create(api, amount=2)

    answer = api.put(f"/v1/orders/{made['id']}", {"source_id": "taken"})

    assert (answer.status_code, answer.json()["key"]) == (409, "duplicate_found")
    assert change(api, made, source_id="free")["source_id"] == "free"


def test_discounts_given_elsewhere_are_kept(api):
    made = create(
        api,
        items=[{"source_id": "a", "price": 1000, "discount_amount": 100, "discount_quantity": 1}],
        discount_amount=150,
    )

    assert (made["discount_amount"], made["items_discount_amount"]) == (150, 100)
    assert (made["total_discount_amount"], made["total_amount"]) == (250, 750)
    assert made["items"][0]["subtotal_amount"] == 900
    assert change(api, made, status="PAID")["total_amount"] == 750


def test_a_redemptions_order_is_the_same_row(api, project):
    made = create(api, source_id="cart-1", amount=5000, customer=ANN)
    voucher = VoucherFactory(project=project)

    redeemed = redeem(api, voucher.code, order={"id": made["id"]})

    order = read(api, "cart-1")
    assert order["id"] == made["id"] == redeemed["order"]["id"]
    assert (order["total_amount"], order["total_discount_amount"]) == (4000, 1000)
    assert order["status"] == "PAID"
    assert order["redemptions"] == {
        redeemed["redemptions"][0]["id"]: {
            "date": redeemed["redemptions"][0]["date"],
            "related_object_type": "voucher",
            "related_object_id": voucher.public_id,
        }
    }


def test_a_stack_and_its_rollback_are_listed_with_their_order(api):
    codes = [code_with(api) for _ in range(2)]
    redeemed = redeem(api, *codes, order={"source_id": "cart-1", "amount": 5000})
    parent = redeemed["parent_redemption"]
    undone = api.post(f"/v1/redemptions/{parent['id']}/rollbacks").json()

    order = read(api, "cart-1")

    assert (order["status"], order["total_amount"]) == ("CANCELED", 5000)
    assert "total_discount_amount" not in order
    assert order["redemptions"] == {
        parent["id"]: {
            "date": parent["date"],
            "related_object_type": "redemption",
            "related_object_id": parent["id"],
            "stacked": [one["id"] for one in redeemed["redemptions"]],
            "rollback_id": undone["parent_rollback"]["id"],
            "rollback_date": undone["parent_rollback"]["date"],
            "rollback_stacked": [one["id"] for one in undone["rollbacks"]],
        }
    }


def test_discounts_follow_their_lines(api):
    code = code_with(api, discount={"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS"})
    redeem(api, code, order={"source_id": "cart-1", "items": lines(500, 300)})

    answer = api.put("/v1/orders/cart-1", {"items": [{"source_id": "b", "price": 50}, {"amount": 700}]})

    order = answer.json()
    assert [line.get("discount_amount", 0) for line in order["items"]] == [50, 0]
    assert (order["amount"], order["total_amount"]) == (750, 700)


def test_units_that_were_added_go_with_the_lines_they_were_added_to(api, project):
    gift = ProductFactory(project=project, source_id="gift", price=700)
    code = code_with(
        api, discount={"type": "UNIT", "unit_off": 1, "effect": "ADD_NEW_ITEMS", "unit_type": gift.public_id}
    )
    redeem(api, code, order={"source_id": "cart-1", "items": lines(500)})
    assert (read(api, "cart-1")["amount"], read(api, "cart-1")["initial_amount"]) == (1200, 500)

    order = api.put("/v1/orders/cart-1", {"items": lines(400)}).json()

    assert (order["amount"], order["total_amount"]) == (400, 400)
    assert "initial_amount" not in order


@pytest.mark.parametrize(
    ("body", "key", "details"),
    [
        ([], "invalid_payload", "Payload should be object"),
        ({"status": "LOST"}, "invalid_payload", "Property .status should be one of"),
        ({"status": ["PAID"]}, "invalid_payload", "Property .status should be one of"),
        ({"source_id": {}}, "invalid_payload", "Property .source_id should be string"),
        ({"source_id": "x" * 256}, "invalid_payload", "Property .source_id may have up to 255 characters"),
        ({"id": "ord_none"}, "not_found", "Cannot find order with id ord_none"),
        ({"amount": "ten"}, "invalid_payload", "Property .amount should be integer"),
        ({"amount": -1}, "invalid_amount", "Property .amount has to be a valid positive number"),
        ({"amount": 1 << 60}, "invalid_amount", "Property .amount has to be a valid positive number"),
        ({"initial_amount": -1}, "invalid_amount", "Property .initial_amount has to be"),
        (
            {"amount": 5, "discount_amount": 6},
            "invalid_payload",
            "Property .discount_amount cannot be higher",
        ),
        ({"metadata": "x"}, "invalid_payload", "Property .metadata should be object"),
        ({"items": {}}, "invalid_payload", "Property .items should be an array of up to 500 items"),
        ({"items": [{}] * 501}, "invalid_payload", "Property .items should be an array of up to 500 items"),
        ({"items": [{}, 5]}, "invalid_payload", "Property .items[1] should be object"),
        ({"items": [{"quantity": "x"}]}, "invalid_payload", "Property .items[0].quantity should be integer"),
        ({"items": [{"price": -1}]}, "invalid_amount", "Property .items[0].price has to be"),
        ({"items": [{"product": 1}]}, "invalid_payload", "Property .items[0].product should be object"),
        (
            {"items": [{"amount": 5, "discount_amount": 6}]},
            "invalid_payload",
            "Property .items[0].discount_amount cannot be higher than 5",
        ),
        (
            {"items": [{"amount": 5, "discount_quantity": 2}]},
            "invalid_payload",
            "Property .items[0].discount_quantity cannot be higher than 1",
        ),
        (
            {"items": [{"amount": 5, "initial_quantity": 1}]},
            "invalid_payload",
            "Property .items[0] should have required property 'initial_amount'",
        ),
        (
            {"items": [{"product": {"source_id": "a", "override": "yes"}}]},
            "invalid_payload",
            "Property .items[0].product.override should be boolean",
        ),
        ({"customer": 5}, "invalid_payload", "Property .customer should be object"),
        ({"customer": {"email": 5}}, "invalid_payload", "Property .customer.email should be string"),
        ({"customer": {"id": "cust_none"}}, "not_found", "Cannot find customer with id cust_none"),
        ({"referrer": {"phone": []}}, "invalid_payload", "Property .referrer.phone should be string"),
        ({"referrer_id": "cust_none"}, "not_found", "Cannot find customer with id cust_none"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(api, project, body, key, details):
    made = create(api, source_id="cart-1", amount=100)
    happened = OutboxEvent.objects.count()

    for answer in (api.post("/v1/orders", body), api.put("/v1/orders/cart-1", body)):
        if "id" in body and answer.status_code == 200:
            continue  # what an order is changed to be called is said by the path
        assert answer.json().get("key") == key, answer.content
        assert answer.json()["details"].startswith(details)
    assert read(api, "cart-1") == made
    assert (Order.objects.count(), OutboxEvent.objects.count()) == (1, happened)


def test_a_line_may_not_cost_less_than_its_discounts(api):
    made = create(api, items=[{"amount": 500, "discount_amount": 400}])

    answer = api.put(f"/v1/orders/{made['id']}", {"amount": 300})

    assert answer.json()["details"] == "Property .amount cannot be lower than the discounts of its items"


@pytest.mark.parametrize("method", ["get", "put"])
def test_an_unknown_order_is_not_found(api, method):
    answer = getattr(api, method)("/v1/orders/nobody")

    assert (answer.status_code, answer.json()["resource_type"]) == (404, "order")


def test_one_idempotency_key_makes_one_order(api):
    answers = [api.post("/v1/orders", {"amount": 5}, **{"Idempotency-Key": "k"}) for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert Order.objects.count() == 1
