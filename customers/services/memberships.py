"""Who is in auto-update segments: kept as members, and told as customers enter and leave."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from customers.members import lock_customers, members
from customers.membership import Needs
from customers.models import Customer, SegmentMember
from customers.segments import FilteredSegment, segments_at
from customers.wire import customer_to_wire, simple_segment
from promoengine.core.events import Happening, record_events
from promoengine.core.models import Project
from promoengine.engine.operators import Moment


@dataclass(frozen=True, slots=True)
class _Movement:
    """A customer who enters a segment, or leaves it by that row of their membership."""

    segment: FilteredSegment
    customer: Customer
    membership: int | None


def update_memberships(
    project: Project,
    customer_ids: Collection[uuid.UUID],
    *,
    version: int,
    only: uuid.UUID | None = None,
    are_locked: bool = False,
    channel: str = "API",
    now: datetime,
) -> None:
    """Let customers enter and leave auto-update segments as they are now, in the caller's transaction.

    The caller shares the definitions of that version, so that no segment comes or goes meanwhile, and says
    whether it has locked the customers already, or made them. `only` is the one segment to be asked, where
    it is not all.
    """
    segments = segments_at(project, version).auto_update
    if only is not None:
        segments = tuple(segment for segment in segments if segment.key == only)
    if not segments or not customer_ids:
        return
    if not are_locked:
        # By a statement of its own: the next sees what was committed while the lock was waited for.
        lock_customers(project, customer_ids)
    at = Moment(now, ZoneInfo(project.timezone), project.week_start)
    entering, leaving = _movements(project, customer_ids, segments, at)
    if not entering and not leaving:
        return
    SegmentMember.objects.bulk_create(
        [SegmentMember(segment_id=one.segment.key, customer=one.customer) for one in entering]
    )
    if leaving:
        SegmentMember.objects.filter(pk__in=[one.membership for one in leaving]).delete()
    happenings = [_happening("customer.segment.entered", one) for one in entering]
    happenings += [_happening("customer.segment.left", one) for one in leaving]
    record_events(project, happenings, channel=channel, now=now)


def _movements(
    project: Project, customer_ids: Collection[uuid.UUID], segments: Sequence[FilteredSegment], at: Moment
) -> tuple[list[_Movement], list[_Movement]]:
    """Return who has to enter which of the segments, and who to leave, in the order of the customers."""
    needs = Needs.of(segment.filter for segment in segments)
    entering, leaving = [], []
    for one in members(project, customer_ids, needs, segment_ids=[segment.key for segment in segments]):
        for segment in segments:
            movement = _Movement(segment, one.customer, one.memberships.get(segment.key))
            is_inside = segment.filter.matches(one.person, at)
            if is_inside and movement.membership is None:
                entering.append(movement)
            elif not is_inside and movement.membership is not None:
                leaving.append(movement)
    return entering, leaving


def _happening(event: str, movement: _Movement) -> Happening:
    segment, customer = movement.segment, movement.customer
    return Happening(
        event,
        {
            "customer": customer_to_wire(customer),
            "segment": simple_segment(segment.public_id, segment.name),
        },
        entity_id=segment.public_id,
        customer_id=customer.pk,
    )
