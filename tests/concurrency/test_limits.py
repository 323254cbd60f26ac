"""Limits hold however many ask at once: never one over, never one lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest
from django.db import connection

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from redemptions.models import Redemption
from tests.concurrency.parallel import in_parallel
from tests.factories import CampaignFactory, CustomerFactory, VoucherFactory
from vouchers.models import UsageEntry, Voucher, VoucherTransaction
from vouchers.selectors import voucher_by_ref
from vouchers.services.usage import roll_up_usage, usage_lock

pytestmark = pytest.mark.django_db(transaction=True)


def redeem(api, *codes, **headers):
    redeemables = [{"object": "voucher", "id": code} for code in codes]
    return api.post("/v1/redemptions", {"redeemables": redeemables, "order": {"amount": 5000}}, **headers)


@pytest.mark.parametrize("round_", range(20))
def test_a_code_for_ten_is_redeemed_ten_times_by_sixty_four(api, project, round_):
    voucher = VoucherFactory(project=project, quantity=10)

    answers = in_parallel(64, lambda _: redeem(api, voucher.code))

    keys = Counter(answer.json().get("key", "success") for answer in answers)
    voucher.refresh_from_db()
    assert keys == {"success": 10, "quantity_exceeded": 54}
    assert voucher.redeemed_quantity == 10
    assert Redemption.objects.filter(voucher=voucher, result="SUCCESS").count() == 10


def test_one_idempotency_key_redeems_once(api, project):
    voucher = VoucherFactory(project=project, quantity=10)

    answers = in_parallel(10, lambda _: redeem(api, voucher.code, **{"Idempotency-Key": "cart-1"}))

    voucher.refresh_from_db()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert voucher.redeemed_quantity == 1


def test_a_code_without_limit_loses_no_count(api, project):
    voucher = VoucherFactory(project=project)

    in_parallel(64, lambda _: [redeem(api, voucher.code) for _ in range(3)])

    assert voucher_by_ref(project, voucher.code).pending_quantity == 192


def test_a_code_without_limit_makes_nobody_wait(api, project):
    """Hold an open transaction that redeems the code; another redemption must not wait for it."""
    voucher = VoucherFactory(project=project)
    with psycopg.connect(**connection_parameters()) as other:
        other.execute("SELECT pg_advisory_xact_lock_shared(%s)", [usage_lock(voucher.pk)])
        other.execute(
            f"INSERT INTO {UsageEntry._meta.db_table} (voucher_id, quantity) VALUES (%s, 1)", [voucher.pk]
        )
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")

        answer = redeem(api, voucher.code)

        other.rollback()
    assert answer.status_code == 200


def test_sixty_four_clients_of_one_code_show_no_lock_waits(api, project):
    voucher = VoucherFactory(project=project)
    finished = Event()

    with ThreadPoolExecutor(1) as watcher:
        waits = watcher.submit(lock_waits, finished)
        in_parallel(64, lambda _: [redeem(api, voucher.code) for _ in range(3)])
        finished.set()

    assert waits.result() == set()


def test_counting_goes_on_while_the_roll_up_runs(api, project):
    voucher = VoucherFactory(project=project)

    in_parallel(
        16, lambda number: roll_up_usage() if number == 0 else [redeem(api, voucher.code) for _ in range(5)]
    )
    roll_up_usage()

    voucher.refresh_from_db()
    assert voucher.redeemed_quantity == 75


def test_a_limit_set_in_the_middle_is_exact(api, project):
    """Fewer than the limit redeem while it is set, for a limit below what is used is refused."""
    voucher = VoucherFactory(project=project)
    answered = Event()

    def set_limit():
        try:
            return api.put(f"/v1/vouchers/{voucher.code}", {"redemption": {"quantity": 40}}).status_code
        finally:
            answered.set()

    def act(number):
        if number == 8:
            return set_limit()
        if number in (7, 9):
            return roll_up_usage()
        for _ in range(2):
            redeem(api, voucher.code)
        answered.wait(30)
        return [redeem(api, voucher.code) for _ in range(4)]

    answers = in_parallel(16, act)

    used = Redemption.objects.filter(voucher=voucher, result="SUCCESS").count()
    shown = voucher_by_ref(project, voucher.code)
    assert answers[8] == 200
    assert used == 40
    assert shown.redeemed_quantity + shown.pending_quantity == used


def test_a_campaigns_new_limit_is_exact_for_codes_in_use(api, project):
    campaign = CampaignFactory(project=project, vouchers_count=4)
    codes = [VoucherFactory(project=project, campaign=campaign, discount=None).code for _ in range(4)]
    api.put(f"/v1/campaigns/{campaign.name}", {"voucher": {"redemption": {"quantity": 1}}})
    action = AsyncAction.objects.get(project=project)

    in_parallel(17, lambda n: run_async_action(action.pk) if n == 8 else redeem(api, codes[n % 4]))
    roll_up_usage()

    for voucher in Voucher.objects.filter(project=project):
        used = Redemption.objects.filter(voucher=voucher, result="SUCCESS").count()
        assert voucher.redeemed_quantity == used
        assert voucher.quantity is None or used <= 1


def test_redeeming_against_rolling_back_keeps_the_count(api, project):
    voucher = VoucherFactory(project=project, quantity=5)
    ids = [redeem(api, voucher.code).json()["redemptions"][0]["id"] for _ in range(5)]

    def act(number):
        if number < 10:
            return api.post(f"/v1/redemptions/{ids[number % 5]}/rollback").status_code
        return redeem(api, voucher.code).status_code

    in_parallel(40, act)

    voucher.refresh_from_db()
    live = Redemption.objects.filter(voucher=voucher, kind="redemption", status="SUCCEEDED").count()
    undone = Redemption.objects.filter(voucher=voucher, kind="redemption_rollback", result="SUCCESS").count()
    assert undone == 5
    assert voucher.redeemed_quantity == live <= 5


def test_a_redemption_is_rolled_back_once(api, project):
    voucher = VoucherFactory(project=project)
    redemption = redeem(api, voucher.code).json()["redemptions"][0]["id"]

    answers = in_parallel(10, lambda _: api.post(f"/v1/redemptions/{redemption}/rollback").status_code)

    assert Counter(answers) == {200: 1, 400: 9}


def test_a_gift_card_is_never_overdrawn(api, project):
    card = VoucherFactory(
        project=project, type=Voucher.Type.GIFT_VOUCHER, discount=None, gift_amount=1000, gift_balance=1000
    )
    body = {
        "redeemables": [{"object": "voucher", "id": card.code, "gift": {"credits": 300}}],
        "order": {"amount": 5000},
    }

    answers = in_parallel(20, lambda _: api.post("/v1/redemptions", body).status_code)

    card.refresh_from_db()
    assert (Counter(answers)[200], card.gift_balance) == (3, 100)
    assert VoucherTransaction.objects.filter(voucher=card).count() == 3


def test_stacks_in_opposite_orders_do_not_deadlock(api, project):
    codes = [VoucherFactory(project=project, quantity=1000).code for _ in range(4)]

    answers = in_parallel(24, lambda n: redeem(api, *(codes if n % 2 else reversed(codes))).status_code)

    assert set(answers) == {200}
    assert set(Voucher.objects.filter(project=project).values_list("redeemed_quantity", flat=True)) == {24}


def test_a_session_and_a_redemption_share_the_last_use(api, project):
    voucher = VoucherFactory(project=project, quantity=1)
    body = {"redeemables": [{"object": "voucher", "id": voucher.code}], "order": {"amount": 5000}}

    def act(number):
        if number % 2:
            return redeem(api, voucher.code).status_code == 200
        session = {"type": "LOCK", "key": f"cart-{number}", "ttl": 1, "ttl_unit": "HOURS"}
        return api.post("/v1/validations", body | {"session": session}).json().get("valid") is True

    assert sum(in_parallel(20, act)) == 1


def test_each_taker_gets_another_code(api, project):
    campaign = CampaignFactory(project=project, type="STATIC")
    for number in range(64):
        VoucherFactory(project=project, campaign=campaign, discount=None, code=f"FREE-{number:02d}")

    def publish(number):
        body = {"campaign": {"name": campaign.name}, "customer": {"source_id": f"taker-{number}"}}
        return api.post("/v1/publications", body).json()["voucher"]["code"]

    assert len(set(in_parallel(64, publish))) == 64


def test_one_source_id_makes_one_customer(api, project):
    answers = in_parallel(
        16, lambda n: api.post("/v1/customers", {"source_id": "same", "metadata": {f"k{n}": n}})
    )

    customer = api.get("/v1/customers/same").json()
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(customer["metadata"]) == 16


def test_one_customer_gets_one_code_of_a_campaign_that_serves_each_once(api, project):
    campaign = CampaignFactory(project=project, join_once=True)
    customer = CustomerFactory(project=project)
    body = {"campaign": {"name": campaign.name}, "customer": {"source_id": customer.source_id}}

    answers = in_parallel(8, lambda _: api.post("/v1/publications", body).status_code)

    assert Counter(answers) == {200: 1, 400: 7}


def connection_parameters():
    settings = connection.get_connection_params()
    return {name: settings[name] for name in ("dbname", "user", "host") if settings.get(name)}


def lock_waits(finished):
    """Return what backends of this database were seen waiting for, until told to stop.

    But for room in a table's file, which whoever writes first makes for all.
    """
    seen = set()
    with psycopg.connect(**connection_parameters(), autocommit=True) as other:
        while not finished.wait(0.005):
            seen |= set(
                other.execute(
                    "SELECT wait_event FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    " AND wait_event <> 'extend'"
                ).fetchall()
            )
    return seen
