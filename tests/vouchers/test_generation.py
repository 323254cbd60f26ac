"""Making many codes: watched, paused, canceled, refused where there is no room, and never too many."""

import io
import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.models import AsyncAction
from promoengine.core.services import async_actions
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, ProjectFactory, VoucherFactory
from vouchers.models import Voucher
from vouchers.services import generate
from vouchers.services.generate import PatternTooSmall, start_generation

PREVIEW = "/admin/campaigns/campaign/preview-codes/"
DIGITS = "0123456789"


@pytest.fixture
def campaign(project):
    return CampaignFactory(project=project, code_config={"pattern": "AB-########", "charset": DIGITS})


@pytest.fixture
def action(project, campaign):
    return start_generation(project, campaign=campaign, count=45, now=timezone.now())


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 10)


@pytest.fixture
def after_two_batches(monkeypatch, small_batches):
    """Ask for something once two batches are there."""

    def ask(what, project, action):
        insert, batches = generate.insert_codes, []

        def insert_and_ask(*args, **kwargs):
            batches.append(args)
            if len(batches) == 2:
                what(project, action, now=timezone.now())
            return insert(*args, **kwargs)

        monkeypatch.setattr(generate, "insert_codes", insert_and_ask)

    return ask


def marketer(client, *permissions):
    user = User.objects.create_user("marketer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def progress_page(action):
    return f"/admin/core/asyncaction/{action.pk}/progress/"


def test_a_paused_run_goes_on_to_the_exact_count(project, campaign, action, after_two_batches):
    after_two_batches(async_actions.pause, project, action)
    run_async_action(action.pk)
    action.refresh_from_db()
    paused_at = (action.status, action.done_count, Voucher.objects.count())

    async_actions.resume(project, action, now=timezone.now())
    run_async_action(action.pk)

    action.refresh_from_db()
    assert paused_at == ("PAUSED", 20, 20)
    assert (action.status, action.done_count, Voucher.objects.count()) == ("DONE", 45, 45)


def test_a_canceled_run_keeps_what_it_made_and_frees_the_campaign(
    project, campaign, action, after_two_batches
):
    after_two_batches(async_actions.cancel, project, action)

    run_async_action(action.pk)

    action.refresh_from_db()
    campaign.refresh_from_db()
    assert (action.status, action.message, campaign.vouchers_count) == ("CANCELED", "Canceled after 20", 20)
    start_generation(project, campaign=campaign, count=5, now=timezone.now())


def test_a_paused_run_can_be_canceled(project, action):
    async_actions.pause(project, action, now=timezone.now())
    run_async_action(action.pk)

    async_actions.cancel(project, action, now=timezone.now())
    run_async_action(action.pk)

    action.refresh_from_db()
    assert (action.status, Campaign.objects.get().generation_status) == ("CANCELED", "FAILED")


@pytest.mark.parametrize("ask", [async_actions.pause, async_actions.resume, async_actions.cancel])
def test_what_has_ended_can_not_be_stopped(project, action, ask):
    run_async_action(action.pk)

    with pytest.raises(async_actions.NotStoppable):
        ask(project, action, now=timezone.now())


def test_stops_are_told_in_published_words(api, project, action):
    async_actions.pause(project, action, now=timezone.now())
    run_async_action(action.pk)
    paused = api.get(f"/v1/async-actions/{action.public_id}").json()
    async_actions.cancel(project, action, now=timezone.now())
    run_async_action(action.pk)
    canceled = api.get(f"/v1/async-actions/{action.public_id}").json()

    assert (paused["status"], paused["operation_status"]) == ("IN_PROGRESS", "UNKNOWN")
    assert (canceled["status"], canceled["operation_status"]) == ("FAILED", "FAILED")


def test_codes_of_another_campaign_are_passed_over(project, small_batches):
    config = {"pattern": "##", "charset": DIGITS}
    for number in range(50):
        VoucherFactory(project=project, code=f"{number:02}", code_key=f"{number:02}")
    campaign = CampaignFactory(project=project, code_config=config)

    run_async_action(start_generation(project, campaign=campaign, count=45, now=timezone.now()).pk)

    assert Voucher.objects.filter(campaign=campaign).count() == 45


def test_a_space_that_another_campaign_has_taken_is_refused_before_starting(project):
    for number in range(60):
        VoucherFactory(project=project, code=f"{number:02}", code_key=f"{number:02}")
    campaign = CampaignFactory(project=project, code_config={"pattern": "##", "charset": DIGITS})

    with pytest.raises(PatternTooSmall, match="too few free ones for 45"):
        start_generation(project, campaign=campaign, count=45, now=timezone.now())

    assert (AsyncAction.objects.count(), Campaign.objects.get(pk=campaign.pk).generation_status) == (
        0,
        "DONE",
    )


def test_codes_that_differ_by_letter_case_alone_are_one_where_case_does_not_count(db, small_batches):
    project = ProjectFactory(case_sensitive_codes=False)
    campaign = CampaignFactory(project=project, code_config={"pattern": "##", "charset": "abcdABCD"})

    with pytest.raises(PatternTooSmall):
        start_generation(project, campaign=campaign, count=17, now=timezone.now())
    run_async_action(start_generation(project, campaign=campaign, count=16, now=timezone.now()).pk)

    assert Voucher.objects.values("code_key").distinct().count() == 16


def test_hostile_prefixes_stay_as_they_are(project):
    prefix = "a\\b'%s{};--"
    campaign = CampaignFactory(project=project, code_config={"length": 6, "prefix": prefix})

    run_async_action(start_generation(project, campaign=campaign, count=3, now=timezone.now()).pk)

    assert Voucher.objects.filter(code__startswith=prefix).count() == 3


def test_the_command_makes_codes_and_shows_how_far_it_is(transactional_db):
    project = ProjectFactory(key="shop")
    CampaignFactory(project=project, name="Spring", code_config={"length": 8})
    out = io.StringIO()

    call_command("generate_codes", "Spring", "30", project="shop", stdout=out)

    assert Voucher.objects.count() == 30
    assert "100 %  30 of 30" in out.getvalue()
    assert "30 codes made" in out.getvalue()


@pytest.mark.parametrize(
    ("campaign", "count", "project", "problem"),
    [
        ("Spring", "5", "nowhere", "No project has the key 'nowhere'"),
        ("Autumn", "5", "shop", "Autumn"),
        ("Spring", "0", "shop", "at least one"),
        ("Spring", "20000", "shop", "too few"),
    ],
)
def test_the_command_says_what_is_wrong(db, campaign, count, project, problem):
    config = {"pattern": "##", "charset": DIGITS}
    CampaignFactory(project=ProjectFactory(key="shop"), name="Spring", code_config=config)

    with pytest.raises(CommandError, match=problem):
        call_command("generate_codes", campaign, count, project=project)


def test_progress_is_shown_and_steered_in_the_dashboard(client, project, action):
    page = marketer(client, "view_asyncaction", "change_asyncaction")

    shown = page.get(progress_page(action)).content.decode()
    asked = page.post(progress_page(action), {"ask": "pause"}).content.decode()
    run_async_action(action.pk)
    paused = page.get(progress_page(action)).content.decode()
    canceled = page.post(progress_page(action), {"ask": "cancel"}).content.decode()

    assert "Making codes" in shown
    assert "0 of 45" in shown
    assert "every 1s" in shown
    assert "stopping after this step" in asked
    assert "Making codes: paused" in paused
    assert "Go on" in paused
    assert "stopping after this step" in canceled


def test_an_ended_run_is_not_asked_about_any_more(client, project, action):
    page = marketer(client, "view_asyncaction", "change_asyncaction")
    run_async_action(action.pk)

    shown = page.get(progress_page(action)).content.decode()
    asked = page.post(progress_page(action), {"ask": "pause"}).content.decode()

    assert "45 of 45" in shown
    assert "every 1s" not in shown
    assert "<form" not in shown
    assert "It has ended" in asked


def test_who_may_only_look_can_not_steer(client, project, action):
    page = marketer(client, "view_asyncaction")

    assert "<form" not in page.get(progress_page(action)).content.decode()
    assert page.post(progress_page(action), {"ask": "cancel"}).status_code == 403


def test_another_projects_progress_is_unknown(client, project, action):
    foreign = CampaignFactory(project=ProjectFactory(), code_config={"length": 8})
    other = start_generation(foreign.project, campaign=foreign, count=2, now=timezone.now())
    page = marketer(client, "view_asyncaction", "change_asyncaction")

    assert page.get(progress_page(other)).status_code == 404


def test_the_form_previews_codes(client, project):
    page = marketer(client, "add_campaign", "view_campaign")
    filled = {"pattern": "SPRING-######", "charset": DIGITS, "codes": "1000"}

    shown = page.get(PREVIEW, filled).content.decode()

    assert shown.count("<code>SPRING-") == 5
    assert "1,000,000 different codes" in shown
    assert "One guess in 1,000 hits one of your 1,000 codes" in shown
    assert "10.0 bits" in shown
    assert "10 more # would make it hard" in shown


def test_the_preview_says_what_is_wrong(client, project):
    page = marketer(client, "add_campaign", "view_campaign")

    assert "needs at least one #" in page.get(PREVIEW, {"pattern": "SPRING"}).content.decode()
    assert "too few" in page.get(PREVIEW, {"pattern": "##", "codes": "5000"}).content.decode()
    assert "hard (40 bits)" not in page.get(PREVIEW, {"pattern": "#" * 20}).content.decode()


def test_the_form_makes_codes_with_a_check_character(client, project):
    client.force_login(User.objects.create_superuser("boss"))
    filled = {
        "name": "Checked",
        "offer": "PERCENT",
        "value": "10",
        "type": "AUTO_UPDATE",
        "codes": "20",
        "pattern": "####",
        "charset": DIGITS,
        "check_character": "on",
    }

    answer = client.post("/admin/campaigns/campaign/add/", filled)

    assert answer.status_code == 302, json.dumps(answer.context["adminform"].form.errors)
    run_async_action(AsyncAction.objects.get().pk)
    assert {len(code) for code in Voucher.objects.values_list("code", flat=True)} == {5}
