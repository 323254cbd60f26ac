"""Limits of a day, week or month count by the windows of the shop's calendar."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from promoengine.core.models import Project
from redemptions.jobs import sweep
from redemptions.models import UsageCounter
from redemptions.services.roll_back import roll_back_redemption
from tests.limits import (
    SHOP,
    assert_ledger_agrees,
    is_allowed,
    limit,
    redeem,
    roll_back,
    use,
)


@pytest.mark.parametrize(
    ("zone", "week_start", "window", "first", "last_second", "next_start"),
    [
        ("UTC", 1, "daily", "2026-05-01T00:00Z", "2026-05-01T23:59:59Z", "2026-05-02T00:00Z"),
        ("Asia/Tokyo", 1, "daily", "2026-05-01T15:00Z", "2026-05-02T14:59:59Z", "2026-05-02T15:00Z"),
        # Berlin: the day the clocks go forward has 23 hours, the day they go back 25.
        ("Europe/Berlin", 1, "daily", "2026-03-28T23:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00Z"),
        ("Europe/Berlin", 1, "daily", "2026-10-24T22:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00Z"),
        # Cairo: that day has no midnight; it starts at one.
        ("Africa/Cairo", 1, "daily", "2026-04-23T22:00Z", "2026-04-24T20:59:59Z", "2026-04-24T21:00Z"),
        ("UTC", 1, "weekly", "2026-05-04T00:00Z", "2026-05-10T23:59:59Z", "2026-05-11T00:00Z"),
        ("UTC", 0, "weekly", "2026-05-03T00:00Z", "2026-05-09T23:59:59Z", "2026-05-10T00:00Z"),
        ("UTC", 1, "monthly", "2026-02-01T00:00Z", "2026-02-28T23:59:59Z", "2026-03-01T00:00Z"),
        (
            "America/New_York",
            1,
            "monthly",
            "2026-12-01T05:00Z",
            "2027-01-01T04:59:59Z",
            "2027-01-01T05:00Z",
        ),
    ],
)
def test_windows_are_those_of_the_shops_calendar(
    project, code, zone, week_start, window, first, last_second, next_start
):
    project.timezone, project.week_start = zone, week_start
    project.save()
    limit(code.campaign, f"campaign.redemptions.count.{window}", 1)

    moments = [datetime.fromisoformat(text) for text in (first, last_second, next_start)]

    assert [is_allowed(project, code, now) for now in moments] == [True, False, True]
    assert_ledger_agrees(project)


def test_a_rollback_gives_back_to_the_day_it_took_from(project, code):
    limit(code.campaign, "campaign.redemptions.count.daily", 1)
    monday, tuesday = datetime(2026, 5, 4, 12, tzinfo=UTC), datetime(2026, 5, 5, 12, tzinfo=UTC)
    first = use(project, code, monday).recorded.redemptions[0].redemption
    use(project, code, tuesday)

    roll_back_redemption(project, first.public_id, channel=SHOP, now=tuesday)

    assert [is_allowed(project, code, now) for now in (tuesday, monday)] == [False, True]
    assert_ledger_agrees(project)


def test_another_time_zone_begins_other_windows(project, code):
    limit(code.campaign, "campaign.redemptions.count.daily", 2)
    evening = datetime(2026, 5, 4, 20, tzinfo=UTC)
    use(project, code, datetime(2026, 5, 4, 1, tzinfo=UTC))
    use(project, code, evening)
    project.timezone = "Asia/Tokyo"  # where it is the 5th by then, with one use so far
    project.save()

    assert [is_allowed(project, code, evening) for _ in range(2)] == [True, False]
    assert_ledger_agrees(project)


def test_a_new_time_zone_holds_for_keys_that_are_known_already(api, project, code):
    limit(code.campaign, "campaign.redemptions.count.daily", 5)
    redeem(api, code.code)
    Project.objects.filter(pk=project.pk).update(timezone="Asia/Tokyo")

    roll_back(api, redeem(api, code.code))

    starts = UsageCounter.objects.values_list("starts_at", flat=True)
    assert {start.hour for start in starts} == {0, 15}
    project.refresh_from_db()
    assert_ledger_agrees(project)


def test_editing_a_project_writes_what_was_changed_and_nothing_else(client, project):
    """The version of its definitions may have grown since the form was opened, and must not shrink."""
    client.force_login(User.objects.create_superuser("operator"))
    page = f"/admin/core/project/{project.pk}/change/"
    form = client.get(page).context["adminform"].form
    filled = {name: value for name, value in form.initial.items() if value not in (None, False)}

    client.post(page, filled | {"timezone": "Asia/Tokyo", "client_trusted_domains": '["*"]'})

    before = project.definitions_version
    project.refresh_from_db()
    assert project.timezone == "Asia/Tokyo"
    assert project.definitions_version > before


def test_counters_of_windows_long_past_are_swept(project, code):
    limit(code.campaign, "campaign.redemptions.count.daily", 1)
    first = use(project, code, datetime(2026, 1, 1, tzinfo=UTC)).recorded.redemptions[0].redemption

    sweep()
    roll_back_redemption(project, first.public_id, channel=SHOP, now=datetime(2026, 6, 1, tzinfo=UTC))

    assert UsageCounter.objects.count() == 0
    assert_ledger_agrees(project)
