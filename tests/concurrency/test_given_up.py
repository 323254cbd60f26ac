"""Work on a campaign whose worker dies each time: given up, and its campaign is free again."""

import os
import signal
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import ATTEMPTS, only_worker, resume_async_actions
from tests.concurrency.parallel import in_parallel
from tests.concurrency.workers import finish, run_and_die
from tests.factories import CampaignFactory, VoucherFactory
from vouchers.models import Voucher
from vouchers.services import generate, propagate
from vouchers.services.campaigns import update_campaign
from vouchers.services.generate import start_generation
from vouchers.services.propagate import end_given_up

pytestmark = pytest.mark.django_db(transaction=True)


def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def give_up(action):
    """Let its worker die as often as it takes; Postgres may need a moment to see that the last is dead."""
    for _ in range(ATTEMPTS):
        run_and_die(action)
    deadline = time.monotonic() + 60
    while action.status != "FAILED" and time.monotonic() < deadline:
        resume_async_actions(now=timezone.now() + timedelta(minutes=1))
        action.refresh_from_db()


@pytest.fixture
def campaign(db):
    campaign = CampaignFactory(vouchers_count=3)
    for _ in range(3):
        VoucherFactory(project=campaign.project, campaign=campaign, discount=None)
    return campaign


def test_a_change_whose_worker_dies_each_time_is_given_up_and_tried_again(campaign, monkeypatch):
    project, data = campaign.project, {"voucher": {"redemption": {"quantity": 3}}}
    update_campaign(project, campaign.public_id, data=data, now=timezone.now())
    with monkeypatch.context() as dying:
        dying.setattr(propagate, "advance", die)
        give_up(AsyncAction.objects.get())

    freed = in_parallel(4, lambda _: end_given_up(now=timezone.now()))
    campaign.refresh_from_db()
    failed, events = campaign.generation_status, OutboxEvent.objects.filter(type__endswith="update.failed")
    update_campaign(project, campaign.public_id, data={}, now=timezone.now())
    finish(AsyncAction.objects.order_by("-id")[0])

    campaign.refresh_from_db()
    assert (sum(freed), failed, events.count()) == (1, "FAILED", 1)
    assert events.get().data["reason"] == "Given up after 10 attempts"
    assert (campaign.generation_status, campaign.failed_change) == ("DONE", None)
    assert set(Voucher.objects.values_list("quantity", flat=True)) == {3}


def test_generation_whose_worker_dies_each_time_is_given_up_and_can_be_begun_anew(campaign, monkeypatch):
    action = start_generation(campaign.project, campaign=campaign, count=5, now=timezone.now())
    with monkeypatch.context() as dying:
        dying.setattr(generate, "advance", die)
        give_up(action)

    freed = in_parallel(4, lambda _: end_given_up(now=timezone.now()))
    finish(start_generation(campaign.project, campaign=campaign, count=5, now=timezone.now()))

    campaign.refresh_from_db()
    assert (sum(freed), Voucher.objects.count(), campaign.generation_status) == (1, 8, "DONE")
    assert OutboxEvent.objects.filter(type="campaign.vouchers.generation.failed").count() == 1


def test_a_slow_worker_is_not_given_up(campaign):
    action = start_generation(campaign.project, campaign=campaign, count=5, now=timezone.now())
    AsyncAction.objects.update(status="IN_PROGRESS", attempts=ATTEMPTS)
    later = timezone.now() + timedelta(minutes=1)

    with only_worker(action.pk):
        in_parallel(1, lambda _: resume_async_actions(now=later))
    action.refresh_from_db()
    meanwhile = action.status
    resume_async_actions(now=later)

    action.refresh_from_db()
    assert (meanwhile, action.status) == ("IN_PROGRESS", "FAILED")
