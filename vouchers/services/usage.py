"""Counting the uses of codes without a limit, which redeem without touching their voucher's row.

Each use inserts a UsageEntry under a shared lock of the voucher; folding takes the lock alone, adds the
entries to the voucher and deletes them. Shared holders never wait for each other.
"""

import uuid
from collections.abc import Collection

from django.db import connection, transaction

from vouchers.models import UsageEntry, Voucher

FOLDED_AT_ONCE = 1000


def usage_lock(voucher_id: uuid.UUID) -> int:
    """Return the number of the advisory lock that guards how a voucher's uses are counted."""
    return (voucher_id.int & 0x7FFF_FFFF_FFFF_FFFF) ^ 0x5553_4147


def share_usage_locks(voucher_ids: Collection[uuid.UUID]) -> None:
    """Hold off a change of these vouchers' limits until the running transaction ends."""
    if not voucher_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(lock) FROM unnest(%s::bigint[]) AS lock",
            [sorted(usage_lock(voucher_id) for voucher_id in voucher_ids)],
        )


def fold_usage(voucher_ids: Collection[uuid.UUID]) -> None:
    """Add vouchers' entries to their counts, and keep new ones out until the caller's transaction ends.

    Whoever sets a limit on a code that had none calls this first, before locking its row: from then on the
    count is exact and every use goes through the guarded update.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(lock) FROM unnest(%s::bigint[]) AS lock",
            [sorted(usage_lock(voucher_id) for voucher_id in voucher_ids)],
        )
    _fold(voucher_ids)


def roll_up_usage() -> int:
    """Fold the entries of all vouchers that have any; return how many vouchers that were."""
    waiting = UsageEntry.objects.order_by().values_list("voucher_id", flat=True).distinct()
    voucher_ids = sorted(waiting[:FOLDED_AT_ONCE])
    for voucher_id in voucher_ids:
        with transaction.atomic():
            _fold([voucher_id])
    return len(voucher_ids)


def _fold(voucher_ids: Collection[uuid.UUID]) -> None:
    # The vouchers' rows first and then their entries, for everybody, so that two folds never deadlock.
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(voucher_ids)])
        cursor.execute(FOLD, [list(voucher_ids)])


LOCK = f"SELECT id FROM {Voucher._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

FOLD = f"""
    WITH folded AS (
        DELETE FROM {UsageEntry._meta.db_table} WHERE voucher_id = ANY(%s) RETURNING voucher_id, quantity
    ), counted AS (
        SELECT voucher_id, sum(quantity) AS quantity FROM folded GROUP BY voucher_id
    )
    UPDATE {Voucher._meta.db_table} AS voucher
    SET redeemed_quantity = redeemed_quantity + counted.quantity
    FROM counted WHERE voucher.id = counted.voucher_id
"""
