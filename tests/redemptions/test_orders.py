"""Orders over HTTP: made, read, changed and listed, with what happened to them."""

import pytest

from customers.models import Customer
from promoengine.core.api.renderers import to_json
from promoengine.core.models import OutboxEvent
from redemptions.jobs import refresh_customers
from redemptions.models import Order
from tests.factories import CustomerFactory, ProductFactory, SkuFactory, VoucherFactory
from tests.redemptions.storefront import code_with, lines, redeem

ANN = {"source_id": "ann"}


def create(api, **body):
    answer = api.post("/v1/orders", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def change(api, order, **body):
    answer = api.put(f"/v1/orders/{order['id']}", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def read(api, ref):
    answer = api.get(f"/v1/orders/{ref}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def events(project):
    """Return what happened to the project's orders, in order."""
    found = OutboxEvent.objects.filter(project=project, type__startswith="customer.order.").order_by("pk")
    return [event.type.removeprefix("customer.order.") for event in found]


def spent(api, customer="ann"):
    """Return how many orders a customer paid, for how much, once all that happened has been heard of."""
    refresh_customers(event_ids=[str(key) for key in OutboxEvent.objects.values_list("pk", flat=True)])
    orders = api.get(f"/v1/customers/{customer}").json()["summary"]["orders"]
    return orders["total_count"], orders["total_amount"]


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


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"order": "created_at"}, ["a", "b", "c", "d"]),
        ({"order": "-created_at"}, ["d", "c", "b", "a"]),
        ({"order": "updated_at"}, ["b", "c", "d", "a"]),
        ({"order": "-updated_at"}, ["a", "d", "c", "b"]),
        ({"limit": 1, "page": 2}, ["c"]),
        ({"customer": "ann"}, ["b", "a"]),
        ({"filters[status][conditions][$is]": "PAID"}, ["b", "a"]),
        ({"filters[status][conditions][$in][0]": "PAID", "filters[source_id][conditions][$is]": "a"}, ["a"]),
        ({"filters[amount][conditions][$more_than]": "200"}, ["d", "c"]),
        ({"filters[total_amount][conditions][$less_than]": "301"}, ["d", "b", "a"]),
        ({"filters[discount_amount][conditions][$more_than]": "0"}, ["d"]),
        ({"filters[metadata.shop][conditions][$is]": "berlin"}, ["c"]),
        ({"filters[created_at][conditions][$before]": "2020-01-01"}, []),
        ({"filters[source_id][conditions][$starts_with]": "b"}, ["b"]),
    ],
)
def test_orders_are_listed(api, query, expected):
    first = create(api, source_id="a", amount=100, customer=ANN)
    create(api, source_id="b", amount=200, customer=ANN, status="PAID")
    create(api, source_id="c", amount=350, metadata={"shop": "berlin"})
    create(api, source_id="d", amount=400, discount_amount=150)
    change(api, first, status="PAID")

    listed = api.get("/v1/orders", query).json()

    assert [order["source_id"] for order in listed["orders"]] == expected
    assert (listed["object"], listed["data_ref"]) == ("list", "orders")
    assert listed["total"] == (4 if "page" in query else len(expected))


def test_a_customers_orders_are_found_by_id(api, project):
    customer = CustomerFactory(project=project)
    made = create(api, amount=1, customer={"id": customer.public_id})
    create(api, amount=2)

    for query in (
        {"customer": customer.public_id},
        {"filters[customer_id][conditions][$is]": customer.public_id},
    ):
        assert [order["id"] for order in api.get("/v1/orders", query).json()["orders"]] == [made["id"]]


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"order": "amount"}, "Property .order should be one of created_at, updated_at"),
        ({"limit": 101}, "Property .limit should be between 1 and 100"),
        ({"filters[name][conditions][$is]": "x"}, "Property .filters.name is not one of amount, created_at"),
        ({"filters[amount][conditions][$is]": "x"}, "Property .filters.amount should be a whole number"),
    ],
)
def test_a_bad_list_query_is_named(api, query, details):
    answer = api.get("/v1/orders", query)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_query_params")
    assert answer.json()["details"].startswith(details)


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_asks_the_same_number_of_queries(api, count, django_assert_max_num_queries):
    for number in range(count):
        create(api, amount=number, customer={"source_id": f"c-{number}"})
    api.get("/v1/orders")

    with django_assert_max_num_queries(3):
        listed = api.get("/v1/orders").json()

    assert len(listed["orders"]) == count
