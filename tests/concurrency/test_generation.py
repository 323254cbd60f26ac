"""Workers that make codes are killed at any moment; what comes of it is exact all the same."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.models import OutboxEvent
from tests.concurrency.workers import finish, kill_ten_times, run_and_close
from tests.factories import CampaignFactory, ProjectFactory
from vouchers.models import Voucher
from vouchers.services import generate
from vouchers.services.generate import start_generation

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 20_000


def test_ten_killed_workers_leave_neither_gaps_nor_doubles(monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 200)
    project = ProjectFactory()
    # Half of the space is used, so that collisions are met on the way.
    campaign = CampaignFactory(project=project, code_config={"length": 5, "charset": "01234567"})
    action = start_generation(project, campaign=campaign, count=COUNT, now=timezone.now())

    killed = kill_ten_times(action, random.Random(7), work=COUNT)
    finish(action)

    campaign.refresh_from_db()
    events = OutboxEvent.objects.filter(type="campaign.vouchers.generation.completed")
    keys = Voucher.objects.filter(campaign=campaign).values("code_key").distinct().count()
    assert (Voucher.objects.count(), keys, campaign.vouchers_count) == (COUNT, COUNT, COUNT)
    assert (action.done_count, action.status) == (COUNT, "DONE")
    assert (killed, events.count()) == (10, 1)


def test_two_campaigns_share_one_small_space(monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 50)
    project = ProjectFactory()
    campaigns = [
        CampaignFactory(project=project, code_config={"length": 3, "charset": "0123456789"}) for _ in range(2)
    ]
    actions = [start_generation(project, campaign=one, count=440, now=timezone.now()) for one in campaigns]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_and_close, actions))

    assert list(Campaign.objects.values_list("vouchers_count", flat=True)) == [440, 440]
    assert Voucher.objects.values("code_key").distinct().count() == 880
