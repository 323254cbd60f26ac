"""Entering a checkout: the locks that its transaction shares with others like it, in one round trip."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from customers.models import Customer
from promoengine.core.inserts import Call, array_text
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_lock
from redemptions.counting import making_lock
from redemptions.services.claim import CLAIM_LOST, NOTHING, ClaimLost, Wanted
from vouchers.services.usage import usage_lock


def enter(
    project: Project,
    *,
    version: int,
    customer: Customer | None = None,
    counted_by: Collection[uuid.UUID] = (),
    wanted: Wanted = NOTHING,
    now: datetime,
) -> bool:
    """Hold off changes of definitions until the caller's transaction ends, and claim what is wanted.

    Held off, too, are the making of counters of `counted_by`, campaigns, codes, promotions and customers, new
    limits on codes that have none, and all other uses of those that have one. The database takes the locks in
    this order and looks afterwards, in a function (migration 0004), because a single statement would look
    with eyes from before the waiting. Returns whether there are counters of `counted_by`.

    Raises:
        ClaimLost: definitions are no longer those of `version`, what is wanted is no longer there, or the
            customer has been merged into another meanwhile.
    """
    with connection.cursor() as cursor:
        who = customer.pk if customer else None
        cursor.execute(ENTER, [who, *_parameters(project, version, counted_by, wanted, now)])
        found, has_counters, noted, used, is_merged = cursor.fetchone()
    if found != version or is_merged:
        raise ClaimLost(CLAIM_LOST)
    wanted.settle(noted, used)
    return bool(has_counters)


def entering(
    project: Project,
    *,
    version: int,
    counted_by: Collection[uuid.UUID],
    wanted: Wanted,
    customer: Customer | None,
    now: datetime,
) -> Call:
    """Return what enters and claims as `enter` does, as a part of the statement that writes redemptions.

    It takes for granted that nobody else is using the same vouchers, and counts them up. The database
    (migration 0014) refuses, with an error that Django knows as an IntegrityError, what `enter` would, and
    besides where that was wrong, where there are counters of `counted_by`, and where the customer is gone
    or merged.
    """
    shared = _parameters(project, version, counted_by, wanted, now)
    return Call(CLAIM_EXACTLY, [*shared, wanted.expect(), customer.pk if customer else None])


def _parameters(
    project: Project, version: int, counted_by: Collection[uuid.UUID], wanted: Wanted, now: datetime
) -> list[Any]:
    locks = [
        definitions_lock(project),
        *sorted({making_lock(key) for key in counted_by}),
        *sorted({usage_lock(voucher.pk) for voucher in wanted.unlimited}),
    ]
    return [project.pk, version, array_text(locks), array_text(counted_by), *wanted.parameters(now)]


ENTER = """
    SELECT version, has_counters, noted, used, is_merged_customer(%s) FROM enter_checkout(
        %s, %s, %s::text::bigint[], %s::text::uuid[],
        %s::text::uuid[], %s::text::uuid[], %s::text::int[], %s::text::bigint[], %s
    )
"""
CLAIM_EXACTLY = """
    claim_exactly(
        %s, %s, %s::text::bigint[], %s::text::uuid[],
        %s::text::uuid[], %s::text::uuid[], %s::text::int[], %s::text::bigint[], %s, %s::text::jsonb, %s
    )
"""
