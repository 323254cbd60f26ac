"""How a refund is asked for: what it names, retries, money expected, and what is wrong."""

import pytest

from promoengine.core.models import OutboxEvent
from redemptions.models import Order, Refund
from tests.factories import (
    VoucherFactory,
)
from tests.redemptions.refunding import calculate, line, refund, refused, sell, units


def test_a_retry_with_its_source_id_gets_the_first_refund(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])

    first = refund(api, order, items=[units(0)], source_id="rma-1")
    again = refund(api, order, items=[units(0)], source_id="rma-1")

    assert again == first
    assert Refund.objects.count() == 1


def test_a_retry_of_all_that_is_left_gets_the_first_refund(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])

    assert refund(api, order, source_id="rma-1") == refund(api, order, source_id="rma-1")


def test_a_source_id_is_of_one_refund(api, project):
    codes = [VoucherFactory(project=project).code for _ in range(2)]
    orders = [sell(api, code, items=[line("a", 2, 1000)]) for code in codes]
    refund(api, orders[0], items=[units(0)], source_id="rma-1")

    assert refused(api, orders[0], items=[units(0, 2)], source_id="rma-1") == (400, "duplicate_source_id")
    assert refused(api, orders[1], items=[units(0)], source_id="rma-1") == (400, "duplicate_source_id")


def test_an_idempotency_key_refunds_once(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])

    answers = [
        api.post(f"/v1/orders/{order}/refunds", {"items": [units(0)]}, **{"Idempotency-Key": "k"})
        for _ in range(2)
    ]

    assert answers[0].content == answers[1].content
    assert Refund.objects.count() == 1


def test_money_other_than_expected_is_refused(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])

    assert refused(api, order, expected_amount=999) == (409, "refund_amount_changed")
    assert refund(api, order, expected_amount=1000)["refund_amount"] == 1000


def test_a_calculation_changes_nothing(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])
    before = list(Order.objects.values())

    calculate(api, order)

    assert list(Order.objects.values()) == before
    assert not Refund.objects.exists()
    assert not OutboxEvent.objects.filter(type="order.refunded").exists()


@pytest.mark.parametrize(
    "named",
    [
        {"order_item_index": 1},
        {"source_id": "sku-b"},
        {"sku_id": "sku_b"},
        {"order_item_index": 1, "sku_id": "sku_b"},
    ],
)
def test_items_are_named_by_place_or_ids(api, project, named):
    items = [line("a", 1, 1000), line("sku-b", 2, 2000, sku_id="sku_b", related_object="sku")]
    order = sell(api, VoucherFactory(project=project).code, items=items)

    made = calculate(api, order, items=[{**named, "quantity": 1}])

    assert [item["order_item_index"] for item in made["items"]] == [1]


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ([], "Payload should be object"),
        ({"items": []}, "Property .items should be an array of 1 to 500 items"),
        ({"items": ["a"]}, "Property .items[0] should be object"),
        (
            {"items": [{"quantity": 1}]},
            "Property .items[0] should have 'order_item_index' or one of id, source_id, product_id, sku_id",
        ),
        (
            {"items": [units(0, 0)]},
            "Property .items[0].quantity should be a whole number of at least 1",
        ),
        ({"items": [units(0, 1.5)]}, "Property .items[0].quantity should be a whole number, not negative"),
        ({"items": [units(0, True)]}, "Property .items[0].quantity should be a whole number, not negative"),
        (
            {"items": [units(-1)]},
            "Property .items[0].order_item_index should be a whole number, not negative",
        ),
        ({"items": [units(7)]}, "Property .items[0] is no item of the order"),
        ({"items": [units(0), units(0)]}, "Property .items[1] names item 0 of the order once more"),
        (
            {"items": [{"source_id": "a", "quantity": 1}]},
            "Property .items[0] could be each of the items 0, 1; say 'order_item_index' as well",
        ),
        ({"items": [{"source_id": "z", "quantity": 1}]}, "Property .items[0] is no item of the order"),
        ({"mode": "GUESS"}, "Property .mode should be one of KEEP, REEVALUATE"),
        ({"mode": {}}, "Property .mode should be one of KEEP, REEVALUATE"),
        ({"source_id": 7}, "Property .source_id should be string"),
        ({"reason": "x" * 1001}, "Property .reason may have up to 1000 characters"),
        ({"metadata": "x"}, "Property .metadata should be object"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(api, project, body, details):
    items = [line("a", 1, 1000), line("a", 1, 2000)]
    order = sell(api, VoucherFactory(project=project).code, items=items)

    for path in ("refunds", "refunds/calculation"):
        answer = api.post(f"/v1/orders/{order}/{path}", body)

        assert (answer.status_code, answer.json()["details"]) == (400, details)
    assert not Refund.objects.exists()


def test_more_than_is_left_is_refused(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)])
    refund(api, order, items=[units(0)])

    answer = api.post(f"/v1/orders/{order}/refunds", {"items": [units(0, 2)]})

    assert (answer.status_code, answer.json()["key"]) == (400, "refund_quantity_exceeded")
    assert answer.json()["details"] == "Item 0 of the order has 1 left to refund"


def test_an_order_is_found_by_the_shops_own_id(api, project):
    sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 1000)], source_id="o-7")

    assert refund(api, "o-7")["order_source_id"] == "o-7"


def test_refunds_are_listed(api, project, django_assert_max_num_queries):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 3, 1000)])
    made = [refund(api, order, items=[units(0)], reason="too small") for _ in range(3)]

    listed = api.get(f"/v1/orders/{order}/refunds").json()

    assert listed["refunds"] == made[::-1]
    assert (listed["data_ref"], listed["total"]) == ("refunds", 3)
    assert listed["refunds"][0]["reason"] == "too small"
    with django_assert_max_num_queries(5):
        api.get(f"/v1/orders/{order}/refunds", {"limit": 1})
    with django_assert_max_num_queries(5):
        api.get(f"/v1/orders/{order}/refunds", {"limit": 2})


def test_a_refund_asks_as_much_for_many_lines_as_for_one(api, project, django_assert_max_num_queries):
    code = VoucherFactory(project=project).code
    few, many = (sell(api, code, items=[line(str(n), 2, 1000) for n in range(count)]) for count in (1, 50))

    for order in (few, many):
        with django_assert_max_num_queries(4):
            calculate(api, order)
