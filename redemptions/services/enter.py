"""Entering a checkout: the locks that its transaction shares with others like it, in one round trip."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import connection

from customers.models import Customer
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
    locks = [
        definitions_lock(project),
        *sorted({making_lock(key) for key in counted_by}),
        *sorted({usage_lock(voucher.pk) for voucher in wanted.unlimited}),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            ENTER,
            [
                customer.pk if customer else None,
                project.pk,
                version,
                locks,
                list(counted_by),
                *wanted.parameters(now),
            ],
        )
        found, has_counters, noted, used, is_merged = cursor.fetchone()
    if found != version or is_merged:
        raise ClaimLost(CLAIM_LOST)
    wanted.settle(noted, used)
    return bool(has_counters)


ENTER = """
    SELECT version, has_counters, noted, used, is_merged_customer(%s) FROM enter_checkout(
        %s, %s, %s::bigint[], %s::uuid[], %s::uuid[], %s::uuid[], %s::int[], %s::bigint[], %s
    )
"""
