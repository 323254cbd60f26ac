"""Random orders under random offers, refunded in random pieces: what comes back is always what was paid."""

import random

import pytest

from redemptions.models import Order, Redemption, RefundedUnits
from tests.factories import ProductFactory, PromotionTierFactory, VoucherFactory
from tests.limits import assert_ledger_agrees
from tests.redemptions.storefront import redeem
from vouchers.models import Voucher

GOODS = "abc"
CREDITS = 700


def discounts(product_id):
    return [
        {"type": "PERCENT", "percent_off": 13},
        {"type": "PERCENT", "percent_off": 33, "effect": "APPLY_TO_ITEMS"},
        {"type": "AMOUNT", "amount_off": 777},
        {"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS"},
        {"type": "AMOUNT", "amount_off": 500, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"},
        {"type": "FIXED", "fixed_amount": 350, "effect": "APPLY_TO_ITEMS"},
        {"type": "UNIT", "unit_off": 2, "effect": "ADD_NEW_ITEMS", "unit_type": product_id},
        {"type": "UNIT", "unit_off": 1, "effect": "ADD_MISSING_ITEMS", "unit_type": product_id},
    ]


def offers_of(project, chance):
    """Return some codes, promotions and gift cards by the names they are redeemed under."""
    product = ProductFactory(project=project, source_id="a", price=333)
    ProductFactory(project=project, source_id="b", price=990)
    made = [
        VoucherFactory(project=project, discount=discount).code
        for discount in chance.sample(discounts(product.public_id), chance.randint(1, 3))
    ]
    made.append(PromotionTierFactory(project=project).public_id)
    card = VoucherFactory(
        project=project,
        type=Voucher.Type.GIFT_VOUCHER,
        discount=None,
        gift_amount=CREDITS,
        gift_balance=CREDITS,
    )
    return [*made, card.code], card


def cart(chance):
    lines = [
        {
            "source_id": chance.choice(GOODS),
            "quantity": chance.randint(1, 4),
            "price": chance.randint(1, 1500),
        }
        for _ in range(chance.randint(1, 4))
    ]
    total = sum(line["quantity"] * line["price"] for line in lines)
    return {"items": lines, "amount": total + chance.choice([0, 0, 490])}


def back_in_pieces(api, order_id, chance):
    """Refund the order in random pieces until nothing is left."""
    for _ in range(6):
        order = Order.objects.get()
        returned = dict.fromkeys(range(len(order.items)), 0)
        for units in RefundedUnits.objects.exclude(line=RefundedUnits.OFF_LINES):
            returned[units.line] += units.quantity
        left = {
            index: line["quantity"] - returned[index]
            for index, line in enumerate(order.items)
            if line["quantity"] > returned[index]
        }
        if not left:
            break
        chosen = chance.sample(sorted(left), chance.randint(1, len(left)))
        items = [{"order_item_index": i, "quantity": chance.randint(1, left[i])} for i in chosen]
        body = {"items": items, "mode": chance.choice(["KEEP", "REEVALUATE"])}
        yield api.post(f"/v1/orders/{order_id}/refunds", body).json()
    last = api.post(f"/v1/orders/{order_id}/refunds", {})
    if last.status_code == 200:
        yield last.json()


@pytest.mark.parametrize("seed", range(24))
def test_everything_that_was_paid_comes_back_and_no_more(api, project, seed):
    chance = random.Random(seed)
    offers, card = offers_of(project, chance)
    chance.shuffle(offers)
    first = chance.randint(1, len(offers))
    order = redeem(api, *offers[:first], order=cart(chance))["order"]["id"]
    for offer in offers[first:]:
        redeem(api, offer, order={"id": order})
    paid = api.get(f"/v1/orders/{order}").json()["total_amount"]
    spent = CREDITS - Voucher.objects.get(pk=card.pk).gift_balance

    made = list(back_in_pieces(api, order, chance))

    assert sum(one["refund_amount"] for one in made) == paid
    assert sum(one["gift_amount"] for one in made) == spent
    assert min(one["refund_amount"] for one in made) >= 0
    assert Voucher.objects.get(pk=card.pk).gift_balance == CREDITS
    assert Order.objects.get().is_refunded
    assert_ledger_agrees(project)
    for one in made:
        for name in ("units_amount", "discount_amount", "gift_amount", "held_back_amount", "refund_amount"):
            assert sum(item[name] for item in one["items"]) == one[name]


@pytest.mark.parametrize("seed", range(24, 36))
def test_each_redemption_takes_off_its_lines_what_it_saves(api, project, seed):
    chance = random.Random(seed)
    offers, _ = offers_of(project, chance)
    order = redeem(api, *offers, order=cart(chance))["order"]["id"]
    code = VoucherFactory(project=project, discount={"type": "PERCENT", "percent_off": 7}).code
    redeem(api, code, order={"id": order})

    uses = Redemption.objects.exclude(related_object_type="redemption")

    assert all(sum(use.allocation) == use.discount_amount for use in uses)
    stored = Order.objects.get()
    lines = [line["amount"] for line in stored.items]
    assert all(0 <= share <= amount for share, amount in zip(stored.calculated["shares"], lines, strict=True))
