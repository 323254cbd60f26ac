"""Batches in the dashboard: locked, released and limited by a marketer, who is told when codes run out."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, VoucherFactory
from vouchers.models import CodeBatch, PoolAlert, Voucher
from vouchers.services.batches import BatchTerms, open_batch
from vouchers.services.pool_alerts import set_pool_alert
from vouchers.services.propagate import run_propagation

NEW = {
    "name": "Giveaway",
    "type": "STATIC",
    "offer": "PERCENT",
    "value": "20",
    "codes": "25",
    "batch_name": "Christmas",
    "locked_until_0": "2998-12-24",
    "locked_until_1": "10:00",
    "one_per_person": "on",
    "start_date_0": "",
    "start_date_1": "",
    "expiration_date_0": "",
    "expiration_date_1": "",
    "quantity": "1",
    "pattern": "GIFT-#####",
    "guests": "UNLESS_LIMITED",
    "rollbacks": "ALWAYS",
}


@pytest.fixture
def marketer(marketer, project):
    project.timezone = "Europe/Warsaw"
    project.save()
    return marketer


@pytest.fixture
def batch(project):
    campaign = CampaignFactory(project=project, name="Giveaway", type="STATIC", vouchers_count=3)
    made = open_batch(project, campaign, BatchTerms("Christmas"), now=timezone.now())
    for count in (0, 0, 1):
        VoucherFactory(project=project, campaign=campaign, batch=made, discount=None, published_count=count)
    CodeBatch.objects.filter(pk=made.pk).update(count=3)
    return made


def panel(batch):
    return f"/admin/campaigns/campaign/{batch.campaign_id}/batches/"


def act(client, batch, act, **fields):
    return client.post(panel(batch), {"act": act, "batch": batch.public_id, **fields})


def words(answer):
    return " ".join(answer.content.decode().split())


def test_codes_of_a_new_campaign_are_locked_from_the_first(marketer, project):
    answer = marketer.post("/admin/campaigns/campaign/add/", NEW)

    assert answer.status_code == 302, words(answer)
    made = CodeBatch.objects.get()
    assert (made.name, made.one_per_person) == ("Christmas", True)
    assert made.locked_until == datetime(2998, 12, 24, 9, tzinfo=UTC)
    page = words(marketer.get(f"/admin/campaigns/campaign/{made.campaign_id}/change/"))
    assert "Codes are released on 24 Dec 2998, 10:00" in page


def test_a_lock_that_is_past_is_refused_by_name(marketer, project):
    answer = marketer.post("/admin/campaigns/campaign/add/", NEW | {"locked_until_0": "2001-12-24"})

    assert "This is past" in words(answer)
    assert not CodeBatch.objects.exists()


def test_more_codes_are_a_batch_of_their_own(marketer, batch):
    unlocked = {"locked_until_0": "", "locked_until_1": ""}
    fields = NEW | {"codes": "7", "quantity": "", "batch_name": "More"} | unlocked

    answer = marketer.post(f"/admin/campaigns/campaign/{batch.campaign_id}/change/", fields)

    assert answer.status_code == 302, words(answer)
    assert list(CodeBatch.objects.order_by("pk").values_list("name", flat=True)) == ["Christmas", "More"]


def test_a_limit_is_changed_and_more_codes_are_made_in_one_save(marketer, batch):
    fields = NEW | {"codes": "7", "quantity": "3", "batch_name": "More"}
    url = f"/admin/campaigns/campaign/{batch.campaign_id}/change/"

    answer = marketer.post(url, fields, follow=True)

    assert "The codes there are follow the change; then the new ones are made." in words(answer)
    assert f"/admin/campaigns/campaign/{batch.campaign_id}/progress/" in words(marketer.get(url))
    more = CodeBatch.objects.get(name="More")
    assert more.locked_until == datetime(2998, 12, 24, 9, tzinfo=UTC)
    assert Voucher.objects.filter(batch=more).count() == 0
    for type in ("CAMPAIGN.VOUCHERS_UPDATE", "CAMPAIGN.VOUCHERS_GENERATE"):
        run_async_action(AsyncAction.objects.get(type=type).pk)
    more.refresh_from_db()
    batch.campaign.refresh_from_db()
    assert (more.count, batch.campaign.generation_status) == (7, "DONE")
    assert set(Voucher.objects.filter(batch=more).values_list("quantity", flat=True)) == {3}
    free = Voucher.objects.filter(batch=batch, published_count=0)
    assert set(free.values_list("quantity", flat=True)) == {3}


def test_codes_are_ordered_once_whenever_the_worker_of_the_change_dies(marketer, batch, monkeypatch):
    marketer.post(
        f"/admin/campaigns/campaign/{batch.campaign_id}/change/", NEW | {"codes": "7", "quantity": "3"}
    )
    changing = AsyncAction.objects.get(type="CAMPAIGN.VOUCHERS_UPDATE")
    for _ in range(2):
        run_propagation(AsyncAction.objects.get(pk=changing.pk))

    assert AsyncAction.objects.filter(type="CAMPAIGN.VOUCHERS_GENERATE").count() == 1


def test_where_more_codes_can_not_be_made_nothing_is_changed(marketer, batch):
    fields = NEW | {"codes": "99000000", "quantity": "3", "batch_name": "More"}

    answer = marketer.post(f"/admin/campaigns/campaign/{batch.campaign_id}/change/", fields)

    assert "Only up to 10000000 codes can be made at once" in words(answer)
    assert (Campaign.objects.get().quantity, CodeBatch.objects.count()) == (batch.campaign.quantity, 1)


def test_the_panel_says_how_many_are_free_and_gone(marketer, batch):
    page = words(marketer.get(panel(batch)))

    row = page.split("<tbody>")[1].split("</tr>")[0]
    numbers = [cell.split("<")[0] for cell in row.split('<td class="number">')[1:]]
    assert numbers == ["3", "2", "1"]


def test_a_campaign_without_codes_says_what_to_do(marketer, project):
    campaign = CampaignFactory(project=project)

    page = words(marketer.get(f"/admin/campaigns/campaign/{campaign.pk}/batches/"))

    assert "No codes have been made yet." in page


def test_a_batch_is_locked_in_the_shops_zone_and_released_again(marketer, batch):
    locked = words(act(marketer, batch, "lock", until="2998-12-24T10:00"))
    batch.refresh_from_db()
    until = batch.locked_until
    released = words(act(marketer, batch, "release"))
    batch.refresh_from_db()

    assert until == datetime(2998, 12, 24, 9, tzinfo=UTC)
    assert "Codes are released on 24 Dec 2998, 10:00." in locked
    assert "Its codes are released." in released
    assert batch.locked_until is None


def test_a_batch_is_limited_to_one_a_person_and_not_any_more(marketer, batch):
    limits = []
    for name in ("limit", "unlimit"):
        act(marketer, batch, name)
        batch.refresh_from_db()
        limits.append(batch.one_per_person)

    assert limits == [True, False]


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("lock", {"until": ""}, "Say a day and a time."),
        ("lock", {"until": "2026-13-45T99:00"}, "Say a day and a time."),
        ("lock", {"until": "2001-01-01T10:00"}, "that one is past"),
        ("alert", {"threshold": "many"}, "Enter a whole number."),
        ("alert", {"threshold": "5", "emails": "nobody"}, "nobody is no e-mail address."),
        ("explode", {}, "There is nothing like that to do."),
    ],
)
def test_a_mistake_is_said_and_changes_nothing(marketer, batch, name, fields, said):
    page = words(act(marketer, batch, name, **fields))

    batch.refresh_from_db()
    assert said in page
    assert (batch.locked_until, PoolAlert.objects.count()) == (None, 0)


def test_an_alert_is_set_shown_on_the_first_page_and_taken_away(marketer, batch):
    page = words(act(marketer, batch, "alert", threshold="5", emails="anna@example.com; ben@example.com"))
    home = words(marketer.get("/admin/"))
    summary = words(marketer.get(f"/admin/campaigns/campaign/{batch.campaign_id}/change/"))
    alert = PoolAlert.objects.get()
    act(marketer, batch, "alert", threshold="", emails="")

    assert "You will be told when 5 codes are left." in page
    assert alert.emails == ["anna@example.com", "ben@example.com"]
    assert "Giveaway</a> has 2 codes left to give out" in home
    assert "2 codes left to give out" in summary
    assert not PoolAlert.objects.exists()


def test_who_may_only_look_changes_nothing(client, batch, project):
    set_pool_alert(project, batch.campaign.public_id, threshold=1, now=timezone.now() - timedelta(days=1))
    user = User.objects.create_user("visitor", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
    client.force_login(user)

    page = words(client.get(panel(batch)))
    refused = act(client, batch, "release")

    assert "<form" not in page
    assert "People are told when 1 are left." in page
    assert refused.status_code == 403


def test_who_may_not_see_campaigns_sees_no_batches(client, batch):
    client.force_login(User.objects.create_user("visitor", is_staff=True))

    assert client.get(panel(batch)).status_code == 403


def test_another_projects_batches_are_not_found(marketer, batch):
    stranger = CampaignFactory()

    assert marketer.get(f"/admin/campaigns/campaign/{stranger.pk}/batches/").status_code == 404


def test_a_batch_that_is_not_the_campaigns_is_not_found(marketer, batch, project):
    other = CampaignFactory(project=project)
    page = f"/admin/campaigns/campaign/{other.pk}/batches/"

    answer = marketer.post(page, {"act": "limit", "batch": batch.public_id})

    batch.refresh_from_db()
    assert "Cannot find batch" in words(answer)
    assert not batch.one_per_person
