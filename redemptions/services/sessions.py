"""Validation sessions: a lock that keeps uses and credits for one cart until it is redeemed or expires."""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from promoengine.core.errors import NotFound
from promoengine.core.models import Project
from promoengine.core.services.definitions import share_definitions
from promoengine.engine.decide import Claim
from redemptions.models import CounterHold, Reservation, UsageCounter
from redemptions.requests import AskedSession
from redemptions.services.claim import CLAIM_LOST, ClaimLost, lock_vouchers
from redemptions.services.count import RowClaim, lock_counters, open_counters
from vouchers.models import Voucher
from vouchers.selectors import voucher_by_ref


def new_session_key() -> str:
    """Return a key for a session whose caller brought none."""
    return f"ssn_{secrets.token_urlsafe(24)}"


@transaction.atomic
def reserve(
    project: Project,
    *,
    key: str,
    session: AskedSession,
    claims: Sequence[tuple[Voucher, Claim]],
    counted: Sequence[tuple[uuid.UUID, RowClaim]],
    bounds: Sequence[RowClaim],
    version: int,
    now: datetime,
) -> None:
    """Hold what a validation found for the session `key`, in place of all it held before.

    `counted` is what each redeemable would add to counters, `bounds` what all together rest on.

    Raises:
        ClaimLost: another cart was quicker; nothing is held and what was held before stays.
    """
    if share_definitions(project) != version:
        raise ClaimLost(CLAIM_LOST)
    lock_session(project, key)
    open_counters(project, [one.row for one in bounds])
    Reservation.objects.filter(project=project, session_key=key).delete()
    CounterHold.objects.filter(project=project, session_key=key).delete()
    lock_vouchers([voucher.pk for voucher, _ in claims])
    rows = [
        Reservation(
            project=project,
            session_key=key,
            voucher=voucher,
            quantity=claim.quantity,
            amount=claim.credits,
            expires_at=now + session.ttl,
            created_at=now,
        )
        for voucher, claim in claims
    ]
    Reservation.objects.bulk_create(rows)
    if _overdrawn([voucher.pk for voucher, _ in claims], now):
        raise ClaimLost(CLAIM_LOST)
    if bounds:
        _hold_counters(project, key, counted, bounds, expires_at=now + session.ttl, now=now)


def lock_session(project: Project, key: str) -> None:
    """Keep other requests off a session until the caller's transaction ends."""
    name = f"{project.pk}|{key}".encode()
    lock = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def release_redeemables(project: Project, *, key: str, redeemable_ids: Sequence[uuid.UUID]) -> None:
    """Free what a session holds of these redeemables, in the caller's transaction."""
    mine = {"project": project, "session_key": key}
    Reservation.objects.filter(**mine, voucher_id__in=redeemable_ids).delete()
    CounterHold.objects.filter(**mine, redeemable_id__in=redeemable_ids).delete()


@transaction.atomic
def release(project: Project, *, code: str, key: str) -> None:
    """Give back what a session holds of a voucher.

    Raises:
        NotFound: no such voucher, or the session holds nothing of it.
    """
    voucher = voucher_by_ref(project, code)
    lock_session(project, key)
    CounterHold.objects.filter(project=project, session_key=key, redeemable_id=voucher.pk).delete()
    held = Reservation.objects.filter(project=project, session_key=key, voucher_id=voucher.pk)
    if not held.delete()[0]:
        raise NotFound("session", key)


def _hold_counters(
    project: Project,
    key: str,
    counted: Sequence[tuple[uuid.UUID, RowClaim]],
    bounds: Sequence[RowClaim],
    *,
    expires_at: datetime,
    now: datetime,
) -> None:
    lock_counters([one.row.id for one in bounds])
    CounterHold.objects.bulk_create(
        CounterHold(
            project=project,
            session_key=key,
            counter_id=one.row.id,
            redeemable_id=redeemable_id,
            amount=one.claim.amount,
            expires_at=expires_at,
        )
        for redeemable_id, one in counted
    )
    with connection.cursor() as cursor:
        cursor.execute(
            WITHIN_BOUNDS,
            {
                "ids": [one.row.id for one in bounds],
                "lows": [one.claim.low for one in bounds],
                "highs": [one.claim.high for one in bounds],
                "now": now,
            },
        )
        if cursor.fetchone()[0] != len(bounds):
            raise ClaimLost(CLAIM_LOST)


def _overdrawn(voucher_ids: Sequence[uuid.UUID], now: datetime) -> bool:
    """Return whether any of these locked vouchers is promised more often than it may be used."""
    with connection.cursor() as cursor:
        cursor.execute(OVERDRAWN, {"vouchers": list(voucher_ids), "now": now})
        return bool(cursor.fetchone()[0])


OVERDRAWN = f"""
    SELECT EXISTS (
        SELECT 1 FROM {Voucher._meta.db_table} AS voucher
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(amount), 0) AS amount
            FROM {Reservation._meta.db_table} WHERE voucher_id = voucher.id AND expires_at > %(now)s
        ) AS held
        WHERE voucher.id = ANY(%(vouchers)s) AND (
            voucher.redeemed_quantity + held.quantity > voucher.quantity OR held.amount > voucher.gift_balance
        )
    )
"""

WITHIN_BOUNDS = f"""
    SELECT count(*) FROM unnest(%(ids)s::uuid[], %(lows)s::bigint[], %(highs)s::bigint[])
        AS wanted (id, low, high)
    JOIN {UsageCounter._meta.db_table} AS counter ON counter.id = wanted.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0) AS amount FROM {CounterHold._meta.db_table}
        WHERE counter_id = wanted.id AND expires_at > %(now)s
    ) AS held
    WHERE (wanted.low IS NULL OR counter.value + held.amount >= wanted.low)
        AND (wanted.high IS NULL OR counter.value + held.amount <= wanted.high)
"""
