"""A campaign that runs out of codes is told of once, until it has been filled."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from notifications.models import Message
from notifications.services.send import send_message
from notifications.services.warn import warn_of_low_pools
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import OutboxEvent
from tests.factories import CampaignFactory, VoucherFactory
from vouchers.models import CodeBatch, PoolAlert
from vouchers.services.batches import BatchTerms, open_batch
from vouchers.services.pool_alerts import LOW, set_pool_alert, watch_pools

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def campaign(project):
    """Four codes to give, of which people want to be told at two."""
    made = CampaignFactory(project=project, name="Spring", type="STATIC")
    fill(made, 4)
    set_pool_alert(project, "Spring", threshold=2, emails=["anna@example.com"], now=NOW)
    return made


def fill(campaign, count, batch=None):
    for _ in range(count):
        VoucherFactory(project=campaign.project, campaign=campaign, batch=batch, discount=None)
    campaign.vouchers_count += count
    campaign.save()
    if batch:
        CodeBatch.objects.filter(pk=batch.pk).update(count=count)


def take(api, count):
    for number in range(count):
        body = {"campaign": {"name": "Spring"}, "customer": {"source_id": f"taker-{number}"}}
        assert api.post("/v1/publications", body).status_code == 200


def told():
    return [event.data["free_count"] for event in OutboxEvent.objects.filter(type=LOW).order_by("pk")]


def test_it_is_told_once_when_so_few_are_left(api, campaign):
    take(api, 1)
    watch_pools(now=NOW)
    enough = told()

    take(api, 1)
    watch_pools(now=NOW)
    take(api, 1)
    watch_pools(now=NOW)

    alert = PoolAlert.objects.get()
    assert (enough, told()) == ([], [2])
    assert (alert.low_since, alert.free_count) == (NOW, 1)


def test_it_is_told_again_after_it_has_been_filled(api, campaign):
    take(api, 3)
    watch_pools(now=NOW)
    fill(campaign, 5)
    watch_pools(now=NOW)
    assert PoolAlert.objects.get().low_since is None

    take(api, 5)
    watch_pools(now=NOW)

    assert told() == [1, 1]


def test_a_pool_that_is_low_already_is_told_of_when_the_alert_is_set(project):
    campaign = CampaignFactory(project=project, type="STATIC")
    fill(campaign, 1)

    set_pool_alert(project, campaign.name, threshold=5, now=NOW)

    assert told() == [1]


def test_locked_codes_do_not_count_but_are_not_missed_where_there_are_no_others(project):
    campaign = CampaignFactory(project=project, type="STATIC")
    batch = open_batch(project, campaign, BatchTerms(locked_until=NOW + timedelta(hours=1)), now=NOW)
    fill(campaign, 3, batch)
    set_pool_alert(project, campaign.name, threshold=1, now=NOW)
    only_locked = told()

    fill(campaign, 1)
    watch_pools(now=NOW)
    while_locked = told()
    watch_pools(now=NOW + timedelta(hours=1))

    assert (only_locked, while_locked) == ([], [1])
    assert PoolAlert.objects.get().low_since is None


@pytest.mark.parametrize("change", [{"generation_status": "IN_PROGRESS"}, {"active": False}])
def test_a_campaign_that_is_filled_or_switched_off_is_left_alone(api, campaign, change):
    take(api, 3)
    type(campaign).objects.filter(pk=campaign.pk).update(**change)

    watch_pools(now=NOW)

    assert told() == []


def test_the_shops_people_get_one_email(api, campaign, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.EMAIL_HOST = "mail.example.com"
    take(api, 3)
    watch_pools(now=NOW)
    events = [str(key) for key in OutboxEvent.objects.filter(type=LOW).values_list("pk", flat=True)]

    for _ in range(2):
        warn_of_low_pools(events, now=NOW)

    message = Message.objects.get()
    assert (message.recipient, message.subject) == ("anna@example.com", "Spring: hardly any codes left")
    assert "1 code of Spring can still be given out." in message.body
    assert f"/admin/campaigns/campaign/{campaign.pk}/change/" in message.body
    send_message(message.pk, now=NOW)
    assert [one.to for one in mail.outbox] == [["anna@example.com"]]


@pytest.mark.parametrize(
    ("fields", "threshold"),
    [({"campaign_type": "PROMOTION", "discount": None}, 1), ({"type": "STANDALONE"}, 1), ({}, -1)],
)
def test_what_cannot_run_out_has_no_alert(project, fields, threshold):
    campaign = CampaignFactory(project=project, **fields)

    with pytest.raises(InvalidPayload):
        set_pool_alert(project, campaign.name, threshold=threshold, now=NOW)

    assert not PoolAlert.objects.exists()


def test_it_is_set_read_and_taken_away_over_rest(api, campaign):
    path = f"/v1/campaigns/{campaign.public_id}/pool"
    body = {"threshold": 10, "emails": ["ben@example.com"]}

    made = api.put(path, body).json()
    gone = api.put(path, {"threshold": None}).json()

    assert (made["free_count"], made["threshold"], made["emails"]) == (4, 10, ["ben@example.com"])
    assert made["low_since"] is not None
    assert (gone["threshold"], gone["emails"]) == (None, [])
    assert api.get(path).json() == gone
    assert api.put(path, {"threshold": "many"}).json()["key"] == "invalid_payload"
    assert api.put(path, {"threshold": 1, "emails": ["nobody"]}).json()["key"] == "invalid_payload"


def test_batches_are_made_listed_and_changed_over_rest(api, project):
    campaign = CampaignFactory(project=project)
    path = f"/v1/campaigns/{campaign.public_id}/batches"
    hour = (timezone.now() + timedelta(days=1)).replace(microsecond=0)

    made = api.post(path, {"vouchers_count": 5, "name": "Giveaway", "locked_until": hour.isoformat()})
    busy = api.post(path, {"vouchers_count": 5})
    changed = api.put(f"{path}/{made.json()['batch_id']}", {"one_per_person": True, "locked_until": None})
    listed = api.get(path).json()

    assert (made.status_code, busy.status_code) == (202, 400)
    assert (changed.json()["name"], changed.json()["one_per_person"]) == ("Giveaway", True)
    assert changed.json()["locked_until"] is None
    assert (listed["data_ref"], listed["total"], listed["batches"]) == ("batches", 1, [changed.json()])
    assert api.get(f"{path}/{made.json()['batch_id']}").json() == changed.json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vouchers_count": 0},
        {"vouchers_count": 5, "locked_until": "2001-01-01T00:00:00Z"},
        {"vouchers_count": 5, "locked_until": "soon"},
    ],
)
def test_a_wrong_batch_is_named_and_not_made(api, project, body):
    campaign = CampaignFactory(project=project)

    answer = api.post(f"/v1/campaigns/{campaign.name}/batches", body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert not CodeBatch.objects.exists()
