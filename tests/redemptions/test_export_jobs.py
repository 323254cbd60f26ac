"""The job that writes an export: in parts, killed, canceled, paused, and deleted meanwhile."""

import pytest
from django.utils import timezone

from customers.models import Customer
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import cancel, pause, resume, run_async_action
from redemptions.models import ExportPart
from redemptions.services import exports
from tests.factories import CustomerFactory
from tests.redemptions.exporting import export, lines, work


def test_a_long_file_is_kept_in_parts(api, project, monkeypatch):
    parts_of(monkeypatch, 100)
    Customer.objects.bulk_create(
        CustomerFactory.build(project=project, source_id=f"user-{n:02}") for n in range(35)
    )
    done = export(api, "customer", fields=["source_id"], order="source_id")

    assert ExportPart.objects.count() == 3
    assert lines(done)[1:] == [[f"user-{n:02}"] for n in range(35)]
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    assert (action.total_count, action.done_count, action.message) == (35, 35, "35 rows exported")


def test_a_worker_that_died_leaves_nothing_twice(api, project, shop, monkeypatch):
    parts_of(monkeypatch, 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    dies_after(monkeypatch, parts=1)
    with pytest.raises(SystemExit):
        run_async_action(action.pk)
    assert ExportPart.objects.count() == 1
    monkeypatch.undo()

    work(project)

    assert len(lines(api.get(f"/v1/exports/{made['id']}").json())) == 2
    action.refresh_from_db()
    assert (action.done_count, action.total_count) == (1, 1)


def test_one_deleted_while_it_is_made_leaves_nothing(api, project, shop, monkeypatch):
    parts_of(monkeypatch, 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    after_part(monkeypatch, lambda: api.delete(f"/v1/exports/{made['id']}"))

    work(project)

    assert not ExportPart.objects.exists()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    assert (action.status, action.message) == ("DONE", "The export was deleted")


def test_one_canceled_while_it_is_made_leaves_no_file(api, project, shop, monkeypatch):
    parts_of(monkeypatch, 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    after_part(monkeypatch, lambda: cancel(project, action, now=timezone.now()))

    work(project)

    assert api.get(f"/v1/exports/{made['id']}").json()["status"] == "ERROR"
    assert not ExportPart.objects.exists()


def test_one_that_was_paused_is_made_anew(api, project, shop, monkeypatch):
    parts_of(monkeypatch, 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    after_part(monkeypatch, lambda: pause(project, action, now=timezone.now()))
    work(project)
    assert api.get(f"/v1/exports/{made['id']}").json()["status"] == "SCHEDULED"

    resume(project, action, now=timezone.now())
    work(project)

    assert len(lines(api.get(f"/v1/exports/{made['id']}").json())) == 2


def test_one_that_is_given_up_has_failed(api, project):
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    AsyncAction.objects.filter(project=project).update(status="FAILED")
    exports.end_given_up()

    assert api.get(f"/v1/exports/{made['id']}").json()["status"] == "ERROR"


def parts_of(monkeypatch, size):
    """Let files be kept in parts of so many bytes, each in a step of its own."""
    monkeypatch.setattr(exports, "BYTES_A_PART", size)
    monkeypatch.setattr(exports, "PARTS_A_STEP", 1)


def after_part(monkeypatch, happens):
    """Let something happen once, after the first part of a file has been kept."""
    create, waiting = ExportPart.objects.bulk_create, [happens]

    def keep(parts):
        kept = create(parts)
        if waiting and parts[0].number == 1:
            waiting.pop()()
        return kept

    monkeypatch.setattr(ExportPart.objects, "bulk_create", keep)


def dies_after(monkeypatch, *, parts):
    """Let the worker die when it has kept so many parts of a file."""
    read = exports.checkpoint

    def look(action):
        if ExportPart.objects.count() >= parts:
            raise SystemExit
        read(action)

    monkeypatch.setattr(exports, "checkpoint", look)


def test_one_deleted_before_its_turn_is_not_made(api, project):
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    api.delete(f"/v1/exports/{made['id']}")
    work(project)

    assert AsyncAction.objects.get(project=project).status == "DONE"
    assert api.get("/v1/exports").json()["total"] == 0
