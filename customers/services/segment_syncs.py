"""Asking all customers whether they are in an auto-update segment, in the background.

Whoever changes a customer asks the filters themselves, so a sync is only about those who do not change. It
looks through windows of customers without locking anything, keeps those in doubt, and asks these in short
transactions, a few at a time. Done twice, as after a killed worker, it finds nothing more to do.
"""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from customers.membership import parse_filter
from customers.models import Customer, CustomerQuerySet, Segment, SegmentMember
from customers.preselection import Preselection, preselect
from customers.segments import filtered_segment
from customers.services.memberships import update_memberships
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.definitions import share_definitions
from promoengine.engine.operators import Moment

WINDOW, BATCH, DELETED_AT_ONCE = 10_000, 200, 5_000
Clock = Callable[[], datetime]
SYNC, CLEARING = "SEGMENTS.SYNC", "SEGMENTS.CLEAR"


@dataclass(frozen=True, slots=True)
class Window:
    """Customers by the order of their keys: after one, up to another, or all that are left."""

    rows: Q
    count: int
    last: uuid.UUID | None


def start_sync(segment: Segment, *, now: datetime) -> None:
    """Start asking all customers, in the transaction that saves the segment; an earlier sync stops."""
    segment.sync = start_async_action(
        segment.project,
        SYNC,
        job="customers.jobs.sync_segment",
        params={"segment": str(segment.pk)},
        now=now,
    )
    segment.synced_at = now


def run_sync(action: AsyncAction, *, clock: Clock = timezone.now) -> None:
    """Ask all customers, window by window, from where an earlier run stopped."""
    if not action.done_count:
        action.total_count = _present(action.project).count()
        action.save(update_fields=["total_count"])
    while not action.params.get("is_over"):
        segment = Segment.objects.filter(project=action.project, sync=action).first()
        if segment is None:
            action.message = "Stopped: the segment was changed or deleted"
            return
        _sync_window(action, segment, _next_window(action), clock)
    Segment.objects.filter(sync=action).update(initial_sync_status=Segment.SyncStatus.DONE)
    action.message = f"{action.done_count} customers asked"


def sync_by_calendar(*, now: datetime) -> int:
    """Start asking anew, once a day, where who is in changes by the day; return how many segments.

    A sync that was given up is started anew as well.
    """
    rows = Segment.objects.filter(type=Segment.Type.AUTO_UPDATE).select_related("project", "sync")
    started = 0
    for segment in rows:
        if _is_due(segment, now):
            with transaction.atomic():
                if Segment.objects.filter(pk=segment.pk, synced_at=segment.synced_at).update(synced_at=now):
                    start_sync(segment, now=now)
                    segment.save(update_fields=["sync", "synced_at"])
                    started += 1
    return started


def clear_members(project: Project, segment_id: uuid.UUID, *, now: datetime) -> None:
    """Delete the members of a segment that is gone: some at once, more than that in the background."""
    if _delete_some(segment_id) == DELETED_AT_ONCE:
        start_async_action(
            project,
            CLEARING,
            job="customers.jobs.clear_segment",
            params={"segment": str(segment_id)},
            now=now,
        )


def run_clearing(action: AsyncAction) -> None:
    """Delete the members of a deleted segment, some thousands in each transaction."""
    deleted = DELETED_AT_ONCE
    while deleted == DELETED_AT_ONCE:
        with transaction.atomic():
            deleted = _delete_some(uuid.UUID(action.params["segment"]))
            advance(action, done=deleted)


def _delete_some(segment_id: uuid.UUID) -> int:
    members = SegmentMember.objects.filter(segment_id=segment_id).order_by("pk").values("pk")
    return SegmentMember.objects.filter(pk__in=members[:DELETED_AT_ONCE]).delete()[0]


def _is_due(segment: Segment, now: datetime) -> bool:
    if segment.sync is not None and segment.sync.status == AsyncAction.Status.FAILED:
        return True
    if segment.initial_sync_status != Segment.SyncStatus.DONE:
        return False
    zone = ZoneInfo(segment.project.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    return segment.synced_at < midnight and filtered_segment(segment).filter.depends_on_today


def _next_window(action: AsyncAction) -> Window:
    rows = Q()
    if last := action.params.get("last"):
        rows = Q(pk__gt=uuid.UUID(last))
    left = _present(action.project).filter(rows).order_by("pk").values_list("pk", flat=True)
    end = left[WINDOW - 1 : WINDOW].first()
    if end is None:
        return Window(rows, left.count(), None)
    return Window(rows & Q(pk__lte=end), WINDOW, end)


def _sync_window(action: AsyncAction, segment: Segment, window: Window, clock: Clock) -> None:
    """Ask those of a window who are in doubt, and keep how far that is; another sync may have taken over."""
    project = action.project
    today = clock().astimezone(ZoneInfo(project.timezone)).date()
    selection = _selection(json.dumps(segment.filter), today, project.timezone, project.week_start)
    in_doubt = _in_doubt(segment, selection, window)
    for start in range(0, len(in_doubt), BATCH):
        if not _ask(action, segment, in_doubt[start : start + BATCH], now=clock()):
            return
    with transaction.atomic():
        action.params = action.params | ({"last": str(window.last)} if window.last else {"is_over": True})
        action.save(update_fields=["params"])
        advance(action, done=window.count)


@lru_cache(maxsize=16)
def _selection(filter: str, today: date, zone: str, week_start: int) -> Preselection:
    """Return what SQL can say of a filter on a day: kept, because days are tried out one by one for it."""
    noon = datetime.combine(today, time(12), ZoneInfo(zone))
    return preselect(parse_filter(json.loads(filter)), Moment(noon, ZoneInfo(zone), week_start))


def _in_doubt(segment: Segment, selection: Preselection, window: Window) -> Sequence[uuid.UUID]:
    """Return who may have to enter, and which members may have to leave."""
    member = SegmentMember.objects.filter(segment_id=segment.pk, customer=OuterRef("pk"))
    rows = selection.mark(_present(segment.project).filter(window.rows)).alias(is_member=Exists(member))
    to_ask = Q(is_member=False, maybe=True) | Q(is_member=True, surely=False)
    return list(rows.filter(to_ask).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _ask(action: AsyncAction, segment: Segment, customer_ids: Sequence[uuid.UUID], *, now: datetime) -> bool:
    """Let customers enter and leave; return whether the segment still waits for this sync."""
    version = share_definitions(action.project)
    if not Segment.objects.filter(pk=segment.pk, sync=action).exists():
        return False
    update_memberships(action.project, customer_ids, version=version, only=segment.pk, now=now)
    return True


def _present(project: Project) -> CustomerQuerySet:
    return Customer.objects.filter(project=project).present()
