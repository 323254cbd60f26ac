"""Who is in auto-update segments: kept as members, and told as customers enter and leave."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from customers.models import Customer, Segment, SegmentMember
from customers.people import people_of
from customers.segments import FilteredSegment, filtered_segment, segments_at
from customers.selectors import customers_for_wire
from customers.wire import customer_to_wire, simple_segment
from promoengine.core.events import Happening, record_events
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.definitions import share_definitions
from promoengine.engine.operators import Moment

BATCH = 500
SYNC = "SEGMENTS.SYNC"

Pair = tuple[uuid.UUID, uuid.UUID]


def update_memberships(
    project: Project,
    customer_ids: Collection[uuid.UUID],
    *,
    version: int,
    only: uuid.UUID | None = None,
    channel: str = "API",
    now: datetime,
) -> None:
    """Let customers enter and leave auto-update segments as they are now, in the caller's transaction.

    The caller shares the definitions of that version, so that no segment comes or goes meanwhile. `only` is
    the one segment to be asked, where it is not all.
    """
    segments = segments_at(project, version).auto_update
    if only is not None:
        segments = tuple(segment for segment in segments if segment.key == only)
    if not segments or not customer_ids:
        return
    customers = _locked(project, customer_ids)
    found = SegmentMember.objects.filter(
        segment_id__in=[segment.key for segment in segments], customer__in=customers
    )
    members: dict[Pair, int] = {(row.segment_id, row.customer_id): row.pk for row in found}
    inside = _inside(segments, customers, Moment(now, ZoneInfo(project.timezone), project.week_start))
    entering = [pair for pair in inside if pair not in members]
    leaving = [pair for pair in members if pair not in inside]
    SegmentMember.objects.bulk_create(
        [SegmentMember(segment_id=segment, customer_id=customer) for segment, customer in entering]
    )
    if leaving:
        SegmentMember.objects.filter(pk__in=[members[pair] for pair in leaving]).delete()
    by_key = {customer.pk: customer for customer in customers}
    names = {segment.key: segment for segment in segments}
    record_events(
        project,
        [
            _happening(event, names[segment], by_key[customer])
            for event, pairs in (("customer.segment.entered", entering), ("customer.segment.left", leaving))
            for segment, customer in pairs
        ],
        channel=channel,
        now=now,
    )


def start_sync(segment: Segment, *, now: datetime) -> AsyncAction:
    """Start asking all customers whether they are in an auto-update segment."""
    return start_async_action(
        segment.project,
        SYNC,
        job="customers.jobs.sync_segment",
        params={"segment": str(segment.pk)},
        total_count=customers_for_wire(segment.project).count(),
        now=now,
    )


def run_sync(action: AsyncAction) -> None:
    """Ask all customers, batch by batch, from where an earlier run stopped."""
    key = uuid.UUID(action.params["segment"])
    while _sync_batch(action, key):
        pass
    Segment.objects.filter(project=action.project, pk=key).update(initial_sync_status=Segment.SyncStatus.DONE)
    action.message = f"{action.done_count} customers asked"


def sync_by_calendar(*, now: datetime) -> int:
    """Start asking anew, once a day, where who is in changes by the day; return how many segments."""
    rows = Segment.objects.filter(type=Segment.Type.AUTO_UPDATE).select_related("project")
    started = 0
    for segment in rows.filter(initial_sync_status=Segment.SyncStatus.DONE):
        if not filtered_segment(segment).filter.depends_on_today:
            continue
        zone = ZoneInfo(segment.project.timezone)
        midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
        with transaction.atomic():
            if Segment.objects.filter(pk=segment.pk, synced_at__lt=midnight).update(synced_at=now):
                start_sync(segment, now=now)
                started += 1
    return started


@transaction.atomic
def _sync_batch(action: AsyncAction, key: uuid.UUID) -> bool:
    """Ask the next customers, and return whether there were any; none where the segment is gone."""
    version = share_definitions(action.project)
    if key not in {segment.key for segment in segments_at(action.project, version).auto_update}:
        return False
    rows = customers_for_wire(action.project).order_by("pk")
    if last := action.params.get("last"):
        rows = rows.filter(pk__gt=uuid.UUID(last))
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    if not ids:
        return False
    update_memberships(action.project, ids, version=version, only=key, now=timezone.now())
    action.params = action.params | {"last": str(ids[-1])}
    action.save(update_fields=["params"])
    advance(action, done=len(ids))
    return True


def _locked(project: Project, customer_ids: Collection[uuid.UUID]) -> list[Customer]:
    """Return the customers as they are once nobody else changes or asks them.

    Read by a statement of its own, which sees what was committed while the lock was waited for.
    """
    rows = Customer.objects.filter(project=project, pk__in=customer_ids).present().order_by("pk")
    keys = list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    return list(customers_for_wire(project).filter(pk__in=keys).order_by("pk"))


def _inside(
    segments: Sequence[FilteredSegment], customers: Sequence[Customer], at: Moment
) -> dict[Pair, None]:
    """Return who is in which of the segments, in the order of the customers."""
    events = frozenset[str]().union(*(segment.filter.events for segment in segments))
    people = people_of(customers, events)
    return {
        (segment.key, customer.pk): None
        for customer, person in zip(customers, people, strict=True)
        for segment in segments
        if segment.filter.matches(person, at)
    }


def _happening(event: str, segment: FilteredSegment, customer: Customer) -> Happening:
    return Happening(
        event,
        {
            "customer": customer_to_wire(customer),
            "segment": simple_segment(segment.public_id, segment.name),
        },
        entity_id=segment.public_id,
        customer_id=customer.pk,
    )
