"""Answering a retried request once: the first answer is kept and given again, byte for byte."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from promoengine.core.errors import IdempotencyKeyReused, InvalidPayload
from promoengine.core.ids import new_id
from promoengine.core.models import IdempotentAnswer, Project

KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the exact bytes of its body."""

    status: int
    body: bytes


def answer_once(
    project: Project, *, key: str, fingerprint: str, now: datetime, produce: Callable[[], Answer]
) -> Answer:
    """Return what `produce` answers, or what it answered when the key first came.

    The key is claimed, the work done and the answer kept in one transaction: a second request with the key
    waits on the unique index until the first one has committed, and after a crash neither has happened.

    Raises:
        InvalidPayload: the key is too long or not printable ASCII.
        IdempotencyKeyReused: the key came with another request before.
    """
    if not KEY.fullmatch(key):
        raise InvalidPayload("Header Idempotency-Key should have 1 to 255 printable ASCII characters")
    with transaction.atomic():
        if _claim(project, key, fingerprint, now):
            answer = produce()
            IdempotentAnswer.objects.filter(project=project, key=key).update(
                status=answer.status, body=answer.body
            )
            return answer
    kept = IdempotentAnswer.objects.get(project=project, key=key)
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReused(f"Key {key!r} came with another request before")
    return Answer(kept.status, bytes(kept.body))


def _claim(project: Project, key: str, fingerprint: str, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {IdempotentAnswer._meta.db_table}"
            " (id, project_id, key, fingerprint, status, body, created_at)"
            " VALUES (%s, %s, %s, %s, 0, ''::bytea, %s) ON CONFLICT (project_id, key) DO NOTHING",
            [new_id(), project.pk, key, fingerprint, now],
        )
        return bool(cursor.rowcount == 1)
