"""Async actions: background work that a client can watch and that survives its worker's death.

The row in Postgres is the job; RQ only wakes a worker for it. A piece of work keeps its progress in the
transaction that does it, so a second run goes on where the first one died.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone
from django.utils.module_loading import import_string

from promoengine.core.errors import DomainError
from promoengine.core.ids import new_request_id
from promoengine.core.models import AsyncAction, Project, UploadedFile
from promoengine.core.queues import enqueue

log = logging.getLogger(__name__)

SILENT_AFTER = timedelta(seconds=30)
ATTEMPTS = 10
FAILURES_KEPT = 1000
# What a request sent for the work to be done, among an action's `params`.
SENT = "rows"
# What is still to be done, and will be without anybody asking.
UNFINISHED = (AsyncAction.Status.ENQUEUED, AsyncAction.Status.IN_PROGRESS)
NOT_ENDED = (*UNFINISHED, AsyncAction.Status.PAUSED)


class Stopped(Exception):
    """Somebody asked for an action to stop; what its steps have done stays."""


class Paused(Stopped):
    """It is to go on some time."""


class Canceled(Stopped):
    """It is not to go on."""


class NotUndoable(DomainError):
    key = "async_action_not_undoable"
    message = "Async action can't be undone"


class NotStoppable(DomainError):
    key = "async_action_not_stoppable"
    message = "Async action can't be stopped"


def start_async_action(
    project: Project,
    type: str,
    *,
    job: str,
    params: dict[str, Any],
    total_count: int = 0,
    is_stoppable: bool = False,
    undo_job: str = "",
    now: datetime,
) -> AsyncAction:
    """Write an async action and queue it for after the commit.

    `job` is the dotted name of a function that takes the action, and does its work in steps that each
    commit together with `advance`; one that is stoppable calls `checkpoint` before each step. `undo_job`
    takes it back, given an action whose `params` name this one as `action`.
    """
    action = AsyncAction.objects.create(
        project=project,
        type=type,
        job=job,
        params=params,
        total_count=total_count,
        is_stoppable=is_stoppable,
        undo_job=undo_job,
        request_id=new_request_id(),
        created_at=now,
        updated_at=now,
    )
    _wake(action.pk)
    return action


def run_async_action(action_id: uuid.UUID) -> None:
    """Do an action's work, or go on with it; does nothing while another worker is at it."""
    with only_worker(action_id) as alone:
        if not alone:
            return
        claimed = AsyncAction.objects.filter(pk=action_id, status__in=UNFINISHED).update(
            status=AsyncAction.Status.IN_PROGRESS, attempts=F("attempts") + 1, updated_at=timezone.now()
        )
        if claimed:
            _work(AsyncAction.objects.select_related("project").get(pk=action_id))


def advance(
    action: AsyncAction, *, done: int = 0, failed: int = 0, failures: list[dict[str, Any]] | None = None
) -> None:
    """Add to an action's progress, in the caller's transaction.

    Attempts are counted anew: an action is given up when it no longer gets on.
    """
    action.done_count += done
    action.failed_count += failed
    action.failed = [*action.failed, *(failures or [])][:FAILURES_KEPT]
    action.attempts, action.updated_at = 0, timezone.now()
    action.save(update_fields=["done_count", "failed_count", "failed", "attempts", "updated_at"])


def checkpoint(action: AsyncAction) -> None:
    """Leave an action's work where somebody asked for it.

    Raises:
        Paused, Canceled: they did.
    """
    leave_if_asked(AsyncAction.objects.values_list("stop", flat=True).get(pk=action.pk))


def leave_if_asked(stop: str) -> None:
    """Leave an action's work where its row says so.

    Raises:
        Paused, Canceled: it does.
    """
    if stop == AsyncAction.Stop.PAUSE:
        raise Paused
    if stop == AsyncAction.Stop.CANCEL:
        raise Canceled


def pause(project: Project, action: AsyncAction, *, now: datetime) -> None:
    """Ask an action to stop after its next step until `resume`.

    Raises:
        NotStoppable: it has ended, or does its work in one go.
    """
    rows = AsyncAction.objects.filter(
        project=project, pk=action.pk, status__in=UNFINISHED, is_stoppable=True
    ).exclude(stop=AsyncAction.Stop.CANCEL)
    if not rows.update(stop=AsyncAction.Stop.PAUSE, updated_at=now):
        raise NotStoppable("It has ended, or can't be paused")


@transaction.atomic
def resume(project: Project, action: AsyncAction, *, now: datetime) -> None:
    """Let a paused action go on where it stopped.

    Raises:
        NotStoppable: it is not paused.
    """
    rows = AsyncAction.objects.filter(
        project=project, pk=action.pk, status__in=NOT_ENDED, stop=AsyncAction.Stop.PAUSE
    )
    if not rows.update(stop="", status=AsyncAction.Status.ENQUEUED, attempts=0, updated_at=now):
        raise NotStoppable("It is not paused")
    _wake(action.pk)


@transaction.atomic
def cancel(project: Project, action: AsyncAction, *, now: datetime) -> None:
    """Ask an action, also a paused one, to end after its next step; what has been done stays.

    Raises:
        NotStoppable: it has ended, or does its work in one go.
    """
    rows = AsyncAction.objects.filter(project=project, pk=action.pk, status__in=NOT_ENDED, is_stoppable=True)
    status = Case(
        When(status=AsyncAction.Status.PAUSED, then=Value(AsyncAction.Status.ENQUEUED)), default=F("status")
    )
    if not rows.update(stop=AsyncAction.Stop.CANCEL, status=status, updated_at=now):
        raise NotStoppable("It has ended, or can't be canceled")
    _wake(action.pk)


@transaction.atomic
def undo(project: Project, action: AsyncAction, *, now: datetime) -> AsyncAction:
    """Start to take back what an action that has ended did, and return the action that does so.

    Raises:
        NotUndoable: it goes on yet, has been undone, or can't be.
    """
    rows = AsyncAction.objects.filter(project=project, pk=action.pk).exclude(status__in=NOT_ENDED)
    if not action.undo_job or not rows.filter(undo_job=action.undo_job).update(undo_job=""):
        raise NotUndoable("It goes on yet, has been undone, or can't be")
    return start_async_action(
        project,
        f"{action.type}_UNDO",
        job=action.undo_job,
        params={"action": str(action.pk)},
        total_count=action.done_count,
        is_stoppable=True,
        now=now,
    )


def resume_async_actions(*, now: datetime) -> int:
    """Queue the actions again that nobody has worked on for half a minute; return how many.

    One that got nowhere in ten attempts is given up, unless a worker is at it, however slow.
    """
    silent = AsyncAction.objects.filter(status__in=UNFINISHED, updated_at__lt=now - SILENT_AFTER)
    fruitless = silent.filter(attempts__gte=ATTEMPTS)
    for action_id in list(fruitless.values_list("pk", flat=True)):
        with only_worker(action_id) as alone:
            # Read once nobody is at it: whoever was may have got on.
            if alone and (action := fruitless.filter(pk=action_id).first()):
                _finish(action, AsyncAction.Status.FAILED, f"Given up after {ATTEMPTS} attempts")
    waiting = list(silent.filter(attempts__lt=ATTEMPTS).values_list("pk", flat=True))
    for action_id in waiting:
        _wake(action_id)
    return len(waiting)


def _wake(action_id: uuid.UUID) -> None:
    enqueue("promoengine.core.jobs.run_async_action", action_id=str(action_id))


def _work(action: AsyncAction) -> None:
    job: Callable[[AsyncAction], None] = import_string(action.job)
    try:
        job(action)
    except Paused:
        # Whoever resumed it meanwhile has queued it again.
        rows = AsyncAction.objects.filter(pk=action.pk, stop=AsyncAction.Stop.PAUSE)
        rows.update(status=AsyncAction.Status.PAUSED, updated_at=timezone.now())
    except Canceled:
        _finish(action, AsyncAction.Status.CANCELED, f"Canceled after {action.done_count}")
    except DomainError as refusal:
        _finish(action, AsyncAction.Status.FAILED, str(refusal))
    except OperationalError:
        # A deadlock, or a database that is away: another attempt goes on, as after a worker's death.
        log.warning("async action interrupted", extra={"action": action.public_id, "type": action.type})
        raise
    except Exception:
        _finish(action, AsyncAction.Status.FAILED, "Internal error")
        log.exception("async action failed", extra={"action": action.public_id, "type": action.type})
        raise
    else:
        _finish(action, AsyncAction.Status.DONE, action.message)


@transaction.atomic
def _finish(action: AsyncAction, status: AsyncAction.Status, message: str) -> None:
    """End an action, and let go of what was sent for it, where an erasure of a person wouldn't find it.

    No run after this one will ask for rows or, once all is imported, for the file.
    """
    now = timezone.now()
    action.status, action.message, action.updated_at, action.finished_at = status, message, now, now
    action.params = {name: value for name, value in action.params.items() if name != SENT}
    action.save(update_fields=["status", "params", "message", "updated_at", "finished_at"])
    if status == AsyncAction.Status.DONE and "file" in action.params:
        UploadedFile.objects.filter(project=action.project, pk=action.params["file"]).delete()


@contextmanager
def only_worker(action_id: uuid.UUID) -> Iterator[bool]:
    """Hold the action for this connection; Postgres lets go of it when the worker dies."""
    lock = action_id.int & 0x7FFF_FFFF_FFFF_FFFF
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        (alone,) = cursor.fetchone()
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
