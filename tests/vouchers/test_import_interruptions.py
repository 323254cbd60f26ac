"""Imports that are stopped, killed at any step, or overtaken by changes of their campaign."""

import pytest
from django.db import connection
from django.utils import timezone

from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services import async_actions
from promoengine.core.services.async_actions import cancel, pause, resume, run_async_action
from tests.vouchers.importing import counts, reasons, run, staging_tables, start
from vouchers.models import Voucher
from vouchers.services import import_steps
from vouchers.services.staging import drop_left_over


def test_it_stops_where_somebody_asks_and_goes_on_from_there(project, campaign, monkeypatch):
    monkeypatch.setattr(import_steps, "READ_BATCH", 2)
    action = start(project, "\n".join(["Code", *"ABCDEF"]), campaign=campaign)
    pause(project, action, now=timezone.now())

    run_async_action(action.pk)
    action.refresh_from_db()
    assert (action.status, Voucher.objects.count()) == ("PAUSED", 0)
    resume(project, action, now=timezone.now())
    run_async_action(action.pk)
    action.refresh_from_db()

    assert counts(action) == ("DONE", 6, 0, 0)


def test_canceled_while_it_reads_it_leaves_nothing(project, campaign):
    action = start(project, "Code\nA\n", campaign=campaign)
    cancel(project, action, now=timezone.now())
    run_async_action(action.pk)
    action.refresh_from_db()

    assert (action.status, Voucher.objects.count(), staging_tables()) == ("CANCELED", 0, [])


class Killed(BaseException):
    """The worker dies, without a chance to tidy up."""


STEPS = ("_begin", "_read", "_part_doubles", "_insert_good", "_insert_all", "_check", "let_go", "_finish")


@pytest.mark.parametrize("mode", ["good", "all", "check"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_before_or_after_any_step_it_goes_on_without_loss_or_double(
    project, campaign, monkeypatch, mode, step, when
):
    monkeypatch.setattr(import_steps, "READ_BATCH", 2)
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 2)
    place = async_actions if step == "_finish" else import_steps.ImportSteps
    whole = getattr(place, step)

    def die(*args):
        if when == "after":
            whole(*args)
        raise Killed

    bad = "" if mode == "all" else "D,maybe\nB,\n"
    action = start(project, f"Code,Active\nA,\nB,\nC,no\n{bad}E,\n", campaign=campaign, mode=mode)
    with monkeypatch.context() as dying:
        dying.setattr(place, step, die)
        try:
            run_async_action(action.pk)
        except Killed:
            AsyncAction.objects.filter(pk=action.pk).update(finished_at=None)
    run_async_action(action.pk)
    action.refresh_from_db()

    assert counts(action) == ("DONE", 4, 0, 0 if mode == "all" else 2)
    assert Voucher.objects.count() == (0 if mode == "check" else 4)
    assert len(reasons(action)) == action.failed_count
    campaign.refresh_from_db()
    assert campaign.vouchers_count == Voucher.objects.count()
    assert OutboxEvent.objects.filter(type="vouchers.imported").count() == (mode != "check")
    assert staging_tables() == []


def test_what_the_database_lost_in_a_crash_is_read_again(project, campaign, monkeypatch):
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 2)
    action = start(project, "Code,Active\nA,\nB,\nC,x\nD,\nE,\n", campaign=campaign)
    insert = import_steps.ImportSteps._insert

    def die_at_the_second(steps, **span):
        if steps.action.done_count:
            raise Killed
        return insert(steps, **span)

    with monkeypatch.context() as dying:
        dying.setattr(import_steps.ImportSteps, "_insert", die_at_the_second)
        with pytest.raises(Killed):
            run_async_action(action.pk)
    (table,) = staging_tables()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")
    run_async_action(action.pk)
    action.refresh_from_db()

    assert counts(action) == ("DONE", 4, 0, 1)
    campaign.refresh_from_db()
    assert (campaign.vouchers_count, Voucher.objects.count()) == (4, 4)


def test_terms_that_grew_narrower_keep_out_what_they_do_not_allow(project, campaign, monkeypatch):
    part = import_steps.ImportSteps._part_doubles

    def narrow(steps):
        type(campaign).objects.filter(pk=campaign.pk).update(quantity=1)
        part(steps)

    monkeypatch.setattr(import_steps.ImportSteps, "_part_doubles", narrow)
    action = run(project, "Code,Redeemed Quantity\nA,1\nB,2\n", campaign=campaign)

    assert counts(action) == ("DONE", 1, 0, 1)
    assert reasons(action) == {3: "The terms of its campaign have changed, and do not allow it"}


def test_a_campaign_deleted_meanwhile_gets_no_codes(project, campaign):
    action = start(project, "Code\nA\n", campaign=campaign)
    type(campaign).objects.filter(pk=campaign.pk).update(deleted_at=timezone.now())

    run_async_action(action.pk)
    action.refresh_from_db()

    assert (action.status, action.message) == ("FAILED", "The campaign was deleted")
    assert not Voucher.objects.exists()


def test_what_is_left_over_is_dropped_and_what_goes_on_is_not(project, campaign):
    going_on = start(project, "Code\nA\n", campaign=campaign)
    import_steps.Staging(going_on).make()
    ended = run(project, "Code\nB\n", campaign=campaign)
    import_steps.Staging(ended).make()

    drop_left_over()

    assert staging_tables() == [import_steps.Staging(going_on).table]
    import_steps.Staging(going_on).drop()
