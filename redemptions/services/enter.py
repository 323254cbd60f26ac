"""Entering a checkout: the locks that its transaction shares with others like it, in one round trip."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_lock
from redemptions.counting import making_lock
from vouchers.services.usage import usage_lock


@dataclass(frozen=True, slots=True)
class Entered:
    """What was found once all locks were held: the definitions' version, and whether there are counters."""

    version: int
    has_counters: bool


def enter(
    project: Project,
    *,
    counted_by: Collection[uuid.UUID] = (),
    unlimited: Collection[uuid.UUID] = (),
    limited: Collection[uuid.UUID] = (),
) -> Entered:
    """Hold off changes of definitions until the caller's transaction ends, and say what holds.

    Held off, too, are the making of counters of `counted_by`, campaigns, codes, promotions and customers, new
    limits on the `unlimited` codes, and all other uses of the `limited` ones. The database takes the locks in
    this order and looks afterwards, in a function, because a single statement would look with eyes from
    before the waiting.
    """
    locks = [
        definitions_lock(project),
        *sorted({making_lock(key) for key in counted_by}),
        *sorted({usage_lock(key) for key in unlimited}),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version, has_counters FROM enter_checkout(%s, %s::bigint[], %s::uuid[], %s::uuid[])",
            [project.pk, locks, list(counted_by), list(limited)],
        )
        return Entered(*cursor.fetchone())
