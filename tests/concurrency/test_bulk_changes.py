"""Workers that change many codes are killed at any moment; each code is changed once all the same."""

import random

import pytest
from django.utils import timezone

from promoengine.core.models import OutboxEvent
from promoengine.core.services.async_actions import undo
from tests.concurrency.workers import finish, kill_ten_times
from tests.factories import CampaignFactory
from vouchers.models import ChangedVoucher, Voucher
from vouchers.patterns import parse_code_config
from vouchers.selections import Selection
from vouchers.services import bulk_change
from vouchers.services.bulk_change import Change, start_bulk_change
from vouchers.services.insert_codes import insert_codes

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 8000


@pytest.fixture
def campaign(monkeypatch):
    monkeypatch.setattr(bulk_change, "BATCH", 50)
    campaign = CampaignFactory(vouchers_count=COUNT)
    insert_codes(campaign, parse_code_config({"length": 12}), COUNT, batch_id=None, is_crowded=False)
    return campaign


def start(campaign, kind):
    return start_bulk_change(
        campaign.project, selection=Selection(), change=Change(kind), channel="API", now=timezone.now()
    )


def test_ten_killed_workers_change_each_code_once_and_can_be_undone(campaign):
    Voucher.objects.filter(pk__in=Voucher.objects.order_by("pk")[: COUNT // 4]).update(active=False)
    action, chance = start(campaign, "disable"), random.Random(7)

    killed = kill_ten_times(action, chance, work=COUNT)
    finish(action)

    assert killed == 10
    assert (action.status, action.done_count, action.total_count) == ("DONE", COUNT, COUNT)
    assert not Voucher.objects.filter(active=True).exists()
    changed = ChangedVoucher.objects.filter(action=action)
    assert (changed.count(), changed.values("voucher_id").distinct().count()) == (
        COUNT * 3 // 4,
        COUNT * 3 // 4,
    )
    assert OutboxEvent.objects.get(type="vouchers.changed").data["count"] == COUNT

    undoing = undo(campaign.project, action, now=timezone.now())
    killed = kill_ten_times(undoing, chance, work=COUNT * 3 // 4)
    finish(undoing)

    assert killed == 10
    assert (undoing.status, undoing.done_count) == ("DONE", COUNT * 3 // 4)
    assert Voucher.objects.filter(active=True).count() == COUNT * 3 // 4


def test_ten_killed_workers_put_each_code_in_the_bin_once(campaign):
    action = start(campaign, "delete")

    killed = kill_ten_times(action, random.Random(7), work=COUNT)
    finish(action)

    campaign.refresh_from_db()
    assert killed == 10
    assert (action.status, action.done_count, campaign.vouchers_count) == ("DONE", COUNT, 0)
    assert not Voucher.objects.present().exists()
    assert OutboxEvent.objects.filter(type="vouchers.changed").count() == 1
