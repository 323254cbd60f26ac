"""Claiming limits: the engine judged by a snapshot, and here the database makes it true.

Codes without a limit only leave an entry under a shared lock. The others are locked in one order, so that
two carts never deadlock, and then counted up by an update that carries the limit in its condition.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from promoengine.core.errors import DomainError
from promoengine.engine.decide import Claim
from redemptions.models import Reservation
from vouchers.models import UsageEntry, Voucher
from vouchers.services.usage import share_usage_locks

CLAIM_LOST = "Another request was using the same redeemables; try again"


class ClaimLost(DomainError):
    """Somebody else took it between deciding and claiming: gather and decide anew."""

    key = "multiple_requests"
    message = "Multiple requests"


@dataclass(frozen=True, slots=True)
class _Wanted:
    voucher: Voucher
    quantity: int
    credits: int

    @property
    def is_counted_on_its_row(self) -> bool:
        return self.voucher.quantity is not None or self.voucher.type == Voucher.Type.GIFT_VOUCHER


def claim(claims: Sequence[tuple[Voucher, Claim]], *, now: datetime, are_locked: bool = False) -> None:
    """Use up what a redemption takes of its vouchers' limits, in the caller's transaction.

    What the caller's own session holds must have been freed. The vouchers' counts are brought up to date.
    `are_locked` says that the caller holds all locks already.

    Raises:
        ClaimLost: a limit, a balance or the voucher itself is no longer what was gathered.
    """
    wanted = [_Wanted(voucher, one.quantity, one.credits) for voucher, one in claims]
    noted = [one for one in wanted if not one.is_counted_on_its_row]
    counted = [one for one in wanted if one.is_counted_on_its_row]
    if not are_locked:
        share_usage_locks([one.voucher.pk for one in noted])
    _note_uses(noted)
    # The lock comes in a statement of its own: the update then sees every reservation made before it.
    if counted and not are_locked:
        lock_vouchers(one.voucher.pk for one in counted)
    _count_uses(counted, now=now)


def unlimited_and_limited(
    claims: Sequence[tuple[Voucher, Claim]],
) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """Return the keys of vouchers whose uses are noted as entries, and of those counted on their rows."""
    wanted = [_Wanted(voucher, one.quantity, one.credits) for voucher, one in claims]
    unlimited = [one.voucher.pk for one in wanted if not one.is_counted_on_its_row]
    return unlimited, [one.voucher.pk for one in wanted if one.is_counted_on_its_row]


def give_back(voucher_uses: Iterable[tuple[uuid.UUID, int]]) -> None:
    """Return one use and its gift credits, in minor units, to each voucher, in the caller's transaction."""
    uses = sorted(voucher_uses)
    if not uses:
        return
    ids = [voucher_id for voucher_id, _ in uses]
    share_usage_locks(ids)
    lock_vouchers(ids)
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, {"vouchers": ids, "credits": [credits for _, credits in uses]})


def lock_vouchers(voucher_ids: Iterable[uuid.UUID]) -> None:
    """Hold the rows of those that have a limit until the transaction ends, always in the same order."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_VOUCHERS, {"vouchers": list(voucher_ids)})


def _note_uses(wanted: Sequence[_Wanted]) -> None:
    if not wanted:
        return
    ids = [one.voucher.pk for one in wanted]
    with connection.cursor() as cursor:
        cursor.execute(NOTE_USES, {"vouchers": ids})
        if cursor.rowcount != len(ids):
            raise ClaimLost(CLAIM_LOST)
    for one in wanted:
        one.voucher.pending_quantity += one.quantity


def _count_uses(wanted: Sequence[_Wanted], *, now: datetime) -> None:
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_USES,
            {
                "vouchers": [one.voucher.pk for one in wanted],
                "quantities": [one.quantity for one in wanted],
                "credits": [one.credits for one in wanted],
                "now": now,
            },
        )
        counted = {row[0]: row[1:] for row in cursor.fetchall()}
    if len(counted) != len(wanted):
        raise ClaimLost(CLAIM_LOST)
    for one in wanted:
        voucher = one.voucher
        voucher.redeemed_quantity, voucher.redeemed_amount, voucher.gift_balance = counted[voucher.pk]


LOCK_VOUCHERS = f"""
    SELECT id FROM {Voucher._meta.db_table}
    WHERE id = ANY(%(vouchers)s) AND (quantity IS NOT NULL OR gift_balance IS NOT NULL)
    ORDER BY id FOR NO KEY UPDATE
"""

NOTE_USES = f"""
    INSERT INTO {UsageEntry._meta.db_table} (voucher_id, quantity)
    SELECT id, 1 FROM {Voucher._meta.db_table}
    WHERE id = ANY(%(vouchers)s) AND quantity IS NULL AND active AND deleted_at IS NULL
"""

COUNT_USES = f"""
    UPDATE {Voucher._meta.db_table} AS voucher
    SET redeemed_quantity = redeemed_quantity + wanted.quantity,
        redeemed_amount = redeemed_amount + wanted.credits,
        gift_balance = gift_balance - wanted.credits
    FROM unnest(%(vouchers)s::uuid[], %(quantities)s::int[], %(credits)s::bigint[])
        AS wanted (id, quantity, credits)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(amount), 0) AS amount
        FROM {Reservation._meta.db_table} WHERE voucher_id = wanted.id AND expires_at > %(now)s
    ) AS held
    WHERE voucher.id = wanted.id AND voucher.active AND voucher.deleted_at IS NULL
        AND (
            voucher.quantity IS NULL
            OR voucher.redeemed_quantity + held.quantity + wanted.quantity <= voucher.quantity
        )
        AND (voucher.gift_balance IS NULL OR voucher.gift_balance - held.amount >= wanted.credits)
    RETURNING voucher.id, voucher.redeemed_quantity, voucher.redeemed_amount, voucher.gift_balance
"""

GIVE_BACK = f"""
    WITH returned AS (
        SELECT * FROM unnest(%(vouchers)s::uuid[], %(credits)s::bigint[]) AS returned (id, credits)
    ), noted AS (
        INSERT INTO {UsageEntry._meta.db_table} (voucher_id, quantity)
        SELECT voucher.id, -1 FROM {Voucher._meta.db_table} AS voucher JOIN returned USING (id)
        WHERE voucher.quantity IS NULL AND voucher.gift_balance IS NULL
    )
    UPDATE {Voucher._meta.db_table} AS voucher
    SET redeemed_quantity = redeemed_quantity - 1,
        redeemed_amount = redeemed_amount - returned.credits,
        gift_balance = gift_balance + returned.credits
    FROM returned
    WHERE voucher.id = returned.id AND (voucher.quantity IS NOT NULL OR voucher.gift_balance IS NOT NULL)
"""
