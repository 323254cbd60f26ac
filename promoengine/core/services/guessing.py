"""Telling of codes being guessed: once an hour at most, however many are tried."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from promoengine.core.events import record_event
from promoengine.core.models import Project

QUIET = timedelta(hours=1)


@transaction.atomic
def report_guessing(project: Project, *, tried: int, now: datetime) -> bool:
    """Note that many codes were tried that do not exist, `tried` of late, and tell of it.

    Returns whether it was: not within an hour of the last time.
    """
    is_due = Q(guessed_at=None) | Q(guessed_at__lte=now - QUIET)
    noted = Project.objects.filter(is_due, pk=project.pk).update(guessed_at=now, guesses=tried)
    if noted:
        record_event(project, "project.codes_guessed", {"tried": tried}, entity_id=project.public_id, now=now)
    return bool(noted)
