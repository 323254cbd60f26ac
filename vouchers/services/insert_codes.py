"""Inserting a batch of new codes of a campaign: by COPY, and one by one with care where some are taken."""

import json
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.copying import copy_lines, copy_text, stored_columns
from promoengine.core.ids import new_id
from vouchers.models import Voucher
from vouchers.patterns import CodePattern
from vouchers.services.create import thin_voucher

OWN = ("id", "code", "code_key")
# How many more than wanted are tried where many are taken.
SPARE = 1000


class NewCode(NamedTuple):
    """A code to be inserted, by what it is compared by."""

    key: str
    code: str
    id: uuid.UUID


def insert_codes(
    campaign: Campaign, pattern: CodePattern, count: int, *, batch_id: str | None, is_crowded: bool
) -> int:
    """Insert up to `count` new codes of a batch in the caller's transaction, and return how many.

    `is_crowded` says that the last batch met codes that were taken, so this one will, too.
    """
    shared = _shared_columns(campaign, batch_id)
    if not is_crowded:
        codes = _codes(campaign, pattern, count)
        try:
            with transaction.atomic():
                _copy(codes, shared)
        except IntegrityError:
            # One of ten thousand is taken, and COPY takes all or none.
            return _insert_free(codes, shared, count)
        return len(codes)
    return _insert_free(_codes(campaign, pattern, count + SPARE), shared, count)


def _codes(campaign: Campaign, pattern: CodePattern, count: int) -> list[NewCode]:
    """Return codes with different keys, in the order of the keys.

    Runs that meet the same codes then wait for each other one way round, and the index takes them faster.
    Ids, by whose order codes are handed out, follow chance: a code must not tell where the next one is.
    """
    made = pattern.generate(count)
    keys = made if campaign.project.case_sensitive_codes else [code.upper() for code in made]
    by_key = {key: NewCode(key, code, new_id()) for key, code in zip(keys, made, strict=True)}
    return sorted(by_key.values())


def _shared_columns(campaign: Campaign, batch_id: str | None) -> dict[str, Any]:
    """Return what all new codes of a campaign have in common, by column."""
    voucher = Voucher(
        project=campaign.project,
        campaign=campaign,
        batch_id=batch_id,
        is_referral_code=campaign.campaign_type == Campaign.CampaignType.REFERRAL_PROGRAM,
        created_at=timezone.now(),
        **thin_voucher(campaign),
    )
    attributes = {field.column: field.attname for field in Voucher._meta.concrete_fields}
    columns = [column for column in stored_columns(Voucher) if column not in OWN]
    return {column: getattr(voucher, attributes[column]) for column in columns}


def _copy(codes: list[NewCode], shared: dict[str, Any]) -> None:
    rest = "\t".join(copy_text(value) for value in shared.values())
    copy_lines(Voucher._meta.db_table, [*OWN, *shared], _lines(codes, rest))


def _lines(codes: list[NewCode], rest: str) -> Iterable[str]:
    for key, code, id in codes:
        yield f"{id}\t{copy_text(code)}\t{copy_text(key)}\t{rest}\n"


def _insert_free(codes: list[NewCode], shared: dict[str, Any], count: int) -> int:
    columns = ", ".join(shared)
    values = ", ".join(f"shared.{column}" for column in shared)
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT_FREE.format(columns=columns, values=values),
            {
                "ids": [one.id for one in codes],
                "codes": [one.code for one in codes],
                "keys": [one.key for one in codes],
                "count": count,
                "project": shared["project_id"],
                "shared": json.dumps(shared, cls=DjangoJSONEncoder),
            },
        )
        return int(cursor.rowcount)


INSERT_FREE = f"""
    INSERT INTO {Voucher._meta.db_table} (id, code, code_key, {{columns}})
    SELECT made.id, made.code, made.key, {{values}}
    FROM json_populate_record(NULL::{Voucher._meta.db_table}, %(shared)s::json) AS shared, (
        SELECT *
        FROM unnest(%(ids)s::uuid[], %(codes)s::text[], %(keys)s::text[]) AS candidate (id, code, key)
        WHERE NOT EXISTS (
            SELECT 1 FROM {Voucher._meta.db_table} AS taken
            WHERE taken.project_id = %(project)s AND taken.code_key = candidate.key
        )
        LIMIT %(count)s
    ) AS made
    ORDER BY made.key
    ON CONFLICT (project_id, code_key) DO NOTHING
"""
