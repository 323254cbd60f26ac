"""Claiming limits: the engine judged by a snapshot, and here the database makes it true.

Codes without a limit only leave an entry under a shared lock. The others are locked in one order, so that
two carts never deadlock, and then counted up by an update that carries the limit in its condition: by
`claim_vouchers`, a function of the database (migration 0004).
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from promoengine.core.errors import DomainError
from promoengine.core.inserts import array_text
from promoengine.engine.decide import Claim
from vouchers.models import UsageEntry, Voucher
from vouchers.services.usage import share_usage_locks

CLAIM_LOST = "Another request was using the same redeemables; try again"


class ClaimLost(DomainError):
    """Somebody else took it between deciding and claiming: gather and decide anew."""

    key = "multiple_requests"
    message = "Multiple requests"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a redemption takes of its vouchers, as `claim_vouchers` takes it.

    `limited` vouchers have their uses and credits, in minor units, counted on their rows; of the others each
    use is noted as an entry.
    """

    unlimited: Sequence[Voucher] = ()
    limited: Sequence[Voucher] = ()
    quantities: Sequence[int] = ()
    credits: Sequence[int] = ()

    @classmethod
    def of(cls, claims: Sequence[tuple[Voucher, Claim]]) -> "Wanted":
        """Tell the vouchers apart by how they are counted."""
        counted = [one for one in claims if _is_counted_on_its_row(one[0])]
        return cls(
            [voucher for voucher, _ in claims if not _is_counted_on_its_row(voucher)],
            [voucher for voucher, _ in counted],
            [claim.quantity for _, claim in counted],
            [claim.credits for _, claim in counted],
        )

    def parameters(self, now: datetime) -> list[Any]:
        """Return the arguments of `claim_vouchers`."""
        unlimited, limited = [one.pk for one in self.unlimited], [one.pk for one in self.limited]
        arrays = (unlimited, limited, self.quantities, self.credits)
        return [*(array_text(values) for values in arrays), now]

    def expect(self) -> str:
        """Count up the vouchers as they will stand if nobody else uses them now, and say so in JSON."""
        for voucher in self.unlimited:
            voucher.pending_quantity += 1
        for voucher, quantity, credits in zip(self.limited, self.quantities, self.credits, strict=True):
            voucher.redeemed_quantity += quantity
            voucher.redeemed_amount += credits
            if voucher.gift_balance is not None:
                voucher.gift_balance -= credits
        counts = {
            str(one.pk): [str(one.pk), one.redeemed_quantity, one.redeemed_amount, one.gift_balance]
            for one in self.limited
        }
        return orjson.dumps(counts).decode()

    def settle(self, noted: int, used: str | None) -> None:
        """Bring the vouchers' counts up to date with what `claim_vouchers` says.

        Raises:
            ClaimLost: a limit, a balance or a voucher itself is no longer what was gathered.
        """
        counts = {row[0]: row[1:] for row in json.loads(used or "[]")}
        if noted != len(self.unlimited) or len(counts) != len(self.limited):
            raise ClaimLost(CLAIM_LOST)
        for voucher in self.unlimited:
            voucher.pending_quantity += 1
        for voucher in self.limited:
            voucher.redeemed_quantity, voucher.redeemed_amount, voucher.gift_balance = counts[str(voucher.pk)]


NOTHING = Wanted()


def claim(claims: Sequence[tuple[Voucher, Claim]], *, now: datetime) -> None:
    """Use up what a redemption takes of its vouchers' limits, in the caller's transaction.

    What the caller's own session holds must have been freed. The vouchers' counts are brought up to date.

    Raises:
        ClaimLost: a limit, a balance or the voucher itself is no longer what was gathered.
    """
    wanted = Wanted.of(claims)
    if not claims:
        return
    share_usage_locks([voucher.pk for voucher in wanted.unlimited])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT noted, used FROM claim_vouchers(%s::text::uuid[], %s::text::uuid[], %s::text::int[],"
            " %s::text::bigint[], %s)",
            wanted.parameters(now),
        )
        wanted.settle(*cursor.fetchone())


def _is_counted_on_its_row(voucher: Voucher) -> bool:
    return voucher.quantity is not None or voucher.type == Voucher.Type.GIFT_VOUCHER


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


def return_credits(credits: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, int]:
    """Put gift credits back on their cards, whose uses stay used, and return what is on each; minor units."""
    with connection.cursor() as cursor:
        lock_vouchers(credits)
        cursor.execute(RETURN_CREDITS, {"vouchers": list(credits), "credits": list(credits.values())})
        return dict(cursor.fetchall())


def lock_vouchers(voucher_ids: Iterable[uuid.UUID]) -> None:
    """Hold the rows of those that have a limit until the transaction ends, always in the same order."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_VOUCHERS, {"vouchers": list(voucher_ids)})


LOCK_VOUCHERS = f"""
    SELECT id FROM {Voucher._meta.db_table}
    WHERE id = ANY(%(vouchers)s) AND (quantity IS NOT NULL OR gift_balance IS NOT NULL)
    ORDER BY id FOR NO KEY UPDATE
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

RETURN_CREDITS = f"""
    UPDATE {Voucher._meta.db_table} AS voucher
    SET redeemed_amount = redeemed_amount - returned.credits, gift_balance = gift_balance + returned.credits
    FROM unnest(%(vouchers)s::uuid[], %(credits)s::bigint[]) AS returned (id, credits)
    WHERE voucher.id = returned.id
    RETURNING voucher.id, gift_balance
"""
