"""Workers killed at the last moment: after all is done and told, and before their work has ended."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.models import AsyncAction, OutboxEvent, UploadedFile
from promoengine.core.row_imports import CHECK, GOOD
from promoengine.core.services.async_actions import undo
from promoengine.core.services.uploads import keep_file
from redemptions.models import Export, ExportPart
from redemptions.services.exports import start_export
from tests.concurrency.workers import finish, kill_once
from tests.factories import CampaignFactory
from vouchers.import_plans import ALL, ImportPlan
from vouchers.models import ChangedVoucher, CodeBatch, Voucher
from vouchers.patterns import parse_code_config
from vouchers.selections import Selection
from vouchers.services.batches import NewCodes
from vouchers.services.bulk_change import Change, start_bulk_change
from vouchers.services.campaigns import update_campaign
from vouchers.services.generate import start_generation
from vouchers.services.import_codes import start_code_import
from vouchers.services.insert_codes import insert_codes
from vouchers.services.staging import Staging

pytestmark = pytest.mark.django_db(transaction=True)
THERE, COUNT, LATCH = 400, 300, 20261121
DONE, EVENT = AsyncAction._meta.db_table, OutboxEvent._meta.db_table
# The end of an action, and the event that tells of it: each waits for whoever holds the latch.
POINTS = {
    "end": f"BEFORE UPDATE ON {DONE} FOR EACH ROW WHEN (NEW.status = 'DONE')",
    "event": f"BEFORE INSERT ON {EVENT} FOR EACH ROW WHEN (NEW.type = '%s')",
}
WAITS = f"""
    CREATE FUNCTION wait_for_latch() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock({LATCH}); RETURN NEW; END $$
"""
# Other tests' databases have locks of that number, too.
IS_WAITED_FOR = f"""
    SELECT EXISTS (
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database()
        WHERE locktype = 'advisory' AND objid = {LATCH} AND NOT granted
    )
"""


@dataclass(frozen=True)
class Work:
    """A kind of background work on a campaign of `THERE` codes: the event that tells of its end, and what
    must have come of it, once.
    """

    start: Callable[[Campaign], AsyncAction]
    event: str
    check: Callable[[Campaign, AsyncAction], None]


@pytest.fixture
def campaign(db):
    made = CampaignFactory(vouchers_count=THERE)
    insert_codes(made, parse_code_config({"length": 12}), THERE, batch_id=None, is_crowded=False)
    return made


def generate(campaign):
    return start_generation(campaign.project, campaign=campaign, count=COUNT, now=timezone.now())


def check_made(campaign, action):
    keys = Voucher.objects.values("code_key").distinct().count()
    assert (Voucher.objects.count(), keys, campaign.vouchers_count) == (THERE + COUNT,) * 3
    assert (campaign.generation_status, CodeBatch.objects.get().count) == ("DONE", COUNT)
    assert (action.done_count, action.message) == (COUNT, f"{COUNT} codes made")


def import_by(mode):
    def start(campaign):
        text = "\n".join(["Code", *(f"C-{number}" for number in range(COUNT))])
        file = keep_file(campaign.project, name="codes.csv", chunks=[text.encode()], now=timezone.now())
        plan = ImportPlan(mode=mode, campaign=str(campaign.pk))
        return start_code_import(campaign.project, file=file, plan=plan, now=timezone.now())

    return start


def check_imported(campaign, action):
    assert (Voucher.objects.count(), campaign.vouchers_count) == (THERE + COUNT, THERE + COUNT)
    assert (CodeBatch.objects.get().count, action.done_count, action.failed_count) == (COUNT, COUNT, 0)
    assert action.message == f"{COUNT} codes imported, 0 failed"
    assert OutboxEvent.objects.get(type="vouchers.imported").data["count"] == COUNT
    assert OutboxEvent.objects.filter(type="campaign.batch.created").count() == 1
    assert (Staging(action).count(), UploadedFile.objects.count()) == (-1, 0)


def check_checked(campaign, action):
    assert (Voucher.objects.count(), campaign.vouchers_count) == (THERE, THERE)
    assert (action.done_count, action.message) == (COUNT, f"{COUNT} codes would be imported, 0 failed")
    assert (OutboxEvent.objects.count(), Staging(action).count(), UploadedFile.objects.count()) == (0, -1, 1)


def export(campaign):
    data = {"exported_object": "voucher", "parameters": {"fields": ["code"], "order": "code"}}
    return start_export(campaign.project, data=data, now=timezone.now()).action


def check_exported(campaign, action):
    made = Export.objects.get()
    assert (made.status, made.row_count, action.done_count) == ("DONE", THERE, THERE)
    assert action.message == f"{THERE} rows exported"
    rows = b"".join(bytes(part.content) for part in ExportPart.objects.order_by("number")).split()[1:]
    assert sorted(row.decode() for row in rows) == sorted(Voucher.objects.values_list("code", flat=True))


def change_by(kind):
    def start(campaign):
        change = Change(kind)
        return start_bulk_change(
            campaign.project, selection=Selection(), change=change, channel="API", now=timezone.now()
        )

    return start


def check_changed(action):
    assert (action.done_count, action.total_count) == (THERE, THERE)
    assert action.message == f"{THERE} codes changed, 0 could not be"
    assert OutboxEvent.objects.get(type="vouchers.changed").data["count"] == THERE


def check_disabled(campaign, action):
    check_changed(action)
    assert not Voucher.objects.filter(active=True).exists()
    assert ChangedVoucher.objects.filter(action=action).values("voucher_id").distinct().count() == THERE


def check_deleted(campaign, action):
    check_changed(action)
    assert (campaign.vouchers_count, Voucher.objects.present().exists()) == (0, False)


def undo_change(campaign):
    changing = change_by("disable")(campaign)
    finish(changing)
    OutboxEvent.objects.all().delete()
    return undo(campaign.project, changing, now=timezone.now())


def check_undone(campaign, action):
    assert (action.done_count, Voucher.objects.filter(active=True).count()) == (THERE, THERE)
    assert not ChangedVoucher.objects.exists()


def change_campaign(campaign):
    data = {"voucher": {"redemption": {"quantity": 3}}}
    now = timezone.now()
    update_campaign(campaign.project, campaign.public_id, data=data, more=NewCodes(COUNT), now=now)
    return AsyncAction.objects.get()


def check_campaign_changed(campaign, action):
    assert (action.done_count, action.message) == (THERE, f"{THERE} codes changed")
    assert set(Voucher.objects.values_list("quantity", flat=True)) == {3}
    (making,) = AsyncAction.objects.exclude(pk=action.pk)
    assert (making.total_count, CodeBatch.objects.count()) == (COUNT, 1)


KINDS = {
    "generation": Work(generate, "campaign.vouchers.generation.completed", check_made),
    "import of good rows": Work(import_by(GOOD), "vouchers.imported", check_imported),
    "import of all or nothing": Work(import_by(ALL), "vouchers.imported", check_imported),
    "check of a file": Work(import_by(CHECK), "", check_checked),
    "export": Work(export, "", check_exported),
    "disabling": Work(change_by("disable"), "vouchers.changed", check_disabled),
    "deletion": Work(change_by("delete"), "vouchers.changed", check_deleted),
    "undo": Work(undo_change, "", check_undone),
    "change of a campaign": Work(change_campaign, "", check_campaign_changed),
}
CASES = [(name, point) for name, work in KINDS.items() for point in (POINTS if work.event else ["end"])]


@contextmanager
def latch(point: str):
    """Let nobody past a point in the database while this is open, and give what tells whether one waits.

    It is held by a connection of its own: ours is closed when a worker starts.
    """
    holder = connection.copy()
    table = DONE if point == POINTS["end"] else EVENT

    def ask(sql: str) -> Any:
        with holder.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None

    ask(WAITS)
    ask(f"CREATE TRIGGER latch {point} EXECUTE FUNCTION wait_for_latch()")
    ask(f"SELECT pg_advisory_lock({LATCH})")
    try:
        yield lambda: ask(IS_WAITED_FOR)
    finally:
        ask(f"SELECT pg_advisory_unlock({LATCH})")
        ask(f"DROP TRIGGER latch ON {table}")
        ask("DROP FUNCTION wait_for_latch")
        holder.close()


@pytest.mark.parametrize(("name", "point"), CASES)
def test_killed_at_the_last_moment_it_is_done_and_told_once(campaign, name, point):
    work = KINDS[name]
    action = work.start(campaign)
    told = OutboxEvent.objects.filter(type=work.event)
    sql = POINTS[point] % work.event if point == "event" else POINTS[point]

    with latch(sql) as is_waited_for:
        kill_once(action, when=is_waited_for)
        action.refresh_from_db()
        at_the_kill = (action.status, told.count())
    finish(action)

    campaign.refresh_from_db()
    assert at_the_kill == ("IN_PROGRESS", 1 if point == "end" and work.event else 0)
    assert (action.status, told.count()) == ("DONE", 1 if work.event else 0)
    work.check(campaign, action)
