"""The codes of a checkout with all that deciding needs, in one statement written by hand.

This is the statement every validation and redemption begins with; what the query builder takes to put it
together is longer than all the rest of a validation.
"""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from campaigns.definitions import campaigns_at
from campaigns.models import Campaign, Category, ValidationRuleAssignment
from promoengine.core.models import Project
from promoengine.engine.stacking import StackingRules, parse_stacking_rules
from redemptions.models import Reservation
from vouchers.models import UsageEntry, Voucher

COLUMNS = list(Voucher._meta.concrete_fields)
ATTRIBUTES = [field.attname for field in COLUMNS]
JSON_PLACES = [place for place, field in enumerate(COLUMNS) if field.get_internal_type() == "JSONField"]


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
            GATHER_WITH_IDS if voucher_ids else GATHER,
            {
                "project": project.pk,
                "codes": list(code_keys),
                "ids": list(voucher_ids),
                "session": session_key,
                "now": now,
            },
        )
        rows = cursor.fetchall()
    settings = Settings.read(rows[0][0], json.loads(rows[0][1]))
    vouchers = [_voucher(project, row) for row in rows if row[6] is not None]
    _complete(project, settings.version, vouchers, {row[6] for row in rows if row[5]})
    return settings, vouchers


def _voucher(project: Project, row: Sequence[Any]) -> Voucher:
    values = list(row[6:])
    for place in JSON_PLACES:
        if values[place] is not None:
            values[place] = json.loads(values[place])
    voucher = Voucher.from_db("default", ATTRIBUTES, values)
    voucher.project = project
    voucher.pending_quantity, voucher.reserved_quantity, voucher.reserved_amount = row[2:5]
    return voucher


def _complete(
    project: Project, version: int, vouchers: Sequence[Voucher], guarded: Collection[uuid.UUID]
) -> None:
    """Put on codes their campaigns, categories and rules; `guarded` are those with rules of their own."""
    campaigns = campaigns_at(project, version, {v.campaign_id for v in vouchers if v.campaign_id})
    own = _own_rules(project, guarded) if guarded else {}
    category_ids = {voucher.category_id for voucher in vouchers if voucher.category_id}
    categories = Category.objects.in_bulk(list(category_ids)) if category_ids else {}
    for voucher in vouchers:
        campaign: Campaign | None = campaigns.get(voucher.campaign_id) if voucher.campaign_id else None
        voucher.campaign = campaign
        voucher.category = categories.get(voucher.category_id) if voucher.category_id else None
        of_campaign = campaign.rule_assignments if campaign else ()
        voucher.rule_assignments = [*own.get(voucher.pk, ()), *of_campaign]


def _own_rules(
    project: Project, keys: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[ValidationRuleAssignment]]:
    found: dict[uuid.UUID, list[ValidationRuleAssignment]] = {}
    rows = ValidationRuleAssignment.objects.filter(project=project, related_object_id__in=keys)
    for assignment in rows.select_related("rule").order_by("pk"):
        found.setdefault(assignment.related_object_id, []).append(assignment)
    return found


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
        {", ".join(f'voucher."{field.column}"' for field in COLUMNS)}
    FROM {Project._meta.db_table} AS project
    LEFT JOIN {Voucher._meta.db_table} AS voucher
        ON voucher.project_id = project.id AND voucher.deleted_at IS NULL AND ({{wanted}})
    LEFT JOIN LATERAL (
        SELECT sum(quantity) AS quantity, sum(amount) AS amount FROM {Reservation._meta.db_table}
        WHERE voucher_id = voucher.id AND expires_at > %(now)s AND session_key <> %(session)s
    ) AS held ON true
    WHERE project.id = %(project)s
"""
GATHER = _SELECT.format(wanted="voucher.code_key = ANY(%(codes)s::text[])")
GATHER_WITH_IDS = _SELECT.format(
    wanted="voucher.code_key = ANY(%(codes)s::text[]) OR voucher.id = ANY(%(ids)s::uuid[])"
)
