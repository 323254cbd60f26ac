"""Making, changing and deleting customer segments."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from customers.membership import parse_filter
from customers.models import Customer, Segment, SegmentMember
from customers.places import check_locations
from customers.selectors import segment_by_id
from customers.services.segment_syncs import clear_members, start_sync
from promoengine.core.errors import InvalidPayload, NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed

NAME_MAX, CUSTOMERS_MAX, FILTERED_MAX = 255, 20_000, 100


@transaction.atomic
def create_segment(project: Project, *, data: Any, now: datetime) -> Segment:
    """Make a segment, and return it: static of listed `customers`, or auto-update or passive by a `filter`.

    Without a `type` it is static where customers are listed, else passive. An auto-update segment is filled
    in the background.

    Raises:
        InvalidPayload: a field is wrong, or the project has all the segments it may; the details name it.
        NotFound: the project has no customer of an id or source id that is listed, or no location that the
            filter asks about.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    segment = Segment(
        project=project, name=_name(data.get("name")), type=_type(data), created_at=now, synced_at=now
    )
    if segment.type == Segment.Type.STATIC:
        members = _listed(project, data.get("customers"))
        segment.save(force_insert=True)
        SegmentMember.objects.bulk_create(
            [SegmentMember(segment=segment, customer_id=key) for key in members], batch_size=5000
        )
        definitions_changed(project)
        return segment
    parse_filter(data.get("filter"))
    segment.filter = dict(data["filter"])
    definitions_changed(project)
    check_locations(project, segment.filter)
    if Segment.objects.filter(project=project).exclude(type=Segment.Type.STATIC).count() >= FILTERED_MAX:
        raise InvalidPayload(f"Up to {FILTERED_MAX} auto-update and passive segments are possible")
    if segment.type == Segment.Type.AUTO_UPDATE:
        segment.initial_sync_status = Segment.SyncStatus.IN_PROGRESS
        start_sync(segment, now=now)
    segment.save(force_insert=True)
    return segment


@transaction.atomic
def update_segment(project: Project, ref: str, *, data: Any, now: datetime) -> Segment:
    """Change a segment's name, its filter or both, and return it; the type and listed customers stay.

    Where the filter of an auto-update segment changes, all customers are asked anew in the background: who
    is in and stays is told nothing.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
        NotFound: the project has no such segment, or no location that its filter asks about.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    segment = segment_by_id(project, ref)
    changed = _changes(segment, data)
    if not changed:
        return segment
    definitions_changed(project)
    # Whoever changes a segment waits above, so only now it is certain what changes.
    segment = segment_by_id(project, ref)
    changed = _changes(segment, data)
    check_locations(project, changed.get("filter"))
    for name, value in changed.items():
        setattr(segment, name, value)
    written = [*changed, "updated_at"]
    if "filter" in changed and segment.type == Segment.Type.AUTO_UPDATE:
        segment.initial_sync_status = Segment.SyncStatus.IN_PROGRESS
        start_sync(segment, now=now)
        written += ["initial_sync_status", "sync", "synced_at"]
    segment.updated_at = now
    segment.save(update_fields=written)
    return segment


@transaction.atomic
def delete_segment(project: Project, ref: str, *, now: datetime) -> None:
    """Delete a segment, which nobody leaves by it; rules that name it match nobody from then on.

    Raises:
        NotFound: the project has no such segment.
    """
    segment = segment_by_id(project, ref)
    definitions_changed(project)
    Segment.objects.filter(pk=segment.pk).delete()
    clear_members(project, segment.pk, now=now)


def _changes(segment: Segment, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a payload changes in a segment; what it does not mention stays."""
    asked: dict[str, Any] = {}
    if "name" in data:
        asked["name"] = _name(data["name"])
    if data.get("type", segment.type) != segment.type:
        raise InvalidPayload("Property .type cannot be changed")
    if segment.type == Segment.Type.STATIC:
        for name in ("filter", "customers"):
            if data.get(name) is not None:
                raise InvalidPayload(f"Property .{name} cannot be changed in a static segment")
    elif "filter" in data:
        parse_filter(data["filter"])
        asked["filter"] = dict(data["filter"])
    return {name: value for name, value in asked.items() if getattr(segment, name) != value}


def _name(name: Any) -> str:
    if name in (None, ""):
        raise InvalidPayload("Payload must have required property 'name'")
    if not isinstance(name, str):
        raise InvalidPayload("Property .name must be string")
    if len(name) > NAME_MAX:
        raise InvalidPayload(f"Property .name should have 1 to {NAME_MAX} characters")
    return name


def _type(data: Mapping[str, Any]) -> str:
    type_ = data.get("type")
    if type_ is None:
        return Segment.Type.STATIC if "customers" in data else Segment.Type.PASSIVE
    if type_ not in Segment.Type.values:
        raise InvalidPayload(f"Property .type should be one of {', '.join(Segment.Type.values)}")
    return str(type_)


def _listed(project: Project, refs: Any) -> list[uuid.UUID]:
    """Return the keys of the customers that a payload lists by ids and source ids, each once."""
    if not isinstance(refs, list):
        raise InvalidPayload("Property .customers should be array")
    if len(refs) > CUSTOMERS_MAX:
        raise InvalidPayload(f"Property .customers may have up to {CUSTOMERS_MAX} customers")
    for index, ref in enumerate(refs):
        if not isinstance(ref, str) or not ref:
            raise InvalidPayload(f"Property .customers[{index}] should be string")
    ids = {ref: key for ref in refs if (key := parse_public_id(Customer.prefix, ref))}
    rows = Customer.objects.filter(project=project).present()
    found = rows.filter(Q(source_id__in=refs) | Q(pk__in=ids.values())).values_list("pk", "source_id")
    keys, by_source = set(), {}
    for key, source_id in found:
        keys.add(key)
        by_source[source_id] = key
    members: dict[uuid.UUID, None] = {}
    for ref in refs:
        key = by_source.get(ref) or ids.get(ref)
        if key not in keys:
            raise NotFound("customer", ref)
        members[key] = None
    return list(members)
