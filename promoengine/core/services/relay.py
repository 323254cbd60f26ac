"""The relay: hands what happened to the jobs that react to it, at least once and in batches."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import django_rq
from django.db import connection, transaction
from rq import Queue

from promoengine.core.models import OutboxEvent

BATCH = 500


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A job that reacts to events, by its dotted name; it may care for nothing but customers."""

    job: str
    needs_customer: bool = False


Subscribers = Mapping[str, Sequence[Subscriber]]


def relay_batch(subscribers: Subscribers, *, now: datetime) -> int:
    """Queue the jobs for the next waiting events and return how many events that were.

    `subscribers` names for each event type the jobs that react to it; each job gets the ids of all its
    events of the batch. The jobs are queued before the events count as relayed: after a crash in between
    they come twice, and never not at all.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(TAKE_WAITING, [BATCH, now])
            events = sorted(cursor.fetchall())
        ids_by_job: dict[str, list[str]] = defaultdict(list)
        for event_id, event_type, has_customer in events:
            for subscriber in subscribers.get(event_type, ()):
                if has_customer or not subscriber.needs_customer:
                    ids_by_job[subscriber.job].append(str(event_id))
        if ids_by_job:
            django_rq.get_queue("default").enqueue_many(
                [Queue.prepare_data(job, kwargs={"event_ids": ids}) for job, ids in ids_by_job.items()]
            )
    return len(events)


TAKE_WAITING = f"""
    WITH waiting AS MATERIALIZED (
        SELECT id FROM {OutboxEvent._meta.db_table} WHERE relayed_at IS NULL
        ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE {OutboxEvent._meta.db_table} AS event SET relayed_at = %s
    FROM waiting WHERE event.id = waiting.id
    RETURNING event.id, event.type, event.customer_id IS NOT NULL
"""
