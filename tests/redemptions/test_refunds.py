"""Refunds of single units, over HTTP: what was paid for them is paid back, and neither more nor twice."""

import pytest

from customers.models import CustomerSummary
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.jobs import refresh_customers
from redemptions.models import Order, Redemption, Refund
from tests.factories import (
    CampaignFactory,
    CustomerFactory,
    ProductFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from tests.limits import assert_ledger_agrees, limit, standing
from tests.redemptions.storefront import code_with, redeem
from vouchers.models import Voucher, VoucherTransaction

PERCENT_10 = {"type": "PERCENT", "percent_off": 10}
AMOUNTS = ("units_amount", "discount_amount", "gift_amount", "held_back_amount", "refund_amount")


def line(name, quantity, price, **more):
    return {"source_id": name, "quantity": quantity, "price": price, **more}


def sell(api, *codes, items=None, **order):
    """Redeem codes on an order and return the order's id."""
    named = {"items": items} if items else {}
    return redeem(api, *codes, order={**named, **order})["order"]["id"]


def calculate(api, order, **body):
    answer = api.post(f"/v1/orders/{order}/refunds/calculation", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refund(api, order, **body):
    answer = api.post(f"/v1/orders/{order}/refunds", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(api, order, **body):
    answer = api.post(f"/v1/orders/{order}/refunds", body)
    return answer.status_code, answer.json()["key"]


def units(index, quantity=1):
    return {"order_item_index": index, "quantity": quantity}


def gift_card(project, credits=5000):
    return VoucherFactory(
        project=project,
        type=Voucher.Type.GIFT_VOUCHER,
        discount=None,
        gift_amount=credits,
        gift_balance=credits,
    )


def test_a_unit_brings_its_share_of_a_discount_on_the_order(api, project):
    code = VoucherFactory(project=project)  # 10.00 off
    order = sell(api, code.code, items=[line("a", 3, 1000), line("b", 1, 2000)])

    made = refund(api, order, items=[units(0)])

    # 10.00 is shared 6.00 to 4.00, and each unit of a has 2.00 of it.
    assert [made[name] for name in AMOUNTS] == [1000, 200, 0, 0, 800]
    assert made["items"][0]["quantity_left"] == 2


def test_a_discount_that_cannot_be_divided_evenly_comes_back_to_the_cent(api, project):
    code = VoucherFactory(project=project)
    order = sell(api, code.code, items=[line("a", 3, 1000), line("b", 1, 333)])

    paid = [refund(api, order, items=[units(0)])["refund_amount"] for _ in range(3)]
    last = refund(api, order)

    assert paid == [700, 700, 700]
    assert (last["refund_amount"], sum(paid) + last["refund_amount"]) == (233, 3333 - 1000)


def test_the_order_in_which_units_come_back_does_not_matter(api, project):
    items = [line("a", 2, 999), line("b", 3, 501), line("c", 1, 7)]
    code = VoucherFactory(project=project)
    orders = [sell(api, code.code, items=items) for _ in range(2)]

    forth = [refund(api, orders[0], items=[units(index)]) for index in (0, 1, 2, 0, 1, 1)]
    back = [refund(api, orders[1], items=[units(index)]) for index in (1, 1, 1, 0, 0, 2)]

    assert sum(made["refund_amount"] for made in forth) == 2 * 999 + 3 * 501 + 7 - 1000
    assert sum(made["refund_amount"] for made in back) == sum(made["refund_amount"] for made in forth)


def test_each_discount_says_its_share(api, project):
    first = VoucherFactory(project=project, discount=PERCENT_10)
    second = VoucherFactory(project=project, discount={"type": "AMOUNT", "amount_off": 300})
    answer = redeem(api, first.code, second.code, order={"items": [line("a", 2, 1000), line("b", 1, 1000)]})

    made = calculate(api, answer["order"]["id"], items=[units(0)])

    shares = {one["related_object_id"]: one["amount"] for one in made["items"][0]["discounts"]}
    assert shares == {first.public_id: 100, second.public_id: 100}
    assert {one["redemption_id"] for one in made["discounts"]} == {one["id"] for one in answer["redemptions"]}


def test_a_discount_on_one_line_stays_there(api, project):
    ProductFactory(project=project, source_id="a")
    rule = {"applicable_to": {"included": [{"object": "product", "source_id": "a"}]}}
    code = code_with(api, {"name": "order.amount", "conditions": {"$more_than": [1]}}, **rule)
    order = sell(api, code, items=[line("a", 2, 1000), line("b", 1, 2000)])

    other, own = calculate(api, order, items=[units(1)]), calculate(api, order, items=[units(0)])

    assert (other["refund_amount"], own["refund_amount"]) == (2000, 500)


def test_free_units_share_what_the_line_cost(api, project):
    product = ProductFactory(project=project, source_id="a", price=1000)
    free = {"type": "UNIT", "unit_off": 1, "effect": "ADD_NEW_ITEMS", "unit_type": product.public_id}
    code = VoucherFactory(project=project, discount=free)
    order = sell(api, code.code, items=[line("a", 1, 1000)])

    one, both = calculate(api, order, items=[units(0)]), calculate(api, order)

    assert (one["refund_amount"], both["refund_amount"]) == (500, 1000)


def test_what_is_on_no_line_comes_back_with_everything(api, project):
    code = VoucherFactory(project=project, discount=PERCENT_10)
    order = sell(api, code.code, items=[line("a", 1, 1000)], amount=1500)  # 5.00 of shipping

    item = refund(api, order, items=[units(0)])
    rest = refund(api, order)

    assert (item["refund_amount"], rest["refund_amount"]) == (900, 450)
    assert rest["items"][0]["order_item_index"] is None


def test_an_order_sent_with_less_than_its_lines_cost_pays_back_no_more(api, project):
    code = VoucherFactory(project=project, discount=PERCENT_10)
    order = sell(api, code.code, items=[line("a", 1, 1000), line("b", 1, 1000)], amount=1000)

    paid = [refund(api, order, items=[units(index)])["refund_amount"] for index in (0, 1)]

    assert paid == [450, 450]


def test_an_order_without_lines_is_refunded_whole(api, project):
    order = sell(api, VoucherFactory(project=project).code, amount=5000)

    assert refund(api, order)["refund_amount"] == 4000
    assert refused(api, order) == (400, "refund_quantity_exceeded")


def test_gift_credits_go_back_to_their_card(api, project):
    card = gift_card(project)
    order = sell(api, card.code, items=[line("a", 2, 3000), line("b", 1, 4000)])

    made = refund(api, order, items=[units(0), units(1)])

    card.refresh_from_db()
    assert [made[name] for name in AMOUNTS] == [7000, 0, 3500, 0, 3500]
    assert made["gift_credits"][0] | {"redemption_id": ""} == {
        "redemption_id": "",
        "related_object_type": "voucher",
        "related_object_id": card.public_id,
        "amount": 3500,
    }
    assert (card.gift_balance, card.redeemed_amount, card.redeemed_quantity) == (3500, 1500, 1)
    ledger = VoucherTransaction.objects.filter(voucher=card).order_by("pk")
    assert [(row.type, row.amount, row.balance) for row in ledger][-1] == ("CREDITS_REFUND", 3500, 3500)
    assert_ledger_agrees(project)


def test_a_rollback_after_a_refund_returns_what_is_left_of_the_credits(api, project):
    card = gift_card(project)
    sold = redeem(api, card.code, order={"items": [line("a", 2, 3000)]}, customer={"source_id": "u"})
    refund(api, sold["order"]["id"], items=[units(0)])

    rollback = api.post(f"/v1/redemptions/{sold['redemptions'][0]['id']}/rollback").json()

    card.refresh_from_db()
    assert rollback["amount"] == -2500
    assert (card.gift_balance, card.redeemed_amount) == (5000, 0)
    assert_ledger_agrees(project)
    assert summary_of(api, "u")["redemptions"]["gift"]["redeemed_amount"] == 0


def test_credits_of_a_redemption_rolled_back_beside_its_order_come_back_once(api, project):
    project.stacking_rules = {"redeemables_rollback_order_mode": "WITHOUT_ORDER"}
    project.save()
    card = gift_card(project, 1000)
    sold = redeem(api, card.code, order={"items": [line("a", 2, 3000)]})
    first = refund(api, sold["order"]["id"], items=[units(0)])
    api.post(f"/v1/redemptions/{sold['redemptions'][0]['id']}/rollback")

    last = refund(api, sold["order"]["id"])

    card.refresh_from_db()
    assert [(one["gift_amount"], one["refund_amount"]) for one in (first, last)] == [(500, 2500), (0, 2500)]
    assert (card.gift_balance, card.redeemed_amount) == (1000, 0)
    assert_ledger_agrees(project)


def test_a_canceled_order_is_not_refunded(api, project):
    sold = redeem(api, VoucherFactory(project=project).code, order={"items": [line("a", 1, 3000)]})
    api.post(f"/v1/redemptions/{sold['redemptions'][0]['id']}/rollback")

    assert refused(api, sold["order"]["id"]) == (400, "invalid_order")


def test_an_order_not_paid_is_not_refunded(api, project):
    order = sell(api, VoucherFactory(project=project).code, amount=3000, status="CREATED")

    assert refused(api, order) == (400, "invalid_order")


class TestJudgedAnew:
    OVER_100 = {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}}
    OFF_20 = {"type": "AMOUNT", "amount_off": 2000}

    def test_a_threshold_no_longer_met_is_held_back(self, api, project):
        code = code_with(api, self.OVER_100, discount=self.OFF_20)
        order = sell(api, code, items=[line("a", 1, 6000), line("b", 1, 5000)])

        kept = calculate(api, order, items=[units(1)])
        anew = calculate(api, order, items=[units(1)], mode="REEVALUATE")

        # 90.00 were paid; a alone would have cost 60.00.
        assert [kept[name] for name in AMOUNTS] == [5000, 909, 0, 0, 4091]
        assert [anew[name] for name in AMOUNTS] == [5000, 909, 0, 1091, 3000]

    def test_what_was_held_back_is_paid_when_all_has_come_back(self, api, project):
        code = code_with(api, self.OVER_100, discount=self.OFF_20)
        order = sell(api, code, items=[line("a", 1, 6000), line("b", 1, 5000)])

        first = refund(api, order, items=[units(1)], mode="REEVALUATE")
        last = refund(api, order, items=[units(0)])

        assert (first["refund_amount"], last["refund_amount"]) == (3000, 6000)
        assert last["held_back_amount"] == -1091

    def test_it_is_never_negative(self, api, project):
        code = code_with(api, self.OVER_100, discount={"type": "AMOUNT", "amount_off": 8000})
        order = sell(api, code, items=[line("a", 1, 9000), line("b", 1, 1000)])

        made = refund(api, order, items=[units(1)], mode="REEVALUATE")

        assert (made["refund_amount"], made["held_back_amount"]) == (0, 200)

    def test_a_threshold_still_met_holds_nothing_back(self, api, project):
        code = code_with(api, self.OVER_100, discount=PERCENT_10)
        order = sell(api, code, items=[line("a", 3, 6000)])

        made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

        assert (made["refund_amount"], made["held_back_amount"]) == (5400, 0)

    def test_a_fixed_amount_does_not_move_to_the_goods_kept(self, api, project):
        order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 5000)])

        made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

        assert (made["refund_amount"], made["held_back_amount"]) == (4500, 0)

    def test_a_code_used_up_expired_or_disabled_since_counts_as_it_did(self, api, project):
        code = VoucherFactory(project=project, quantity=1, discount=PERCENT_10)
        order = sell(api, code.code, items=[line("a", 2, 5000)])
        api.post(f"/v1/vouchers/{code.code}/disable")

        assert calculate(api, order, items=[units(0)], mode="REEVALUATE")["refund_amount"] == 4500

    def test_a_code_deleted_since_keeps_its_share(self, api, project):
        code = VoucherFactory(project=project)
        order = sell(api, code.code, items=[line("a", 2, 5000)])
        api.delete(f"/v1/vouchers/{code.code}")

        assert calculate(api, order, items=[units(0)], mode="REEVALUATE")["refund_amount"] == 4500

    def test_conditions_on_the_customer_were_met_and_stay_so(self, api, project):
        vip = {
            "name": "customer.metadata",
            "property": "level",
            "conditions": {"$is": ["gold"]},
        }
        code = code_with(api, vip, discount=PERCENT_10)
        gold = {"source_id": "u", "metadata": {"level": "gold"}}
        order = redeem(api, code, order={"items": [line("a", 2, 5000)]}, customer=gold)["order"]["id"]
        api.put("/v1/customers/u", {"metadata": {"level": "silver"}})

        assert calculate(api, order, items=[units(0)], mode="REEVALUATE")["refund_amount"] == 4500

    def test_a_guest_who_was_let_in_stays_in(self, api, project):
        campaign = CampaignFactory(project=project, discount=PERCENT_10, guests="REFUSED")
        code = VoucherFactory(project=project, campaign=campaign, discount=None).code
        guest = {"identities": {"email": "ann@example.com"}}
        order = redeem(api, code, order={"items": [line("a", 2, 5000)]}, customer=guest)["order"]["id"]

        assert calculate(api, order, items=[units(0)], mode="REEVALUATE")["refund_amount"] == 4500

    def test_a_free_unit_no_longer_earned_costs_its_price(self, api, project):
        product = ProductFactory(project=project, source_id="a", price=1000)
        free = {"type": "UNIT", "unit_off": 1, "effect": "ADD_NEW_ITEMS", "unit_type": product.public_id}
        two = {"name": "order.amount", "conditions": {"$more_than_or_equal": [2000]}}
        code = code_with(api, two, discount=free)
        order = sell(api, code, items=[line("a", 2, 1000)])

        made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

        # Two are kept, one of them without having bought two: they cost what was paid for all.
        assert (made["units_amount"], made["refund_amount"]) == (1000, 0)

    def test_gift_credits_are_held_back_after_the_money(self, api, project):
        code = code_with(api, self.OVER_100, discount=self.OFF_20)
        card = gift_card(project, 9000)
        order = sell(api, code, card.code, items=[line("a", 1, 6000), line("b", 1, 5000)])

        made = refund(api, order, items=[units(1)], mode="REEVALUATE")
        last = refund(api, order)

        assert [made[name] for name in AMOUNTS] == [5000, 909, 3000, 1091, 0]
        assert last["gift_amount"] == 6000
        card.refresh_from_db()
        assert card.gift_balance == 9000

    def test_promotions_in_a_stack_are_judged_together(self, api, project):
        tier = PromotionTierFactory(project=project, discount=PERCENT_10)
        other = PromotionTierFactory(project=project, discount=PERCENT_10)
        order = sell(api, tier.public_id, other.public_id, items=[line("a", 2, 5000)])

        made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

        assert made["refund_amount"] == 4050


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


def test_a_refund_leaves_the_budget_and_a_rollback_after_it_gives_it_back_once(api, project):
    code = VoucherFactory(project=project, campaign=CampaignFactory(project=project), discount=PERCENT_10)
    limit(code.campaign, "campaign.orders.amount_discounted", 1000)
    sold = redeem(api, code.code, order={"items": [line("a", 2, 1000)]})

    refund(api, sold["order"]["id"], items=[units(0)])
    assert standing(project) == {("discount_amount", "ever"): 200}
    assert_ledger_agrees(project)

    api.post(f"/v1/redemptions/{sold['redemptions'][0]['id']}/rollback")
    assert standing(project) == {("discount_amount", "ever"): 0}
    assert_ledger_agrees(project)


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


def test_an_order_with_discounts_given_elsewhere_is_refunded_by_them(api):
    items = [line("a", 2, 1000, discount_amount=400), line("b", 1, 2000)]
    order = api.post("/v1/orders", {"items": items, "discount_amount": 360, "status": "PAID"}).json()["id"]

    made = [calculate(api, order, items=[units(index)]) for index in (0, 1)]

    # 3.60 are shared 1.60 to 2.00 by what was left to pay.
    assert [[one[name] for name in AMOUNTS] for one in made] == [
        [1000, 280, 0, 0, 720],
        [2000, 200, 0, 0, 1800],
    ]
    assert made[0]["discounts"] == []


def test_an_order_changed_after_its_redemption_is_refunded_as_it_is(api, project):
    code = VoucherFactory(project=project)
    order = sell(api, code.code, items=[line("a", 1, 3000), line("b", 1, 2000)])
    api.put(f"/v1/orders/{order}", {"items": [line("b", 1, 2000), line("c", 1, 3000)]})
    total = api.get(f"/v1/orders/{order}").json()["total_amount"]

    made = [refund(api, order, items=[units(index)]) for index in (0, 1)]

    assert sum(one["refund_amount"] for one in made) == total == 4000
    assert {one["related_object_id"] for one in made[0]["discounts"]} == {code.public_id}


def test_redemptions_one_after_the_other_share_out_what_the_others_left(api, project):
    codes = [VoucherFactory(project=project, discount=PERCENT_10).code for _ in range(3)]
    order = sell(api, codes[0], items=[line("a", 3, 1111), line("b", 1, 333)])
    for code in codes[1:]:
        redeem(api, code, order={"id": order})

    total = api.get(f"/v1/redemptions/{last_redemption()}").json()["order"]["total_amount"]
    allocations = Redemption.objects.values_list("allocation", flat=True)
    paid = [refund(api, order, items=[units(index)]) for index in (0, 1, 0, 0)]

    assert sum(sum(parts) for parts in allocations) == 3666 - total
    assert sum(made["refund_amount"] for made in paid) == total
    assert len({one["redemption_id"] for made in paid for one in made["discounts"]}) == 3


def last_redemption():
    return Redemption.objects.latest("pk").public_id


def test_orders_redeemed_before_shares_were_kept_are_refunded_too(api, project):
    code = VoucherFactory(project=project)
    order = sell(api, code.code, items=[line("a", 3, 1000), line("b", 1, 2000)])
    Redemption.objects.update(allocation=None)
    row = Order.objects.get()
    del row.calculated["shares"]
    row.save()

    made = refund(api, order, items=[units(0)])

    assert (made["refund_amount"], made["discounts"][0]["amount"]) == (800, 200)


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


def summary_of(api, source_id):
    """Return a customer's summary once what happened has been counted."""
    refresh_customers(event_ids=[str(event.pk) for event in OutboxEvent.objects.all()])
    return api.get(f"/v1/customers/{source_id}").json()["summary"]
