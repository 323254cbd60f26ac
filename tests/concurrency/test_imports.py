"""Imports under fire: killed at any moment, two of the same codes at once, beside others who make codes."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.row_imports import GOOD
from promoengine.core.services.async_actions import run_async_action
from promoengine.core.services.uploads import keep_file
from tests.concurrency.parallel import in_parallel
from tests.concurrency.workers import finish, kill_after, kill_ten_times, run_and_close
from tests.factories import CampaignFactory, ProjectFactory
from vouchers.import_plans import ALL, ImportPlan
from vouchers.models import Voucher
from vouchers.services import import_steps
from vouchers.services.generate import start_generation
from vouchers.services.import_codes import start_code_import
from vouchers.services.staging import Staging

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 5000


def start(campaign, codes, mode=GOOD):
    now, text = timezone.now(), "\n".join(["Code", *codes])
    file = keep_file(campaign.project, name="codes.csv", chunks=[text.encode()], now=now)
    plan = ImportPlan(mode=mode, campaign=str(campaign.pk))
    return start_code_import(campaign.project, file=file, plan=plan, now=now)


@pytest.mark.parametrize("mode", [GOOD, ALL])
def test_ten_killed_workers_leave_neither_gaps_nor_doubles(monkeypatch, mode):
    monkeypatch.setattr(import_steps, "READ_BATCH", 100)
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 100)
    campaign, chance = CampaignFactory(), random.Random(7)
    bad = [] if mode == ALL else ["C-1", "\N{PARTY POPPER}"] * 50
    action = start(campaign, [f"C-{number}" for number in range(COUNT)] + bad, mode)

    # All rows come in at once or none does, so that only reading them gets on step by step.
    killed = kill_ten_times(action, chance, work=COUNT if mode == ALL else 2 * COUNT)
    for _ in range(5):
        kill_after(chance.uniform(0.02, 0.2), action)
    finish(action)

    campaign.refresh_from_db()
    assert killed == 10
    assert (action.status, action.done_count, action.failed_count) == ("DONE", COUNT, len(bad))
    assert (Voucher.objects.count(), campaign.vouchers_count, action.skipped_count) == (COUNT, COUNT, 0)
    assert OutboxEvent.objects.filter(type="vouchers.imported").count() == 1
    assert Staging(action).count() == -1


@pytest.mark.parametrize("modes", [(GOOD, GOOD), (ALL, ALL), (GOOD, ALL)])
def test_the_same_codes_twice_at_once_come_in_once(monkeypatch, modes):
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 200)
    campaign = CampaignFactory()
    codes = [f"C-{number}" for number in range(2000)]
    actions = [start(campaign, codes, modes[0]), start(campaign, codes[::-1], modes[1])]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_and_close, actions))

    ended = [AsyncAction.objects.get(pk=action.pk) for action in actions]
    campaign.refresh_from_db()
    assert [action.status for action in ended] == ["DONE", "DONE"]
    assert sum(action.done_count for action in ended) == 2000
    assert sum(action.skipped_count for action in ended) == 2000
    assert (Voucher.objects.count(), campaign.vouchers_count) == (2000, 2000)


def test_imports_and_generation_of_one_small_space_wait_for_nobody_who_waits_for_them(monkeypatch):
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 50)
    monkeypatch.setattr("vouchers.services.generate.BATCH", 50)
    config = {"length": 3, "charset": "0123456789"}
    campaign = CampaignFactory(code_config=config)
    codes = [f"{number:03}" for number in range(0, 1000, 2)]
    imported = start(campaign, codes)
    generated = start_generation(campaign.project, campaign=campaign, count=400, now=timezone.now())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_and_close, [imported, generated]))

    imported.refresh_from_db()
    generated.refresh_from_db()
    campaign.refresh_from_db()
    assert (imported.status, generated.status) == ("DONE", "DONE")
    assert imported.done_count + imported.skipped_count == 500
    assert Voucher.objects.count() == campaign.vouchers_count == imported.done_count + 400


@pytest.mark.parametrize("mode", [GOOD, ALL])
def test_a_campaign_changed_while_codes_come_in_has_its_new_terms_in_all_of_them(monkeypatch, mode):
    campaign = CampaignFactory(project=ProjectFactory())
    insert, changed = Staging.insert, []

    def change_meanwhile(staging, *args, **span):
        made = insert(staging, *args, **span)
        if not changed:
            changed.extend(
                in_parallel(1, lambda _: Campaign.objects.filter(pk=campaign.pk).update(quantity=7))
            )
        return made

    monkeypatch.setattr(Staging, "insert", change_meanwhile)
    action = start(campaign, ["A", "B"], mode)
    run_async_action(action.pk)
    action.refresh_from_db()

    assert (action.status, action.done_count, changed) == ("DONE", 2, [1])
    assert set(Voucher.objects.values_list("quantity", flat=True)) == {7}
