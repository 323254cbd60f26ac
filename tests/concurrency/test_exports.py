"""Exports under fire: killed at any moment, watched and canceled while the database gives the rows."""

import io
import random
import zipfile
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Customer
from promoengine.core.models import AsyncAction
from promoengine.core.services.aside import Aside
from promoengine.core.services.async_actions import cancel, run_async_action
from redemptions import export_formats
from redemptions.models import Export, ExportPart
from redemptions.services import exports
from tests.concurrency.workers import finish, kill_ten_times
from tests.factories import CustomerFactory, ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 8000


@pytest.fixture
def project():
    project = ProjectFactory()
    Customer.objects.bulk_create(
        (CustomerFactory.build(project=project, source_id=f"user-{number:05}") for number in range(COUNT)),
        batch_size=1000,
    )
    return project


def start(project, format):
    data = {
        "exported_object": "customer",
        "parameters": {"fields": ["source_id"], "order": "source_id", "format": format},
    }
    return exports.start_export(project, data=data, now=timezone.now()).action


def in_a_thread(act):
    """Call something on a connection of its own, and wait for it."""

    def run():
        try:
            act()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.parametrize("format", ["CSV", "XLSX"])
def test_ten_killed_workers_leave_one_whole_file(project, monkeypatch, format):
    monkeypatch.setattr(export_formats, "ROWS_A_WORD", 50)
    monkeypatch.setattr(export_formats, "ROWS_A_STEP", 100)
    monkeypatch.setattr(exports, "BYTES_A_PART", 1000)
    monkeypatch.setattr(exports, "PARTS_A_STEP", 2)
    action = start(project, format)

    killed = kill_ten_times(action, random.Random(7), work=COUNT)
    finish(action)

    export = Export.objects.get()
    parts = ExportPart.objects.order_by("number")
    content = b"".join(bytes(part.content) for part in parts)
    assert killed == 10
    assert (action.status, action.done_count, export.status, export.row_count) == (
        "DONE",
        COUNT,
        "DONE",
        COUNT,
    )
    assert [part.number for part in parts] == list(range(len(parts)))
    if format == "CSV":
        rows = [f"user-{number:05}" for number in range(COUNT)]
        assert content.decode().splitlines() == ["Source ID", *rows]
    else:
        assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None


@pytest.mark.parametrize("format", ["CSV", "JSONL", "XLSX"])
def test_the_bar_moves_while_the_database_gives_the_rows(project, monkeypatch, format):
    monkeypatch.setattr(export_formats, "ROWS_A_WORD", 1000)
    action, seen, say = start(project, format), [], Aside.say

    def watched(self, done, total):
        say(self, done, total)
        in_a_thread(lambda: seen.append(AsyncAction.objects.get(pk=action.pk).progress))

    monkeypatch.setattr(Aside, "say", watched)
    run_async_action(action.pk)

    action.refresh_from_db()
    assert len(seen) == COUNT // 1000
    assert seen == sorted(set(seen))
    assert 0 < seen[0] < seen[-1] < 100
    assert (action.status, action.done_count, action.total_count) == ("DONE", COUNT, COUNT)


def test_one_canceled_while_the_database_gives_the_rows_stops_there(project, monkeypatch):
    monkeypatch.setattr(export_formats, "ROWS_A_WORD", 1000)
    action, said, say = start(project, "CSV"), [], Aside.say

    def canceled(self, done, total):
        said.append(done)
        in_a_thread(lambda: cancel(project, action, now=timezone.now()))
        say(self, done, total)

    monkeypatch.setattr(Aside, "say", canceled)
    run_async_action(action.pk)

    action.refresh_from_db()
    assert len(said) == 1
    assert (action.status, Export.objects.get().status) == ("CANCELED", "ERROR")
    assert not ExportPart.objects.exists()
