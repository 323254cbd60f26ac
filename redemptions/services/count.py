"""Counting up what limits of validation rules allow: the last thing a redemption does before it commits.

A counter that is there is kept by every redemption and rollback of its campaign, code or promotion, whether
or not a rule asks for it now. The rows are locked in the order of their keys, so that two carts never
deadlock, and counted up by an update that carries the bounds the decision rests on. A counter that is not
there is made from the ledger by whoever needs it first, alone with what it counts: see `making_lock`.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection

from customers.identities import key_id
from promoengine.core.models import Project
from promoengine.engine.limits import CounterClaim
from promoengine.engine.operators import Moment
from redemptions.counting import (
    CONTRIBUTION,
    LEDGER,
    CounterRow,
    Subjects,
    counter_row,
    ledger_parameters,
    making_lock,
    window_bounds,
)
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


def used_keys(use: Redemption) -> list[uuid.UUID]:
    """Return the keys of what a redemption is counted by: its campaign, code or promotion, and customer.

    The customer is counted by their identity keys, too.
    """
    keys = (use.campaign_id, use.voucher_id, use.promotion_tier_id, use.customer_id)
    return [*(key for key in keys if key), *(key_id(key) for key in use.identity_keys or ())]


def share_counters(keys: Collection[uuid.UUID]) -> None:
    """Keep what these keys count from being made until the caller's transaction ends."""
    open_counters(None, [], sharing=keys)


def open_counters(
    project: Project | None, rows: Sequence[CounterRow], *, sharing: Collection[uuid.UUID] = ()
) -> None:
    """Make those counters that are not there, and keep others off their making until the transaction ends.

    `sharing` are the keys of what the caller is about to use. It comes before the caller writes redemptions
    and locks rows, so that who makes a counter finds in the ledger all that is used.
    """
    missing = _missing(rows) if rows else []
    alone = {row.lock for row in missing}
    _lock_making({making_lock(key) for key in sharing}, alone)
    if missing and project:
        with connection.cursor() as cursor:
            cursor.execute(MAKE_COUNTERS, _making_parameters(project, missing))


def count_up(
    project: Project,
    claims: Sequence[RowClaim],
    *,
    session_key: str,
    redemption_ids: Collection[uuid.UUID],
    moment: Moment,
) -> None:
    """Add redemptions just written to all counters there are of them, in the caller's transaction.

    Raises:
        ClaimLost: a counter is no longer within the bounds that were decided by.
    """
    counted = _lock_counted(redemption_ids, moment)
    if not counted and not claims:
        return
    parameters = _counted_parameters(redemption_ids, moment)
    parameters |= {"project": project.pk, "session": session_key, "now": moment.now}
    for place, one in enumerate(claims):
        parameters |= {
            f"claimed_{place}": one.row.id,
            f"low_{place}": one.claim.low,
            f"high_{place}": one.claim.high,
        }
    with connection.cursor() as cursor:
        cursor.execute(_count_up(len(redemption_ids), len(claims)), parameters)
        kept = {row[0] for row in cursor.fetchall()}
    if any(one.row.id not in kept for one in claims):
        raise ClaimLost(CLAIM_LOST)


def count_down(redemption_ids: Collection[uuid.UUID], *, moment: Moment) -> None:
    """Take redemptions off all counters there are of them, in the caller's transaction.

    `moment` is that of the redemptions. The caller has shared the making of their counters.
    """
    if _lock_counted(redemption_ids, moment):
        with connection.cursor() as cursor:
            cursor.execute(
                COUNT_DOWN.format(counted=_counted(len(redemption_ids))),
                _counted_parameters(redemption_ids, moment),
            )


def take_making_lock(row: CounterRow) -> None:
    """Keep everybody from counting what a row counts until the caller's transaction ends."""
    _lock_making((), {row.lock})


def take_making_locks(keys: Collection[uuid.UUID]) -> None:
    """Keep everybody from counting by these customers until the caller's transaction ends."""
    _lock_making((), {making_lock(key) for key in keys})


def lock_counters(ids: Collection[uuid.UUID]) -> None:
    """Hold counters' rows until the caller's transaction ends, always in the same order."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_COUNTERS, [list(ids)])


def _missing(rows: Sequence[CounterRow]) -> list[CounterRow]:
    there = set(UsageCounter.objects.filter(pk__in=[row.id for row in rows]).values_list("pk", flat=True))
    return [row for row in rows if row.id not in there]


def _lock_making(sharing: Collection[int], alone: Collection[int]) -> None:
    """Take the locks one after the other in the order of their numbers, whichever the mode."""
    if not sharing and not alone:
        return
    with connection.cursor() as cursor:
        if not alone:
            cursor.execute(SHARE_LOCKS, [sorted(sharing)])
            return
        for lock in sorted({*sharing, *alone}):
            cursor.execute(TAKE_LOCK if lock in alone else SHARE_LOCK, [lock])


def _lock_counted(redemption_ids: Collection[uuid.UUID], moment: Moment) -> bool:
    """Lock the rows of all counters there are of these redemptions, and return whether there are any."""
    with connection.cursor() as cursor:
        cursor.execute(
            LOCK_COUNTED.format(counted=_counted(len(redemption_ids))),
            _counted_parameters(redemption_ids, moment),
        )
        return bool(cursor.rowcount)


def _counted_parameters(redemption_ids: Collection[uuid.UUID], moment: Moment) -> dict[str, Any]:
    uses = {f"use_{place}": key for place, key in enumerate(redemption_ids)}
    return uses | {window: window_bounds(window, moment)[0] for window in WINDOWS}


@lru_cache(maxsize=64)
def _counted(uses: int) -> str:
    """Return the query of what that many redemptions count on which counters.

    All is written out by its number, so that the database plans once what is asked with every redemption of a
    limited campaign: what is asked by arrays it plans anew each time.
    """
    return COUNTED.format(
        uses=", ".join(f"%(use_{place})s::uuid" for place in range(uses)),
        windows=", ".join(f"('{window}', %({window})s::timestamptz)" for window in WINDOWS),
    )


@lru_cache(maxsize=256)
def _count_up(uses: int, claims: int) -> str:
    claimed = ", ".join(
        f"(%(claimed_{place})s::uuid, %(low_{place})s::bigint, %(high_{place})s::bigint)"
        for place in range(claims)
    )
    none = "SELECT NULL::uuid, NULL::bigint, NULL::bigint WHERE false"
    return COUNT_UP.format(counted=_counted(uses), claimed=f"VALUES {claimed}" if claims else none)


def _making_parameters(project: Project, rows: Sequence[CounterRow]) -> dict[str, Any]:
    return ledger_parameters(rows) | {
        "project": project.pk,
        "subjects": [row.subject for row in rows],
        "windows": [row.window for row in rows],
    }


SHARE_LOCKS = "SELECT pg_advisory_xact_lock_shared(lock) FROM unnest(%s::bigint[]) AS lock"
SHARE_LOCK = "SELECT pg_advisory_xact_lock_shared(%s)"
TAKE_LOCK = "SELECT pg_advisory_xact_lock(%s)"

LOCK_COUNTERS = f"""
    SELECT id FROM {UsageCounter._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""

MAKE_COUNTERS = f"""
    INSERT INTO {UsageCounter._meta.db_table}
        (id, project_id, object_id, measure, entry, subject, "window", starts_at, value)
    SELECT made.id, %(project)s, made.object_id, made.measure, made.entry, made.subject, made.window,
        made.starts_at, ledger.value
    FROM unnest(
        %(ids)s::uuid[], %(objects)s::uuid[], %(measures)s::text[], %(entries)s::text[], %(subjects)s::text[],
        %(windows)s::text[], %(starts)s::timestamptz[]
    ) AS made (id, object_id, measure, entry, subject, "window", starts_at)
    JOIN ({LEDGER}) AS ledger ON ledger.id = made.id
    ORDER BY made.id
    ON CONFLICT (id) DO NOTHING
"""

COUNTED = f"""
    SELECT counter.id, sum({CONTRIBUTION.format(of="counter")})::bigint AS amount
    FROM {Redemption._meta.db_table} AS use
    JOIN {UsageCounter._meta.db_table} AS counter
        ON counter.object_id = ANY(ARRAY[use.campaign_id, use.voucher_id, use.promotion_tier_id])
        AND counter.subject = ANY(ARRAY[
            '', 'customer:' || use.customer_id,
            CASE use.channel_type WHEN 'USER' THEN 'user:' ELSE 'api_key:' END || use.channel_id
        ] || use.identity_keys::text[])
        AND (counter.starts_at IS NULL OR (counter."window", counter.starts_at) IN ({{windows}}))
    WHERE use.id IN ({{uses}})
    GROUP BY counter.id
"""

LOCK_COUNTED = f"""
    SELECT id FROM {UsageCounter._meta.db_table} WHERE id IN (SELECT id FROM ({{counted}}) AS counted)
    ORDER BY id FOR NO KEY UPDATE
"""

COUNT_UP = f"""
    UPDATE {UsageCounter._meta.db_table} AS counter
    SET value = counter.value + counted.amount
    FROM ({{counted}}) AS counted
    LEFT JOIN ({{claimed}}) AS claimed (id, low, high) ON claimed.id = counted.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(hold.amount), 0) AS amount FROM {CounterHold._meta.db_table} AS hold
        WHERE hold.counter_id = claimed.id AND hold.expires_at > %(now)s
            AND NOT (hold.project_id = %(project)s AND hold.session_key = %(session)s)
    ) AS held
    WHERE counter.id = counted.id
        AND (claimed.low IS NULL OR counter.value + held.amount + counted.amount >= claimed.low)
        AND (claimed.high IS NULL OR counter.value + held.amount + counted.amount <= claimed.high)
    RETURNING counter.id
"""

COUNT_DOWN = f"""
    UPDATE {UsageCounter._meta.db_table} AS counter SET value = counter.value - counted.amount
    FROM ({{counted}}) AS counted WHERE counter.id = counted.id
"""
