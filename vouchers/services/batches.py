"""Batches of codes: opened by whoever makes or imports codes, locked until a time, one code a person."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime

from campaigns.models import Campaign
from campaigns.selectors import campaign_by_ref
from promoengine.core.errors import InvalidPayload
from promoengine.core.events import record_event
from promoengine.core.ids import new_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from vouchers.batches import batch_by_id
from vouchers.models import CodeBatch
from vouchers.wire import batch_to_wire

FIELDS = ("name", "locked_until", "one_per_person")


@dataclass(frozen=True, slots=True)
class BatchTerms:
    """What is said of a batch before its codes are made."""

    name: str = ""
    locked_until: datetime | None = None
    one_per_person: bool = False

    def to_params(self) -> dict[str, Any]:
        """Return what `terms_of` reads, as JSON has it; nothing where nothing is said."""
        locked_until = self.locked_until.isoformat() if self.locked_until else None
        said = {"name": self.name, "locked_until": locked_until, "one_per_person": self.one_per_person}
        return {name: value for name, value in said.items() if value}


def check_batch(params: Mapping[str, Any], *, campaign: Campaign | None, now: datetime) -> None:
    """Refuse what is said of the batch of an import before it begins.

    Raises:
        InvalidPayload: no campaign is there to have it, or it would be locked until a moment that is past.
    """
    if params and campaign is None:
        raise InvalidPayload("Property .batch is for codes that are imported into a campaign")
    locked_until = parse_datetime(params.get("locked_until") or "")
    if locked_until is not None and locked_until <= now:
        raise InvalidPayload("Property .batch.locked_until should be in the future")


def terms_of(params: Mapping[str, Any], *, name: str, now: datetime) -> BatchTerms:
    """Read terms from the params of a job; `name` is for a batch without one, and a past lock is none."""
    locked_until = parse_datetime(params.get("locked_until") or "")
    if locked_until is not None and locked_until <= now:
        locked_until = None
    return BatchTerms(params.get("name") or name, locked_until, bool(params.get("one_per_person")))


NO_TERMS = BatchTerms()


@dataclass(frozen=True, slots=True)
class NewCodes:
    """How many codes are to be made, and the batch that they become."""

    count: int
    batch: BatchTerms = NO_TERMS


@transaction.atomic
def open_batch(
    project: Project,
    campaign: Campaign,
    terms: BatchTerms = NO_TERMS,
    *,
    key: uuid.UUID | None = None,
    channel: str = "API",
    now: datetime,
) -> CodeBatch:
    """Make a batch without codes, locked from the first where its terms say so, and return it.

    `key` is what codes refer to it by that the caller's transaction has made already.

    Raises:
        InvalidPayload: it would be locked until a moment that is past.
    """
    _check_lock(terms.locked_until, now)
    if terms.locked_until:
        definitions_changed(project)
    batch = CodeBatch.objects.create(
        id=key or new_id(),
        project=project,
        campaign=campaign,
        name=terms.name,
        locked_until=terms.locked_until,
        one_per_person=terms.one_per_person,
        created_at=now,
    )
    _record("campaign.batch.created", batch, channel=channel, now=now)
    return batch


def add_to_batch(batch_id: uuid.UUID | str | None, count: int) -> None:
    """Count codes into a batch, in the transaction that makes them."""
    if batch_id and count:
        CodeBatch.objects.filter(pk=batch_id).update(count=F("count") + count)


@transaction.atomic
def change_batch(
    project: Project, ref: str, batch_id: str, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> CodeBatch:
    """Change what `data` has of a batch: `name`, `locked_until` (None releases it), `one_per_person`.

    A lock holds for whoever asks after this has returned: it waits for takers and checkouts under way.

    Raises:
        NotFound: the project has no such campaign, or that no such batch.
        InvalidPayload: it would be locked until a moment that is past.
    """
    if "locked_until" in data:
        definitions_changed(project)
    campaign = campaign_by_ref(project, ref)
    found = batch_by_id(project, campaign, batch_id)
    batch = CodeBatch.objects.select_for_update(of=("self",)).get(pk=found.pk)
    batch.campaign = campaign
    columns = {name: data[name] for name in FIELDS if name in data and data[name] != getattr(batch, name)}
    if not columns:
        return batch
    _check_lock(columns.get("locked_until"), now)
    for name, value in columns.items():
        setattr(batch, name, value)
    batch.updated_at = now
    batch.save(update_fields=[*columns, "updated_at"])
    _record("campaign.batch.updated", batch, channel=channel, now=now)
    return batch


def _check_lock(locked_until: datetime | None, now: datetime) -> None:
    if locked_until is not None and locked_until <= now:
        raise InvalidPayload(
            "Property .locked_until should be in the future, or null, which releases the codes"
        )


def _record(event: str, batch: CodeBatch, *, channel: str, now: datetime) -> None:
    record_event(
        batch.project,
        event,
        {"batch": batch_to_wire(batch)},
        entity_id=batch.public_id,
        campaign_id=batch.campaign_id,
        channel=channel,
        now=now,
    )
