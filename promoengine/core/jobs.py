"""RQ entry points of the core."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from promoengine.core.models import IdempotentAnswer, OAuthToken, OutboxEvent, UploadedFile
from promoengine.core.partitions import create_partitions
from promoengine.core.services import async_actions, retention
from promoengine.core.services.projects import purge_deleted_projects
from promoengine.core.services.seen_attributes import scan_outbox

ANSWERS_KEPT = timedelta(days=7)
# An import deletes its file; what is left is of imports that failed.
UPLOADS_KEPT = timedelta(days=7)


def run_async_action(*, action_id: str, **_: Any) -> None:
    """Do or go on with an async action."""
    async_actions.run_async_action(uuid.UUID(action_id))


def resume_async_actions(**_: Any) -> None:
    """Queue async actions again whose worker died."""
    async_actions.resume_async_actions(now=datetime.now(UTC))


def note_attributes(**_: Any) -> None:
    """Write down which attributes came in of late."""
    scan_outbox(now=datetime.now(UTC))


def forget(**_: Any) -> None:
    """Delete or blank what projects no longer want to keep."""
    retention.forget_all(now=datetime.now(UTC))


def sweep(**_: Any) -> None:
    """Delete what has had its day, and make next months' partitions."""
    now = datetime.now(UTC)
    OAuthToken.objects.filter(expires_at__lte=now).delete()
    IdempotentAnswer.objects.filter(created_at__lt=now - ANSWERS_KEPT).delete()
    UploadedFile.objects.filter(created_at__lt=now - UPLOADS_KEPT).delete()
    create_partitions(OutboxEvent._meta.db_table, now)
    purge_deleted_projects()
