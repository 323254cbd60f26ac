"""The codes of a checkout with all that deciding needs, in one statement written by hand.

This is the statement every validation and redemption begins with; what the query builder takes to put it
together is longer than all the rest of a validation.
"""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Field

from campaigns.definitions import assignments_at, campaigns_at
from campaigns.models import Campaign, Category, ValidationRuleAssignment
from promoengine.core.models import Project
from promoengine.engine.stacking import StackingRules, parse_stacking_rules
from redemptions.models import Reservation, UsageCounter
from vouchers.locks import Locks, locks_at
from vouchers.models import UsageEntry, Voucher

COLUMNS = list(Voucher._meta.concrete_fields)
ATTRIBUTES = [field.attname for field in COLUMNS]
JSON_PLACES = [place for place, field in enumerate(COLUMNS) if field.get_internal_type() == "JSONField"]
TIME_PLACES = [place for place, field in enumerate(COLUMNS) if field.get_internal_type() == "DateTimeField"]


@dataclass(frozen=True, slots=True)
class Settings:
    """A project's settings that a checkout is decided by; `version` is that of its definitions."""

    version: int
    stacking: StackingRules
    timezone: str
    week_start: int

    @classmethod
    def read(cls, version: int, stored: Mapping[str, Any]) -> "Settings":
        """Return the settings of a project's columns."""
        stacking = parse_stacking_rules(stored["stacking_rules"])
        return cls(version, stacking, stored["timezone"], stored["week_start"])


def settings_and_vouchers(
    project: Project,
    *,
    code_keys: Sequence[str],
    voucher_ids: Sequence[uuid.UUID] = (),
    session_key: str,
    now: datetime,
) -> tuple[Settings, list[Voucher]]:
    """Return the project's settings at this moment, and its present codes by key or id.

    The codes have their campaigns, categories, rules, uses not counted yet, and what live sessions but the
    one named hold of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            gathering(len(code_keys), with_ids=bool(voucher_ids)),
            {"project": project.pk, "ids": list(voucher_ids), "session": session_key, "now": now}
            | {f"code_{place}": key for place, key in enumerate(code_keys)},
        )
        rows = cursor.fetchall()
    settings = _settings(rows[0][0], rows[0][1])
    vouchers = [_voucher(project, row) for row in rows if row[7] is not None]
    _complete(project, settings.version, vouchers, {row[7] for row in rows if row[5]})
    return settings, vouchers


def qualifying_vouchers(
    project: Project,
    version: int,
    *,
    holder_id: uuid.UUID | None,
    with_open: bool,
    codes: Collection[str],
    before: datetime | None,
    limit: int,
    now: datetime,
) -> list[Voucher]:
    """Return the newest codes that a customer could use: their own and, `with_open`, those for anybody.

    For anybody are codes nobody holds that stand alone or are their campaign's only one. `codes`, if any, are
    all that may be; `before` leaves out what was made then or later. Each kind is found by its own index, so
    that it costs the same among ten codes and ten million.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            QUALIFYING,
            {
                "project": project.pk,
                "holder": holder_id,
                "with_open": with_open,
                "codes": list(codes) or None,
                "before": before,
                "limit": limit,
                "session": "",
                "now": now,
            },
        )
        rows = [row for row in cursor.fetchall() if row[7] is not None]
    vouchers = [_voucher(project, row) for row in rows]
    _complete(project, version, vouchers, {row[7] for row in rows if row[5]})
    return sorted(vouchers, key=lambda voucher: (voucher.created_at, voucher.pk), reverse=True)


@lru_cache(maxsize=256)
def _settings(version: int, stored: str) -> Settings:
    return Settings.read(version, json.loads(stored))


def _voucher(project: Project, row: Sequence[Any]) -> Voucher:
    values = list(row[7:])
    for place in JSON_PLACES:
        if values[place] is not None:
            values[place] = json.loads(values[place])
    for place in TIME_PLACES:
        if values[place] is not None:
            values[place] = datetime.fromisoformat(values[place])
    voucher = Voucher.from_db("default", ATTRIBUTES, values)
    voucher.project = project
    voucher.pending_quantity, voucher.reserved_quantity, voucher.reserved_amount = row[2:5]
    voucher.has_counters = row[6]
    return voucher


def _complete(
    project: Project, version: int, vouchers: Sequence[Voucher], guarded: Collection[uuid.UUID]
) -> None:
    """Put campaigns, categories, locks and rules on codes; `guarded` are those with rules of their own."""
    campaigns = campaigns_at(project, version, {v.campaign_id for v in vouchers if v.campaign_id})
    own = assignments_at(project, version, guarded)
    category_ids = {voucher.category_id for voucher in vouchers if voucher.category_id}
    categories = Category.objects.in_bulk(list(category_ids)) if category_ids else {}
    in_batches = any(voucher.batch_id for voucher in vouchers)
    locks: Locks = locks_at(project, version) if in_batches else {}
    for voucher in vouchers:
        voucher.locked_until = locks.get(voucher.batch_id) if voucher.batch_id else None
        campaign: Campaign | None = campaigns.get(voucher.campaign_id) if voucher.campaign_id else None
        voucher.campaign = campaign
        voucher.category = categories.get(voucher.category_id) if voucher.category_id else None
        of_campaign = campaign.rule_assignments if campaign else ()
        voucher.rule_assignments = [*own.get(voucher.pk, ()), *of_campaign]


def _read(column: Field) -> str:
    """Return how a column is read: times as text, which Python reads in a tenth of the driver's time."""
    return f'voucher."{column.column}"' + ("::text" if column.get_internal_type() == "DateTimeField" else "")


_SELECT = f"""
    SELECT project.definitions_version, jsonb_build_object(
            'stacking_rules', project.stacking_rules, 'timezone', project.timezone,
            'week_start', project.week_start
        ),
        coalesce((
            SELECT sum(quantity) FROM {UsageEntry._meta.db_table} WHERE voucher_id = voucher.id
        ), 0)::bigint,
        coalesce(held.quantity, 0)::bigint, coalesce(held.amount, 0)::bigint,
        EXISTS (
            SELECT 1 FROM {ValidationRuleAssignment._meta.db_table} WHERE related_object_id = voucher.id
        ),
        EXISTS (
            SELECT 1 FROM {UsageCounter._meta.db_table} WHERE object_id IN (voucher.id, voucher.campaign_id)
        ),
        {", ".join(map(_read, COLUMNS))}
    FROM {Project._meta.db_table} AS project
    LEFT JOIN ({{wanted}}) AS voucher ON true
    LEFT JOIN LATERAL (
        SELECT sum(quantity) AS quantity, sum(amount) AS amount FROM {Reservation._meta.db_table}
        WHERE voucher_id = voucher.id AND expires_at > %(now)s AND session_key <> %(session)s
    ) AS held ON true
    WHERE project.id = %(project)s
"""

_NONE = f"SELECT * FROM {Voucher._meta.db_table} WHERE false"
_BY_CODE = f"""
    SELECT found.* FROM (VALUES {{keys}}) AS asked (key)
    CROSS JOIN LATERAL (
        SELECT * FROM {Voucher._meta.db_table}
        WHERE project_id = %(project)s AND code_key = asked.key AND deleted_at IS NULL LIMIT 1
    ) AS found
"""
_BY_ID = f"""
    SELECT * FROM {Voucher._meta.db_table}
    WHERE project_id = %(project)s AND id = ANY(%(ids)s::uuid[]) AND deleted_at IS NULL
"""


@lru_cache(maxsize=64)
def gathering(codes: int, *, with_ids: bool) -> str:
    """Return the statement for that many codes.

    With their number written out, the database plans it once, and looks each up by the unique index. What is
    asked by an array it plans anew each time, or for ten codes, for which reading a small project whole looks
    cheaper.
    """
    keys = ", ".join(f"(%(code_{place})s::text)" for place in range(codes))
    wanted = [_BY_CODE.format(keys=keys)] if codes else []
    if with_ids:
        wanted.append(f"{_BY_ID} AND code_key NOT IN (VALUES {keys})" if codes else _BY_ID)
    return _SELECT.format(wanted=" UNION ALL ".join(wanted) or _NONE)


_USABLE = """
    voucher.active AND voucher.deleted_at IS NULL
    AND (voucher.start_date IS NULL OR voucher.start_date <= %(now)s)
    AND (voucher.expiration_date IS NULL OR voucher.expiration_date > %(now)s)
    AND (voucher.quantity IS NULL OR voucher.redeemed_quantity < voucher.quantity)
    AND (voucher.gift_balance IS NULL OR voucher.gift_balance > 0)
    AND (%(codes)s::text[] IS NULL OR voucher.code = ANY(%(codes)s::text[]))
    AND (%(before)s::timestamptz IS NULL OR voucher.created_at < %(before)s::timestamptz)
"""
_NEWEST = "ORDER BY voucher.created_at DESC, voucher.id DESC LIMIT %(limit)s"
QUALIFYING = f"""
    WITH found AS MATERIALIZED (
        (
            SELECT voucher.id, voucher.created_at FROM {Voucher._meta.db_table} AS voucher
            WHERE voucher.project_id = %(project)s AND voucher.holder_id = %(holder)s::uuid AND {_USABLE}
            {_NEWEST}
        ) UNION ALL (
            SELECT voucher.id, voucher.created_at FROM {Voucher._meta.db_table} AS voucher
            WHERE %(with_open)s AND voucher.project_id = %(project)s
                AND voucher.campaign_id IS NULL AND voucher.holder_id IS NULL AND {_USABLE}
            {_NEWEST}
        ) UNION ALL (
            SELECT voucher.id, voucher.created_at FROM {Campaign._meta.db_table} AS campaign
            JOIN {Voucher._meta.db_table} AS voucher ON voucher.campaign_id = campaign.id
            WHERE %(with_open)s AND campaign.project_id = %(project)s AND campaign.type = 'STANDALONE'
                AND campaign.active AND campaign.deleted_at IS NULL
                AND voucher.holder_id IS NULL AND {_USABLE}
            {_NEWEST}
        )
    )
""" + _SELECT.format(
    wanted=f"""
    SELECT * FROM {Voucher._meta.db_table}
    WHERE deleted_at IS NULL AND id IN (SELECT voucher.id FROM found AS voucher {_NEWEST})
"""
)
