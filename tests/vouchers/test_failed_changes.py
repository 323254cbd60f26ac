"""A change of a campaign that does not reach its codes: said, freed, and tried again."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, VoucherFactory
from vouchers.models import Voucher
from vouchers.services.batches import NewCodes
from vouchers.services.campaigns import update_campaign
from vouchers.services.generate import start_generation
from vouchers.services.propagate import end_given_up

LIMIT = {"voucher": {"redemption": {"quantity": 3}}}
UPDATE, GENERATE = "CAMPAIGN.VOUCHERS_UPDATE", "CAMPAIGN.VOUCHERS_GENERATE"


@pytest.fixture
def campaign(project):
    campaign = CampaignFactory(project=project, name="Spring", vouchers_count=2)
    for _ in range(2):
        VoucherFactory(project=project, campaign=campaign, discount=None)
    return campaign


@pytest.fixture
def no_limit_of_three():
    """Postgres refuses the change, as a disk that is full or a constraint would."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "ALTER TABLE vouchers_voucher ADD CONSTRAINT not_three CHECK (quantity IS DISTINCT FROM 3)"
        )
    yield allow_three
    allow_three()


def allow_three():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE vouchers_voucher DROP CONSTRAINT IF EXISTS not_three")


def newest(type):
    return AsyncAction.objects.filter(type=type).order_by("-id").first()


def run(type=UPDATE):
    """Run the newest action, whatever becomes of it, and what runs by the clock after it."""
    try:
        run_async_action(newest(type).pk)
    except Exception:
        assert newest(type).status == "FAILED"
    end_given_up(now=timezone.now())


def limits():
    return set(Voucher.objects.values_list("quantity", flat=True))


def work_page(client, campaign, query="", method="get"):
    answer = getattr(client, method)(f"/admin/campaigns/campaign/{campaign.pk}/progress/{query}")
    return answer.status_code, " ".join(answer.content.decode().split())


def test_over_rest_it_has_failed_and_the_action_says_why(api, campaign, no_limit_of_three):
    api.put("/v1/campaigns/Spring", LIMIT)
    run()

    wire = api.get("/v1/campaigns/Spring").json()
    action = api.get(f"/v1/async-actions/{wire['failed_async_action_id']}").json()
    assert (wire["creation_status"], wire["vouchers_generation_status"]) == ("FAILED", "FAILED")
    assert (action["status"], action["operation_status"]) == ("FAILED", "FAILED")
    assert action["result"]["message"] == "Internal error"
    assert wire["voucher"]["redemption"]["quantity"] == 3


def test_sent_again_the_change_is_tried_again(api, campaign, no_limit_of_three):
    api.put("/v1/campaigns/Spring", LIMIT)
    run()
    no_limit_of_three()

    again = api.put("/v1/campaigns/Spring", LIMIT).json()
    run()

    wire = api.get("/v1/campaigns/Spring").json()
    assert again["vouchers_generation_status"] == "MODIFYING"
    assert (wire["vouchers_generation_status"], limits()) == ("DONE", {3})
    assert "failed_async_action_id" not in wire
    assert OutboxEvent.objects.filter(type="campaign.updated").count() == 1


def test_it_is_told_once_with_the_reason(api, campaign, no_limit_of_three):
    api.put("/v1/campaigns/Spring", LIMIT)
    run()
    end_given_up(now=timezone.now())

    (event,) = OutboxEvent.objects.filter(type="campaign.vouchers.update.failed")
    assert event.campaign_id == campaign.pk
    assert event.data["reason"] == "Internal error"
    assert event.data["async_action_id"] == newest(UPDATE).public_id


def test_a_campaign_that_is_worked_on_is_left_alone(api, campaign):
    api.put("/v1/campaigns/Spring", LIMIT)

    assert end_given_up(now=timezone.now()) == 0
    assert Campaign.objects.get().generation_status == "MODIFYING"


def test_codes_that_were_to_follow_are_made_once_it_has_been_tried_again(
    project, campaign, no_limit_of_three
):
    update_campaign(project, "Spring", data=LIMIT, more=NewCodes(5), now=timezone.now())
    run()
    assert (newest(GENERATE), Voucher.objects.count()) == (None, 2)
    no_limit_of_three()

    update_campaign(project, "Spring", data={}, now=timezone.now())
    run()
    run(GENERATE)

    campaign.refresh_from_db()
    assert (Voucher.objects.count(), limits(), campaign.generation_status) == (7, {3}, "DONE")


def test_codes_made_meanwhile_do_not_hide_it(project, campaign, no_limit_of_three):
    update_campaign(project, "Spring", data=LIMIT, now=timezone.now())
    run()
    no_limit_of_three()

    start_generation(project, campaign=campaign, count=5, now=timezone.now())
    run(GENERATE)

    campaign.refresh_from_db()
    assert (Voucher.objects.count(), campaign.generation_status) == (7, "FAILED")
    assert campaign.failed_change == newest(UPDATE).pk


def test_generation_that_was_given_up_frees_its_campaign_and_is_told_once(project, campaign):
    action = start_generation(project, campaign=campaign, count=5, now=timezone.now())
    AsyncAction.objects.filter(pk=action.pk).update(status="FAILED")

    freed = [end_given_up(now=timezone.now()) for _ in range(2)]

    campaign.refresh_from_db()
    assert (freed, campaign.generation_status, campaign.failed_change) == ([1, 0], "FAILED", None)
    assert OutboxEvent.objects.filter(type="campaign.vouchers.generation.failed").count() == 1


def test_a_report_that_is_not_kept_any_more_keeps_nobody_from_trying_again(
    marketer, campaign, no_limit_of_three
):
    update_campaign(campaign.project, "Spring", data=LIMIT, now=timezone.now())
    run()
    AsyncAction.objects.all().delete()
    no_limit_of_three()

    _, page = work_page(marketer, campaign, method="post")
    run()

    assert "Bringing changed terms to codes" in page
    assert limits() == {3}


def test_the_page_says_why_and_one_button_tries_again(marketer, campaign, no_limit_of_three):
    update_campaign(campaign.project, "Spring", data=LIMIT, more=NewCodes(5), now=timezone.now())
    run()
    no_limit_of_three()

    _, failed = work_page(marketer, campaign)
    _, tried = work_page(marketer, campaign, method="post")
    run()

    assert "The last change has not reached all codes" in failed
    assert "Internal error. 0 codes had been changed by then. 5 new codes wait for it." in failed
    assert "Try again" in failed
    assert "Bringing changed terms to codes" in tried
    assert "has not reached" not in tried
    assert limits() == {3}


def test_the_page_follows_from_the_change_to_the_codes_made_after_it_and_back(marketer, campaign):
    project, now = campaign.project, timezone.now()
    _, before = work_page(marketer, campaign)
    update_campaign(project, "Spring", data=LIMIT, more=NewCodes(5), now=now)
    watched = f"?watched={newest(UPDATE).pk}"
    _, changing = work_page(marketer, campaign, watched)
    run()
    _, making = work_page(marketer, campaign, watched)
    watched = f"?watched={newest(GENERATE).pk}"
    run(GENERATE)
    _, made = work_page(marketer, campaign, watched)
    update_campaign(project, "Spring", data={"expiration_date": now + timedelta(days=9)}, now=now)
    _, changing_again = work_page(marketer, campaign, watched)

    assert "Bringing changed terms" not in before
    assert "Making codes" not in before
    assert "every 10s" in before
    assert "Bringing changed terms to codes: enqueued" in changing
    assert "Making codes: enqueued" in making
    assert watched in making
    assert "every 1s" in making
    assert "Making codes: done" in made
    assert "5 codes made" in made
    assert "every 10s" in made
    assert "Bringing changed terms to codes: enqueued" in changing_again


@pytest.mark.parametrize("watched", ["?watched=x", "?watched=00000000-0000-0000-0000-000000000000"])
def test_what_is_no_work_of_the_campaign_is_not_shown(marketer, campaign, watched):
    other = CampaignFactory(project=campaign.project)
    action = start_generation(campaign.project, campaign=other, count=5, now=timezone.now())

    for query in (watched, f"?watched={action.pk}"):
        status, page = work_page(marketer, campaign, query)
        assert (status, "Making codes" in page) == (200, False)


def test_who_may_not_change_campaigns_can_not_try_again(client, campaign, no_limit_of_three):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "view_asyncaction"]))
    client.force_login(user)
    update_campaign(campaign.project, "Spring", data=LIMIT, now=timezone.now())
    run()

    status, page = work_page(client, campaign)

    assert (status, "Try again" in page) == (200, False)
    assert work_page(client, campaign, method="post")[0] == 403
