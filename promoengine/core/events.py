"""The outbox: what happened is written in the transaction that made it happen."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from promoengine.core.inserts import insert_rows
from promoengine.core.models import OutboxEvent, Project


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: its published event type, and the published JSON of it."""

    type: str
    data: dict[str, Any] = field(default_factory=dict)
    entity_id: str = ""
    customer_id: uuid.UUID | None = None
    campaign_id: uuid.UUID | None = None


def record_event(
    project: Project,
    type: str,
    data: dict[str, Any],
    *,
    now: datetime,
    entity_id: str = "",
    customer_id: uuid.UUID | None = None,
    campaign_id: uuid.UUID | None = None,
    channel: str = "API",
) -> OutboxEvent:
    """Write one event to the outbox, in the caller's transaction, and return it."""
    happening = Happening(type, data, entity_id, customer_id, campaign_id)
    return record_events(project, [happening], now=now, channel=channel)[0]


def record_events(
    project: Project, happenings: Iterable[Happening], *, now: datetime, channel: str = "API"
) -> list[OutboxEvent]:
    """Write several events in one statement, in the caller's transaction, and return them."""
    events = new_events(project, happenings, now=now, channel=channel)
    insert_rows(events)
    return events


def new_events(
    project: Project, happenings: Iterable[Happening], *, now: datetime, channel: str = "API"
) -> list[OutboxEvent]:
    """Return events for the outbox, which the caller writes in its own transaction."""
    return [
        OutboxEvent(
            project_id=project.pk,
            type=happening.type,
            data=happening.data,
            entity_id=happening.entity_id,
            customer_id=happening.customer_id,
            campaign_id=happening.campaign_id,
            channel=channel,
            created_at=now,
        )
        for happening in happenings
    ]
