"""Forgetting: what a project keeps for so many days only is deleted or blanked, batch by batch."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.module_loading import import_string

from promoengine.core.errors import Duplicate, InvalidPayload
from promoengine.core.models import Project, RetentionPeriod
from promoengine.core.partitions import partition_start
from promoengine.core.privacy import retained_models
from promoengine.core.services.privacy import erase_rows

log = logging.getLogger(__name__)

BATCH = 1000
DAYS_MAX = 36_500


def set_retention(project: Project, *, table: str, days: int, now: datetime) -> RetentionPeriod:
    """Say how many days the rows of a table are kept, and return the period.

    Raises:
        InvalidPayload: there is no such table, or it is less than a day or more than a century.
    """
    if table not in retained_models():
        raise InvalidPayload(f"Property .table should be one of {', '.join(sorted(retained_models()))}")
    if not 1 <= days <= DAYS_MAX:
        raise InvalidPayload(f"Property .days should be between 1 and {DAYS_MAX}")
    period, _ = RetentionPeriod.objects.update_or_create(
        project=project,
        table=table,
        defaults={"days": days},
        create_defaults={"days": days, "created_at": now},
    )
    return period


def add_retention(project: Project, *, table: str, days: int, now: datetime) -> RetentionPeriod:
    """Say it of a table of which nothing was said before.

    Raises:
        Duplicate: something was.
    """
    if RetentionPeriod.objects.filter(project=project, table=table).exists():
        raise Duplicate("It is already said how long this is kept: change that entry")
    return set_retention(project, table=table, days=days, now=now)


def forget_all(*, now: datetime) -> None:
    """Forget in all projects what is older than they say; one that fails does not keep the others."""
    for period in RetentionPeriod.objects.select_related("project").order_by("pk"):
        try:
            forget(period, now=now)
        except Exception:
            log.exception("forgetting failed", extra={"project": period.project_id, "table": period.table})


def forget(period: RetentionPeriod, *, now: datetime) -> int:
    """Delete, or blank what is personal of, the rows that are older than a period; return how many.

    By their keys, which go by time. Each batch commits, so a run that is killed is gone on with. Where rows
    stay, the next run begins behind the last one blanked.
    """
    found = retained_models().get(period.table)
    if found is None:
        return 0
    model, privacy = found
    before = now - timedelta(days=period.days)
    if privacy.forgotten_by:
        count: int = import_string(privacy.forgotten_by)(period.project, before=before, now=now)
        return count
    total, last = 0, None if privacy.is_deleted else period.done_until
    old = model._base_manager.filter(privacy.settled, project=period.project, pk__lt=partition_start(before))
    while True:
        rows = old.filter(pk__gt=last) if last else old
        with transaction.atomic():
            keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
            if not keys:
                return total
            erase_rows(model._base_manager.filter(pk__in=keys), privacy, privacy.passing)
            last = keys[-1]
            RetentionPeriod.objects.filter(pk=period.pk).update(done_until=last)
        total += len(keys)
