"""Taking free codes: each by one and only one, in the order of their batches, however many ask at once.

Codes that are taken leave dead entries in the index of free ones until it is vacuumed, and whoever begins at
its start steps over all of them. So a process remembers where it took the last code of each batch, and begins
there; only where nothing is left behind that does it look from the start, for codes that came free again.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from campaigns.models import Campaign
from vouchers.models import Voucher

POOLS_KEPT = 10_000
START = uuid.UUID(int=0)

_last_taken: dict[uuid.UUID, uuid.UUID] = {}


@dataclass(frozen=True, slots=True)
class Pool:
    """A batch that gives codes now, and how many of them at most to one who asks."""

    batch_id: uuid.UUID
    most: int


@dataclass(frozen=True, slots=True)
class TakenCode:
    """The key of a code that is locked until the transaction ends, and of its batch, if it has one."""

    id: uuid.UUID
    batch_id: uuid.UUID | None


def take_free(
    campaign: Campaign, pools: Sequence[Pool], count: int, *, besides: Collection[uuid.UUID] = ()
) -> list[TakenCode]:
    """Lock up to `count` free codes of a campaign in the caller's transaction, and return them.

    Those without a batch come first, then the pools in their order. Codes that others are taking right now,
    and those `besides`, are passed over.
    """
    taken = _take(campaign, pools, count, besides)
    if len(taken) < count and _forget(campaign, pools):
        taken = _take(campaign, pools, count, besides)
    if len(_last_taken) > POOLS_KEPT:
        _last_taken.clear()
    for code in taken:
        _last_taken[code.batch_id or campaign.pk] = code.id
    return taken


def _take(
    campaign: Campaign, pools: Sequence[Pool], count: int, besides: Collection[uuid.UUID]
) -> list[TakenCode]:
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "campaign": campaign.pk,
                "start": _last_taken.get(campaign.pk, START),
                "batches": [pool.batch_id for pool in pools],
                "starts": [_last_taken.get(pool.batch_id, START) for pool in pools],
                "most": [pool.most for pool in pools],
                "besides": list(besides),
                "count": count,
            },
        )
        return [TakenCode(*row) for row in cursor.fetchall()]


def _forget(campaign: Campaign, pools: Sequence[Pool]) -> bool:
    """Begin at the start again; return whether any of them did not."""
    keys = [campaign.pk, *(pool.batch_id for pool in pools)]
    forgotten = [key for key in keys if _last_taken.pop(key, None) is not None]
    return bool(forgotten)


_FREE = """
    voucher.published_count = 0 AND voucher.active AND voucher.deleted_at IS NULL AND voucher.is_unused
    AND voucher.id <> ALL(%(besides)s::uuid[])
"""
# Each part is asked only for what those before it did not have. The order names the batch, and a range stands
# for the equal sign, lest Postgres see that all codes of a part have the same batch and read them in the
# order of the table's own key, past the codes of all other campaigns.
TAKE = f"""
    SELECT id, batch_id FROM (
        SELECT voucher.id, voucher.batch_id FROM {Voucher._meta.db_table} AS voucher
        WHERE voucher.campaign_id = %(campaign)s AND voucher.batch_id IS NULL
            AND voucher.id > %(start)s AND {_FREE}
        ORDER BY voucher.batch_id, voucher.id LIMIT %(count)s
        FOR UPDATE SKIP LOCKED
    ) AS single
    UNION ALL
    SELECT taken.id, taken.batch_id
    FROM unnest(%(batches)s::uuid[], %(starts)s::uuid[], %(most)s::int[]) AS pool (batch_id, start, most)
    CROSS JOIN LATERAL (
        SELECT voucher.id, voucher.batch_id FROM {Voucher._meta.db_table} AS voucher
        WHERE voucher.campaign_id = %(campaign)s AND voucher.batch_id <= pool.batch_id
            AND (voucher.batch_id, voucher.id) > (pool.batch_id, pool.start) AND {_FREE}
        ORDER BY voucher.batch_id, voucher.id LIMIT least(pool.most, %(count)s)
        FOR UPDATE SKIP LOCKED
    ) AS taken
    LIMIT %(count)s
"""
