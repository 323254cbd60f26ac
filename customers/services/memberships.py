"""Who is in auto-update segments: kept as members, and told as customers enter and leave."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from customers.membership import Needs
from customers.models import Customer, SegmentMember
from customers.people import people_of
from customers.segments import FilteredSegment, segments_at
from customers.selectors import customers_for_wire
from customers.wire import customer_to_wire, simple_segment
from promoengine.core.events import Happening, record_events
from promoengine.core.models import Project
from promoengine.engine.operators import Moment

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
    people = people_of(customers, Needs.of(segment.filter for segment in segments))
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
