"""Refunds that judge the goods kept anew: what they would have cost without those that come back."""

from tests.factories import (
    CampaignFactory,
    GiftCardFactory,
    ProductFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from tests.redemptions.refunding import AMOUNTS, PERCENT_10, calculate, line, refund, sell, units
from tests.redemptions.storefront import code_with, redeem

OVER_100 = {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}}
OFF_20 = {"type": "AMOUNT", "amount_off": 2000}


def test_a_threshold_no_longer_met_is_held_back(api, project):
    code = code_with(api, OVER_100, discount=OFF_20)
    order = sell(api, code, items=[line("a", 1, 6000), line("b", 1, 5000)])

    kept = calculate(api, order, items=[units(1)])
    anew = calculate(api, order, items=[units(1)], mode="REEVALUATE")

    # 90.00 were paid; a alone would have cost 60.00.
    assert [kept[name] for name in AMOUNTS] == [5000, 909, 0, 0, 4091]
    assert [anew[name] for name in AMOUNTS] == [5000, 909, 0, 1091, 3000]


def test_what_was_held_back_is_paid_when_all_has_come_back(api, project):
    code = code_with(api, OVER_100, discount=OFF_20)
    order = sell(api, code, items=[line("a", 1, 6000), line("b", 1, 5000)])

    first = refund(api, order, items=[units(1)], mode="REEVALUATE")
    last = refund(api, order, items=[units(0)])

    assert (first["refund_amount"], last["refund_amount"]) == (3000, 6000)
    assert last["held_back_amount"] == -1091


def test_it_is_never_negative(api, project):
    code = code_with(api, OVER_100, discount={"type": "AMOUNT", "amount_off": 8000})
    order = sell(api, code, items=[line("a", 1, 9000), line("b", 1, 1000)])

    made = refund(api, order, items=[units(1)], mode="REEVALUATE")

    assert (made["refund_amount"], made["held_back_amount"]) == (0, 200)


def test_a_threshold_still_met_holds_nothing_back(api, project):
    code = code_with(api, OVER_100, discount=PERCENT_10)
    order = sell(api, code, items=[line("a", 3, 6000)])

    made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

    assert (made["refund_amount"], made["held_back_amount"]) == (5400, 0)


def test_a_fixed_amount_does_not_move_to_the_goods_kept(api, project):
    order = sell(api, VoucherFactory(project=project).code, items=[line("a", 2, 5000)])

    made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

    assert (made["refund_amount"], made["held_back_amount"]) == (4500, 0)


def test_a_code_used_up_expired_or_disabled_since_counts_as_it_did(api, project):
    code = VoucherFactory(project=project, quantity=1, discount=PERCENT_10)
    order = sell(api, code.code, items=[line("a", 2, 5000)])
    api.post(f"/v1/vouchers/{code.code}/disable")

    assert calculate(api, order, items=[units(0)], mode="REEVALUATE")["refund_amount"] == 4500


def test_a_code_deleted_since_keeps_its_share(api, project):
    code = VoucherFactory(project=project)
    order = sell(api, code.code, items=[line("a", 2, 5000)])
    api.delete(f"/v1/vouchers/{code.code}")

    assert calculate(api, order, items=[units(0)], mode="REEVALUATE")["refund_amount"] == 4500


def test_conditions_on_the_customer_were_met_and_stay_so(api, project):
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


def test_a_guest_who_was_let_in_stays_in(api, project):
    campaign = CampaignFactory(project=project, discount=PERCENT_10, guests="REFUSED")
    code = VoucherFactory(project=project, campaign=campaign, discount=None).code
    guest = {"identities": {"email": "ann@example.com"}}
    order = redeem(api, code, order={"items": [line("a", 2, 5000)]}, customer=guest)["order"]["id"]

    assert calculate(api, order, items=[units(0)], mode="REEVALUATE")["refund_amount"] == 4500


def test_a_free_unit_no_longer_earned_costs_its_price(api, project):
    product = ProductFactory(project=project, source_id="a", price=1000)
    free = {"type": "UNIT", "unit_off": 1, "effect": "ADD_NEW_ITEMS", "unit_type": product.public_id}
    two = {"name": "order.amount", "conditions": {"$more_than_or_equal": [2000]}}
    code = code_with(api, two, discount=free)
    order = sell(api, code, items=[line("a", 2, 1000)])

    made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

    # Two are kept, one of them without having bought two: they cost what was paid for all.
    assert (made["units_amount"], made["refund_amount"]) == (1000, 0)


def test_gift_credits_are_held_back_after_the_money(api, project):
    code = code_with(api, OVER_100, discount=OFF_20)
    card = GiftCardFactory(project=project, gift_amount=9000)
    order = sell(api, code, card.code, items=[line("a", 1, 6000), line("b", 1, 5000)])

    made = refund(api, order, items=[units(1)], mode="REEVALUATE")
    last = refund(api, order)

    assert [made[name] for name in AMOUNTS] == [5000, 909, 3000, 1091, 0]
    assert last["gift_amount"] == 6000
    card.refresh_from_db()
    assert card.gift_balance == 9000


def test_promotions_in_a_stack_are_judged_together(api, project):
    tier = PromotionTierFactory(project=project, discount=PERCENT_10)
    other = PromotionTierFactory(project=project, discount=PERCENT_10)
    order = sell(api, tier.public_id, other.public_id, items=[line("a", 2, 5000)])

    made = calculate(api, order, items=[units(0)], mode="REEVALUATE")

    assert made["refund_amount"] == 4050
