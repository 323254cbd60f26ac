"""Validation sessions: a lock that keeps uses and credits for one cart until it is redeemed or expires."""

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from promoengine.core.errors import NotFound
from promoengine.core.models import Project
from promoengine.engine.decide import Claim
from redemptions.models import Reservation
from redemptions.requests import AskedSession
from redemptions.services.claim import CLAIM_LOST, ClaimLost, lock_vouchers
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
    now: datetime,
) -> None:
    """Hold what a validation found for the session `key`, in place of all it held before.

    Raises:
        ClaimLost: another cart was quicker; nothing is held and what was held before stays.
    """
    Reservation.objects.filter(project=project, session_key=key).delete()
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


def release(project: Project, *, code: str, key: str) -> None:
    """Give back what a session holds of a voucher.

    Raises:
        NotFound: no such voucher, or the session holds nothing of it.
    """
    voucher = voucher_by_ref(project, code)
    held = Reservation.objects.filter(project=project, session_key=key, voucher_id=voucher.pk)
    if not held.delete()[0]:
        raise NotFound("session", key)


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
