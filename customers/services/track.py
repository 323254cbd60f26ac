"""Custom events: what the shop says a customer did."""

import json
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers.event_payload import SentEvent, read_event
from customers.models import Customer, CustomEvent
from customers.payload import read_customer
from customers.segments import likely_version, segments_at
from customers.selectors import find_customer, find_people
from customers.services.memberships import update_memberships
from customers.services.merge import merge_guest
from customers.services.upsert import upsert_in_transaction
from customers.wire import simple_customer
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.errors import DomainError, NotFound
from promoengine.core.ids import id_of, new_id, parse_public_id, public_id
from promoengine.core.json_text import to_json
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_lock
from promoengine.core.services.metadata import check_event


class DuplicateEvent(DomainError):
    """The sender's id belongs to another event."""

    key = "duplicate_source_id"
    message = "Duplicate source_id"


class _AlreadyTracked(Exception):
    """The same event has been tracked meanwhile; what was changed for it is undone."""

    def __init__(self, outcome: "_Outcome") -> None:
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class TrackedEvent:
    """An event as it was written, now or when it came first, and its customer as other objects carry one."""

    type: str
    metadata: dict[str, Any]
    customer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the database made of an event: `earlier` is the row that the sender's id has already."""

    name: str
    version: int
    customer_id: uuid.UUID | None = None
    customer: dict[str, Any] | None = None
    earlier: dict[str, Any] | None = None


def track_event(project: Project, *, data: Any, channel: str = "API", now: datetime) -> TrackedEvent:
    """Record a custom event and return it with its customer, who is made where they are new.

    One round trip where the customer is known and nothing new is said of them. With a `source_id` it is
    recorded once, however often and at however many places it is sent. One that happened before the newest
    thing said about the customer adds to what is known and changes nothing. Auto-update segments that ask
    for such events are asked anew.

    Raises:
        InvalidPayload, MetadataRefused: a field is missing or wrong; the details name it.
        NotFound: the customer is named by an id that the project does not have.
        DuplicateEvent: another event, or another customer's, has that `source_id`.
    """
    sent = read_event(data, now=now)
    outcome = _track_of_known(project, sent, channel=channel)
    if outcome.name in ("unknown", "changed"):
        try:
            outcome = _track_with_customer(project, sent, channel=channel)
        except _AlreadyTracked as repetition:
            outcome = repetition.outcome
    if outcome.earlier is not None:
        return _as_tracked_before(project, sent, outcome.earlier)
    return TrackedEvent(sent.type, sent.metadata, outcome.customer or {})


def _track_of_known(project: Project, sent: SentEvent, *, channel: str) -> _Outcome:
    """Record the event if its customer is stored, and stored as it says."""
    said = read_customer(sent.customer)
    ref, source_id = sent.customer.get("id"), said.pop("source_id", None)
    key = parse_public_id(Customer.prefix, ref) if isinstance(ref, str) else None
    version = likely_version(project)
    is_plain = sent.tracking_id is None and not sent.customer.get("identities")
    if not is_plain or (ref and key is None) or not (key or source_id):
        return _Outcome("unknown", version)
    while True:
        asks = _asks(project, sent, version)
        with transaction.atomic() if asks else nullcontext():
            outcome = _record(
                project, sent, key, None if key else source_id, said or None, version=version, channel=channel
            )
            if asks and outcome.customer_id and outcome.earlier is None:
                update_memberships(
                    project, [outcome.customer_id], version=version, channel=channel, now=sent.now
                )
        if outcome.name != "moved":
            return outcome
        version = outcome.version


@transaction.atomic
def _track_with_customer(project: Project, sent: SentEvent, *, channel: str) -> _Outcome:
    """Make or change the customer first, then record the event.

    Raises:
        _AlreadyTracked: the event is a repetition, which changes nobody.
    """
    if sent.tracking_id and sent.customer:
        people = find_people(project, sent.customer, tracking_id=sent.tracking_id)
        if people.customer is not None and people.guest is not None:
            merge_guest(project, people.customer, people.guest, channel=channel, now=sent.now)
    customer = _customer(project, sent, channel=channel)
    outcome: _Outcome | None = None
    while True:
        version = outcome.version if outcome else likely_version(project)
        outcome = _record(project, sent, customer.pk, None, None, version=version, channel=channel)
        if outcome.name == "unknown":
            # A guest who has become another customer meanwhile.
            customer = _customer(project, sent, channel=channel)
        elif outcome.name != "moved":
            break
    if outcome.earlier is not None:
        raise _AlreadyTracked(outcome)
    if _asks(project, sent, outcome.version):
        update_memberships(project, [customer.pk], version=outcome.version, channel=channel, now=sent.now)
    return outcome


def _customer(project: Project, sent: SentEvent, *, channel: str) -> Customer:
    return upsert_in_transaction(
        project,
        data=sent.customer,
        tracking_id=sent.tracking_id,
        channel=channel,
        as_of=sent.happened_at,
        now=sent.now,
    )


def _asks(project: Project, sent: SentEvent, version: int) -> bool:
    """Return whether an auto-update segment asks for events of this name."""
    return sent.type in segments_at(project, version).tracked


def _as_tracked_before(project: Project, sent: SentEvent, earlier: Mapping[str, Any]) -> TrackedEvent:
    """Return the event that has the sender's id, if it is this one.

    Raises:
        DuplicateEvent: it is another one, or another customer's.
    """
    customer = Customer.objects.filter(project=project, pk=earlier["customer_id"]).first()
    try:
        named = find_customer(project, sent.customer, tracking_id=sent.tracking_id)
    except NotFound:
        named = None
    if earlier["type"] != sent.type or customer is None or named != customer:
        raise DuplicateEvent(f"Event with source_id: '{sent.source_id}' already exists")
    return TrackedEvent(earlier["type"], earlier["metadata"], simple_customer(customer))


def _record(
    project: Project,
    sent: SentEvent,
    customer_id: uuid.UUID | None,
    source_id: str | None,
    said: Mapping[str, Any] | None,
    *,
    version: int,
    channel: str,
) -> _Outcome:
    """Write the event and tell of it, unless the customer, or what is said of them, is new.

    The database does it in a function (migration 0005), under the definitions of that version.

    Raises:
        MetadataRefused: an attribute of the event is missing or wrong; the details name it.
    """
    check_event(project, sent.type, sent.metadata, version=version)
    key = id_of(sent.happened_at) if sent.is_late else new_id()
    entity = public_id(CustomEvent.prefix, key)
    event = {
        "id": entity,
        "object": "event",
        "type": sent.type,
        "metadata": sent.metadata,
        "referral": sent.referral,
        "loyalty": sent.loyalty,
        "created_at": wire_datetime(sent.happened_at),
    }
    told = {
        "event": event,
        "event_schema": {"name": sent.type},
        "referral": None,
        "loyalty": None,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            TRACK,
            [
                *(project.pk, definitions_lock(project), version, customer_id, source_id, _json(said)),
                *(key, sent.type, sent.source_id, _json(sent.metadata)),
                *(_json(sent.referral), _json(sent.loyalty), sent.happened_at),
                *(id_of(sent.happened_at) if sent.is_late else new_id(), entity, _json(told), channel),
            ],
        )
        name, found, person_id, person, earlier = cursor.fetchone()
    return _Outcome(
        name,
        found,
        person_id,
        json.loads(person) if person else None,
        json.loads(earlier) if earlier else None,
    )


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value).decode()


TRACK = """
    SELECT outcome, version, person_id, person::text, earlier::text FROM track_event(
        %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s::jsonb, %s::jsonb, %s::jsonb, %s, %s, %s, %s::jsonb, %s
    )
"""
