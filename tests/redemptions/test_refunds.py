"""What is paid back for units that come back: what was paid for them, and neither more nor twice."""

from redemptions.models import Order, Redemption
from tests.factories import (
    ProductFactory,
    VoucherFactory,
)
from tests.redemptions.refunding import AMOUNTS, PERCENT_10, calculate, line, refund, refused, sell, units
from tests.redemptions.storefront import code_with, redeem


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
