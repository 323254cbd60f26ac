"""The relay: hands what happened to the jobs that react to it, at least once and in batches."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import django_rq
from django.db import transaction
from rq import Queue

from promoengine.core.models import OutboxEvent

BATCH = 500

Subscribers = Mapping[str, Sequence[str]]


def relay_batch(subscribers: Subscribers, *, now: datetime) -> int:
    """Queue the jobs for the next waiting events and return how many events that were.

    `subscribers` names for each event type the jobs that react to it; each job gets the ids of all its
    events of the batch. The jobs are queued before the events are marked: after a crash in between they
    come twice, and never not at all.
    """
    with transaction.atomic():
        waiting = OutboxEvent.objects.filter(relayed_at=None).order_by("id")
        events = list(waiting.select_for_update(skip_locked=True).values_list("id", "type")[:BATCH])
        ids_by_job: dict[str, list[str]] = defaultdict(list)
        for event_id, event_type in events:
            for job in subscribers.get(event_type, ()):
                ids_by_job[job].append(str(event_id))
        if ids_by_job:
            django_rq.get_queue("default").enqueue_many(
                [Queue.prepare_data(job, kwargs={"event_ids": ids}) for job, ids in ids_by_job.items()]
            )
        OutboxEvent.objects.filter(pk__in=[event_id for event_id, _ in events]).update(relayed_at=now)
    return len(events)
