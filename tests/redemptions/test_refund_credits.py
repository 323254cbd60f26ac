"""Refunds beside gift cards, budgets and rollbacks: credits go back to their card once."""

from tests.factories import (
    CampaignFactory,
    GiftCardFactory,
    VoucherFactory,
)
from tests.limits import assert_ledger_agrees, limit, standing
from tests.redemptions.refunding import AMOUNTS, PERCENT_10, line, refund, sell, summary_of, units
from tests.redemptions.storefront import redeem
from vouchers.models import VoucherTransaction


def test_gift_credits_go_back_to_their_card(api, project):
    card = GiftCardFactory(project=project)
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
    card = GiftCardFactory(project=project)
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
    card = GiftCardFactory(project=project, gift_amount=1000)
    sold = redeem(api, card.code, order={"items": [line("a", 2, 3000)]})
    first = refund(api, sold["order"]["id"], items=[units(0)])
    api.post(f"/v1/redemptions/{sold['redemptions'][0]['id']}/rollback")

    last = refund(api, sold["order"]["id"])

    card.refresh_from_db()
    assert [(one["gift_amount"], one["refund_amount"]) for one in (first, last)] == [(500, 2500), (0, 2500)]
    assert (card.gift_balance, card.redeemed_amount) == (1000, 0)
    assert_ledger_agrees(project)


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
