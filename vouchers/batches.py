"""Reads of batches: what of them can be given when, and how much of them is left."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from campaigns.models import Campaign
from promoengine.core.models import Project
from promoengine.core.selectors import row_by_id
from vouchers.models import CodeBatch, Voucher

# Free codes are counted up to here; more is enough to know.
COUNTED_UP_TO = 200_000


@dataclass(frozen=True, slots=True)
class FreeCodes:
    """How many codes are free, at least so many where there are `more`."""

    count: int
    has_more: bool = False


def batches_of(campaign: Campaign) -> QuerySet[CodeBatch]:
    """Return a campaign's batches in the order in which they give their codes."""
    return CodeBatch.objects.filter(campaign=campaign).order_by("pk")


def batch_by_id(project: Project, campaign: Campaign, batch_id: str) -> CodeBatch:
    """Return the batch of that id.

    Raises:
        NotFound: the campaign has none.
    """
    return row_by_id(CodeBatch.objects.filter(project=project, campaign=campaign), batch_id, "batch")


def released_at(batches: Collection[CodeBatch], *, now: datetime) -> datetime | None:
    """Return when the next of some batches is released, None where none is locked."""
    return min((b.locked_until for b in batches if b.locked_until and b.locked_until > now), default=None)


def in_zone(project: Project, moment: datetime) -> str:
    """Return a moment as the shop's clocks show it, as in `2026-12-24 10:00 (Europe/Warsaw)`."""
    return f"{moment.astimezone(ZoneInfo(project.timezone)):%Y-%m-%d %H:%M} ({project.timezone})"


def free_codes(
    campaign: Campaign, batch_ids: Sequence[uuid.UUID | None], *, most: int = COUNTED_UP_TO
) -> list[FreeCodes]:
    """Return how many codes of each batch are free, of those without a batch for None, in one statement.

    At most `most` of each are counted, from the index of free codes alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNT_FREE, {"campaign": campaign.pk, "batches": list(batch_ids), "most": most + 1})
        counted = [count for (count,) in cursor.fetchall()]
    return [FreeCodes(min(count, most), has_more=count > most) for count in counted]


_FREE = f"""
    SELECT FROM {Voucher._meta.db_table} AS voucher
    WHERE voucher.campaign_id = %(campaign)s AND voucher.published_count = 0 AND voucher.active
        AND voucher.deleted_at IS NULL AND voucher.is_unused
"""
COUNT_FREE = f"""
    SELECT CASE WHEN batch.id IS NULL
        THEN (SELECT count(*) FROM ({_FREE} AND voucher.batch_id IS NULL LIMIT %(most)s) AS free)
        ELSE (SELECT count(*) FROM ({_FREE} AND voucher.batch_id = batch.id LIMIT %(most)s) AS free)
    END
    FROM unnest(%(batches)s::uuid[]) WITH ORDINALITY AS batch (id, place)
    ORDER BY batch.place
"""
