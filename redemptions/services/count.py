"""Counting up what limits of validation rules allow: the last thing a redemption does before it commits.

The rows of counters are locked in the order of their keys, so that two carts never deadlock, and counted up
by an update that carries the bounds the decision rests on. A counter that nobody has counted yet is made from
the ledger: whoever makes it shares a lock of its campaign, code or promotion with others who do, and a
rollback, which must count down what they make, takes that lock alone.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from promoengine.core.models import Project
from promoengine.engine.limits import CounterClaim
from promoengine.engine.operators import Moment
from redemptions.counting import LEDGER, CounterRow, Subjects, counter_row, ledger_parameters, window_days
from redemptions.models import CounterHold, Redemption, UsageCounter
from redemptions.services.claim import CLAIM_LOST, ClaimLost

WINDOWS = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class RowClaim:
    """A claim on a counter with the row that stands for it."""

    row: CounterRow
    claim: CounterClaim


def row_claims(claims: Sequence[CounterClaim], subjects: Subjects, moment: Moment) -> list[RowClaim]:
    """Return claims with the rows that stand for their counters, in the order they are locked in."""
    found = ((counter_row(claim.counter, subjects, moment), claim) for claim in claims)
    rows = [RowClaim(row, claim) for row, claim in found if row is not None]
    return sorted(rows, key=lambda one: one.row.id)


def count_up(
    project: Project,
    claims: Sequence[RowClaim],
    *,
    session_key: str,
    redemption_ids: Collection[uuid.UUID],
    now: datetime,
) -> None:
    """Add what a redemption uses to the counters of its rules, in the caller's transaction.

    `redemption_ids` are the redemptions just written, which the ledger already has.

    Raises:
        ClaimLost: a counter is no longer within the bounds that were decided by.
    """
    if not claims:
        return
    lock_counters(project, [one.row for one in claims], without=redemption_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_UP,
            {
                "ids": [one.row.id for one in claims],
                "amounts": [one.claim.amount for one in claims],
                "lows": [one.claim.low for one in claims],
                "highs": [one.claim.high for one in claims],
                "project": project.pk,
                "session": session_key,
                "now": now,
            },
        )
        if cursor.rowcount != len(claims):
            raise ClaimLost(CLAIM_LOST)


def lock_counters(
    project: Project, rows: Sequence[CounterRow], *, without: Collection[uuid.UUID] = ()
) -> None:
    """Hold counters' rows until the caller's transaction ends, making those that are not there."""
    ids = [row.id for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(LOCK_COUNTERS, [ids])
        if cursor.rowcount == len(ids):
            return
        cursor.execute(SHARE_OBJECTS, [sorted({object_lock(row.object_id) for row in rows})])
        cursor.execute(
            MAKE_COUNTERS,
            ledger_parameters(rows, without)
            | {
                "project": project.pk,
                "subjects": [row.subject for row in rows],
                "windows": [row.window for row in rows],
                "days": [row.starts_on for row in rows],
            },
        )
        cursor.execute(LOCK_COUNTERS, [ids])


def count_down(uses: Sequence[Redemption], moments: Sequence[Moment]) -> None:
    """Take redemptions off all counters that count them, in the caller's transaction.

    `moments` are those of the redemptions: what was used on a day is given back to that day.
    """
    object_ids = sorted({key for use in uses for key in _objects(use)})
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OBJECTS, [sorted({object_lock(key) for key in object_ids})])
        for use, moment in zip(uses, moments, strict=True):
            cursor.execute(COUNT_DOWN, _count_down_parameters(use, moment))


def object_lock(object_id: uuid.UUID) -> int:
    """Return the number of the advisory lock that guards the making of an object's counters."""
    return (object_id.int & 0x7FFF_FFFF_FFFF_FFFF) ^ 0x434F_554E


def _objects(use: Redemption) -> list[uuid.UUID]:
    return [key for key in (use.campaign_id, use.voucher_id, use.promotion_tier_id) if key]


def _count_down_parameters(use: Redemption, moment: Moment) -> dict[str, Any]:
    starts = {window: window_days(window, moment)[0] for window in WINDOWS}
    subjects = Subjects(use.customer_id, use.channel_id or None, use.channel_id or None)
    return {
        "objects": _objects(use),
        "subjects": ["", *filter(None, (subjects.text(kind) for kind in ("customer", "api_key", "user")))],
        "windows": list(starts),
        "days": list(starts.values()),
        "orders_amount": use.order_amount,
        "discount_amount": use.discount_amount,
        "gift_amount": use.amount or 0,
        "redemption": use.pk,
    }


LOCK_COUNTERS = f"""
    SELECT id FROM {UsageCounter._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""

SHARE_OBJECTS = "SELECT pg_advisory_xact_lock_shared(lock) FROM unnest(%s::bigint[]) AS lock"
TAKE_OBJECTS = "SELECT pg_advisory_xact_lock(lock) FROM unnest(%s::bigint[]) AS lock"

MAKE_COUNTERS = f"""
    INSERT INTO {UsageCounter._meta.db_table}
        (id, project_id, object_id, measure, entry, subject, "window", starts_on, value)
    SELECT made.id, %(project)s, made.object_id, made.measure, made.entry, made.subject, made.window,
        made.starts_on, ledger.value
    FROM unnest(
        %(ids)s::uuid[], %(objects)s::uuid[], %(measures)s::text[], %(entries)s::text[], %(subjects)s::text[],
        %(windows)s::text[], %(days)s::date[]
    ) AS made (id, object_id, measure, entry, subject, "window", starts_on)
    JOIN ({LEDGER}) AS ledger ON ledger.id = made.id
    WHERE NOT EXISTS (SELECT 1 FROM {UsageCounter._meta.db_table} AS known WHERE known.id = made.id)
    ORDER BY made.id
    ON CONFLICT (id) DO NOTHING
"""

COUNT_UP = f"""
    UPDATE {UsageCounter._meta.db_table} AS counter
    SET value = counter.value + wanted.amount
    FROM unnest(%(ids)s::uuid[], %(amounts)s::bigint[], %(lows)s::bigint[], %(highs)s::bigint[])
        AS wanted (id, amount, low, high)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(hold.amount), 0) AS amount FROM {CounterHold._meta.db_table} AS hold
        WHERE hold.counter_id = wanted.id AND hold.expires_at > %(now)s
            AND NOT (hold.project_id = %(project)s AND hold.session_key = %(session)s)
    ) AS held
    WHERE counter.id = wanted.id
        AND (wanted.low IS NULL OR counter.value + held.amount + wanted.amount >= wanted.low)
        AND (wanted.high IS NULL OR counter.value + held.amount + wanted.amount <= wanted.high)
"""

COUNT_DOWN = f"""
    WITH counted AS (
        SELECT counter.id, CASE counter.measure
            WHEN 'count' THEN 1
            WHEN 'orders_amount' THEN %(orders_amount)s::bigint
            WHEN 'discount_amount' THEN %(discount_amount)s::bigint
            WHEN 'gift_amount' THEN %(gift_amount)s::bigint
            ELSE coalesce((use.units ->> counter.entry)::bigint, 0)
        END AS amount
        FROM {UsageCounter._meta.db_table} AS counter
        JOIN {Redemption._meta.db_table} AS use ON use.id = %(redemption)s
        WHERE counter.object_id = ANY(%(objects)s::uuid[]) AND counter.subject = ANY(%(subjects)s::text[])
            AND (counter.starts_on IS NULL OR (counter."window", counter.starts_on) IN (
                SELECT * FROM unnest(%(windows)s::text[], %(days)s::date[])
            ))
        ORDER BY counter.id FOR NO KEY UPDATE OF counter
    )
    UPDATE {UsageCounter._meta.db_table} AS counter SET value = counter.value - counted.amount
    FROM counted WHERE counter.id = counted.id
"""
