"""No unit is refunded twice, and no credit given back twice, however many ask at once."""

from collections import Counter

import pytest
from django.db import IntegrityError, transaction

from redemptions.models import Order, Redemption, Refund, RefundedUnits
from tests.concurrency.parallel import in_parallel
from tests.factories import VoucherFactory
from tests.limits import assert_ledger_agrees, key_of
from tests.redemptions.storefront import redeem

pytestmark = pytest.mark.django_db(transaction=True)


def sell(api, *codes, quantity=1):
    items = [{"source_id": "a", "quantity": quantity, "price": 1000}]
    return redeem(api, *codes, order={"items": items})["order"]["id"]


def gift_card(project, credits=9000):
    return VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=credits, gift_balance=credits
    )


def refund(api, order, **body):
    body = {"items": [{"order_item_index": 0, "quantity": 1}], **body}
    return api.post(f"/v1/orders/{order}/refunds", body)


@pytest.mark.parametrize("round_", range(5))
def test_of_sixty_four_refunds_of_one_unit_one_wins(api, project, round_):
    card = gift_card(project, 400)
    order = sell(api, card.code)

    answers = in_parallel(64, lambda _: refund(api, order))

    card.refresh_from_db()
    assert Counter(key_of(answer) for answer in answers) == {"success": 1, "refund_quantity_exceeded": 63}
    assert Refund.objects.get().refund_amount == 600
    assert (card.gift_balance, card.redeemed_amount) == (400, 0)
    assert_ledger_agrees(project)


def test_ten_units_are_refunded_ten_times_by_sixty_four(api, project):
    card = gift_card(project, 333)
    order = sell(api, VoucherFactory(project=project).code, card.code, quantity=10)

    answers = in_parallel(64, lambda _: refund(api, order))

    card.refresh_from_db()
    assert Counter(key_of(answer) for answer in answers) == {"success": 10, "refund_quantity_exceeded": 54}
    assert sum(made.refund_amount for made in Refund.objects.all()) == 10000 - 1000 - 333
    assert (card.gift_balance, Order.objects.get().refunded_amount) == (333, 8667)
    assert_ledger_agrees(project)


def test_one_source_id_refunds_once(api, project):
    order = sell(api, VoucherFactory(project=project).code, quantity=10)

    answers = in_parallel(16, lambda _: refund(api, order, source_id="rma-1"))

    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert Refund.objects.count() == 1


def test_one_source_id_on_many_orders_is_of_one(api, project):
    code = VoucherFactory(project=project).code
    orders = [sell(api, code) for _ in range(8)]

    answers = in_parallel(8, lambda number: refund(api, orders[number], source_id="rma-1"))

    assert Counter(key_of(answer) for answer in answers) == {"success": 1, "duplicate_source_id": 7}


def test_a_rollback_amid_refunds_gives_back_the_rest_of_the_credits(api, project):
    card = gift_card(project, 5000)
    items = [{"source_id": "a", "quantity": 10, "price": 1000}]
    sold = redeem(api, card.code, order={"items": items})

    def act(number):
        if number == 5:
            return api.post(f"/v1/redemptions/{sold['redemptions'][0]['id']}/rollback")
        return refund(api, sold["order"]["id"])

    answers = in_parallel(12, act)

    card.refresh_from_db()
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert (card.gift_balance, card.redeemed_amount) == (5000, 0)
    assert_ledger_agrees(project)


def test_refunds_amid_redemptions_of_the_order_count_on_one_of_the_two(api, project):
    order = sell(api, VoucherFactory(project=project).code, quantity=5)
    code = VoucherFactory(project=project, discount={"type": "AMOUNT", "amount_off": 100}).code

    def act(number):
        if number % 2:
            return refund(api, order)
        body = {"redeemables": [{"object": "voucher", "id": code}], "order": {"id": order}}
        return api.post("/v1/redemptions", body)

    answers = in_parallel(16, act)
    last = api.post(f"/v1/orders/{order}/refunds", {})

    assert {answer.status_code for answer in answers} <= {200, 400}
    assert last.status_code in (200, 400)
    used = Redemption.objects.filter(order__isnull=False, result="SUCCESS")
    paid = 5000 - sum(use.discount_amount for use in used)
    assert sum(made.refund_amount for made in Refund.objects.all()) == paid


def test_the_database_itself_refuses_a_unit_taken_twice(api, project):
    order = sell(api, VoucherFactory(project=project).code, quantity=2)
    refund(api, order)
    taken = RefundedUnits.objects.get()

    for first_unit in (0, 2):
        taken.pk, taken._state.adding, taken.first_unit = None, True, first_unit
        taken.id = RefundedUnits._meta.pk.get_default()
        with pytest.raises(IntegrityError), transaction.atomic():
            taken.save(force_insert=True)
