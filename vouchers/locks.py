"""Locks of batches, kept in this process by the version of the definitions: a checkout asks for none."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from promoengine.core.models import Project
from vouchers.models import CodeBatch

PROJECTS_KEPT = 1000

Locks = Mapping[uuid.UUID, datetime]

_known: dict[uuid.UUID, tuple[int, Locks]] = {}


def locks_at(project: Project, version: int) -> Locks:
    """Return until when the project's batches are locked, or were; one query where that is not kept yet."""
    known = _known.get(project.pk)
    if known is not None and known[0] == version:
        return known[1]
    if len(_known) >= PROJECTS_KEPT:
        _known.clear()
    rows = CodeBatch.objects.filter(project=project, locked_until__isnull=False)
    locks = dict(rows.values_list("pk", "locked_until"))
    _known[project.pk] = version, locks
    return locks
