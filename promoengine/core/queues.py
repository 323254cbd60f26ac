"""The way into RQ: jobs are named by string and queued once the transaction has committed."""

import logging
from functools import partial
from typing import Any

import django_rq
from django.db import transaction
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def enqueue(job: str, *, queue: str = "default", **kwargs: Any) -> None:
    """Queue the function with the dotted name `job` after the running transaction commits.

    A queue that can't be reached is logged and not raised: what must not be lost lies in Postgres, and the
    sweep of unfinished work queues it again.
    """
    transaction.on_commit(partial(_send, job, queue, kwargs), robust=True)


def _send(job: str, queue: str, kwargs: dict[str, Any]) -> None:
    try:
        django_rq.get_queue(queue).enqueue(job, kwargs=kwargs)
    except RedisError:
        log.exception("queue unreachable, the sweep will queue this again", extra={"job": job})
