"""Codes on their way in: a table of its own for each import, from which they are inserted set by set.

The table is not logged, which halves what filling it takes; a crash of the database empties it, and the
import then begins again. The order of the codes, in which all who insert many do so, is that of their bytes.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from campaigns.models import Campaign, Category
from promoengine.core.copying import copy_lines, copy_text, stored_columns
from promoengine.core.json_text import to_json
from promoengine.core.models import AsyncAction, Project, ReportedRow
from vouchers.models import Voucher
from vouchers.services.create import thin_voucher

PREFIX = "vouchers_import_"
# What an import may say of a code; what it does not say is the campaign's.
COLUMNS = {
    "number": "integer",
    "id": "uuid",
    "code": "text",
    "code_key": "text",
    "campaign_id": "uuid",
    "type": "text",
    "discount": "jsonb",
    "gift_amount": "bigint",
    "gift_effect": "text",
    "active": "boolean",
    "quantity": "integer",
    "redeemed_quantity": "integer",
    "redeemed_amount": "bigint",
    "start_date": "timestamptz",
    "expiration_date": "timestamptz",
    "validity": "jsonb",
    "additional_info": "text",
    "metadata": "jsonb",
    "category": "text",
}
NOBODYS = uuid.UUID(int=0)


class Keys(NamedTuple):
    """A range of staged keys, the first not in it, and how many they are; where there are none, no last."""

    after: str
    until: str | None
    number: int


class Settled(NamedTuple):
    """What became of staged codes that were not inserted: how many are bad, known and unchanged, or were
    inserted by an earlier run.
    """

    bad: int
    known: int
    made: int


ALL_INSERTED = Settled(bad=0, known=0, made=0)


class Staging:
    """The staged codes of one import."""

    def __init__(self, action: AsyncAction) -> None:
        self.action = action
        self.table = f"{PREFIX}{action.pk.hex}"

    def make(self) -> None:
        """Make the table, empty."""
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self._execute(f"DROP TABLE IF EXISTS {self.table}")
        self._execute(f"CREATE UNLOGGED TABLE {self.table} ({columns})")

    def drop(self) -> None:
        self._execute(f"DROP TABLE IF EXISTS {self.table}")

    def count(self) -> int:
        """Return how many codes are staged; -1 where there is no such table."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NULL", [self.table])
            if cursor.fetchone()[0]:
                return -1
            cursor.execute(f"SELECT count(*) FROM {self.table}")
            return int(cursor.fetchone()[0])

    def copy(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add codes, each with the columns that it gives."""
        if not rows:
            return
        given = {name for row in rows for name in row}
        columns = [name for name in COLUMNS if name in given]
        lines = ("\t".join([_text(row.get(name)) for name in columns]) + "\n" for row in rows)
        copy_lines(self.table, columns, lines)

    def part_doubles(self) -> int:
        """Move codes that stand in an earlier row into the report, and return how many.

        The index it makes is what codes are inserted by.
        """
        self._execute(f'CREATE INDEX ON {self.table} (code_key COLLATE "C", number)')
        self._execute(f"ANALYZE {self.table}")
        return self._execute(PART_DOUBLES.format(table=self.table), {"action": self.action.pk})

    def next_keys(self, after: str, most: int) -> Keys:
        """Return the range of the next codes behind a key, `most` at most."""
        with connection.cursor() as cursor:
            cursor.execute(NEXT_KEYS.format(table=self.table), {"after": after, "most": most})
            until, count = cursor.fetchone()
        return Keys(after, until, count)

    def insert(
        self,
        project: Project,
        campaigns: Iterable[Campaign],
        *,
        batch_id: uuid.UUID | None,
        after: str = "",
        until: str | None = None,
    ) -> dict[uuid.UUID | None, int]:
        """Insert the codes of a range of keys that are free, and return how many by campaign."""
        with connection.cursor() as cursor:
            cursor.execute(
                INSERT.format(table=self.table),
                self._range(project, after, until)
                | {"shared": _shared(project, campaigns, batch_id), "made_at": self.action.created_at},
            )
            return dict(cursor.fetchall())

    def settle(
        self,
        project: Project,
        *,
        names: Mapping[str, str],
        known_codes_fail: bool,
        is_inserted: bool,
        after: str = "",
        until: str | None = None,
    ) -> Settled:
        """Report the codes of a range of keys that can't be inserted, or could not be, and count the others.

        `names` is what the file calls the columns it gives.
        """
        differences = ", ".join(
            f"CASE WHEN {differs} THEN %(name_{column})s END"
            for column, differs in DIFFERENCES.items()
            if column in names
        )
        statement = SETTLE.format(
            table=self.table, differences=differences or "NULL", join="LEFT JOIN" if is_inserted else "JOIN"
        )
        named = {f"name_{column}": names[column] for column in DIFFERENCES if column in names}
        asked = {"action": self.action.pk, "made_at": self.action.created_at, "fail": known_codes_fail}
        with connection.cursor() as cursor:
            cursor.execute(statement, self._range(project, after, until) | asked | named)
            return Settled(*cursor.fetchone())

    def new_categories(self, project: Project, *, after: str = "", until: str | None = None) -> list[str]:
        """Return the names of categories in a range of keys that the project does not have."""
        with connection.cursor() as cursor:
            cursor.execute(NEW_CATEGORIES.format(table=self.table), self._range(project, after, until))
            return [name for (name,) in cursor.fetchall()]

    def sample_of_metadata(self, count: int) -> list[dict[str, Any]]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT metadata FROM {self.table} WHERE metadata IS NOT NULL LIMIT {count:d}")
            return [json.loads(found) if isinstance(found, str) else found for (found,) in cursor.fetchall()]

    def _range(self, project: Project, after: str, until: str | None) -> dict[str, Any]:
        return {"project": project.pk, "after": after, "until": until, "nobody": NOBODYS}

    def _execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)


def drop_left_over() -> None:
    """Drop the tables of imports that have ended without doing so, or are gone altogether."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE %s", [f"{PREFIX}%"])
        tables = {uuid.UUID(name.removeprefix(PREFIX)): name for (name,) in cursor.fetchall()}
        going_on = AsyncAction.objects.filter(pk__in=tables, finished_at=None).values_list("pk", flat=True)
        for key in tables.keys() - set(going_on):
            cursor.execute(f"DROP TABLE IF EXISTS {tables[key]}")


def _text(value: Any) -> str:
    return copy_text(to_json(value).decode()) if isinstance(value, dict) else copy_text(value)


def _shared(project: Project, campaigns: Iterable[Campaign], batch_id: uuid.UUID | None) -> str:
    """Return what codes of each campaign, and codes on their own, have where an import says nothing."""
    attributes = {field.column: field.attname for field in Voucher._meta.concrete_fields}
    rows = []
    for campaign in [None, *campaigns]:
        voucher = Voucher(project=project, campaign=campaign, **(thin_voucher(campaign) if campaign else {}))
        voucher.batch_id = batch_id if campaign else None
        voucher.is_referral_code = bool(
            campaign and campaign.campaign_type == Campaign.CampaignType.REFERRAL_PROGRAM
        )
        rows.append({column: getattr(voucher, attributes[column]) for column in stored_columns(Voucher)})
    return json.dumps(rows, cls=DjangoJSONEncoder)


_VOUCHERS, _REPORTED = Voucher._meta.db_table, ReportedRow._meta.db_table
_CATEGORIES, _CAMPAIGNS = Category._meta.db_table, Campaign._meta.db_table
_GIFT = "COALESCE(staged.gift_amount, shared.gift_amount)"
_LIMIT = "NULLIF(COALESCE(staged.quantity, shared.quantity), 0)"
_USED, _SPENT = "COALESCE(staged.redeemed_quantity, 0)", "COALESCE(staged.redeemed_amount, 0)"
_START = "COALESCE(staged.start_date, shared.start_date)"
_END = "COALESCE(staged.expiration_date, shared.expiration_date)"
_VALUES = {
    "id": "staged.id",
    "code": "staged.code",
    "code_key": "staged.code_key",
    "category_id": "category.id",
    "type": "COALESCE(staged.type, shared.type)",
    "discount": "staged.discount",
    "gift_amount": _GIFT,
    "gift_balance": f"{_GIFT} - {_SPENT}",
    "gift_effect": "COALESCE(staged.gift_effect, shared.gift_effect)",
    "active": "COALESCE(staged.active, true)",
    "quantity": _LIMIT,
    "redeemed_quantity": _USED,
    "redeemed_amount": _SPENT,
    "imported_quantity": _USED,
    "imported_amount": _SPENT,
    "start_date": _START,
    "expiration_date": _END,
    "validity": "staged.validity",
    "additional_info": "staged.additional_info",
    "metadata": "COALESCE(staged.metadata, '{{}}')",
    "created_at": "%(made_at)s",
}
_STORED = stored_columns(Voucher)
_IN_RANGE = """
    staged.code_key COLLATE "C" > %(after)s
    AND (%(until)s::text IS NULL OR staged.code_key COLLATE "C" <= %(until)s)
"""
NEXT_KEYS = """
    SELECT max(code_key COLLATE "C"), count(*) FROM (
        SELECT code_key FROM {table} WHERE code_key COLLATE "C" > %(after)s
        ORDER BY code_key COLLATE "C" LIMIT %(most)s
    ) AS next
"""
# Whoever inserts many codes does so in the order of their keys: nobody waits for whom he keeps waiting.
# What the terms of a campaign no longer allow, since they changed after the rows were read, stays out.
INSERT = f"""
    WITH made AS (
        INSERT INTO {_VOUCHERS} ({", ".join(_STORED)})
        SELECT {", ".join(_VALUES.get(column, f"shared.{column}") for column in _STORED)}
        FROM {{table}} AS staged
        JOIN json_populate_recordset(NULL::{_VOUCHERS}, %(shared)s::json) AS shared
            ON COALESCE(shared.campaign_id, %(nobody)s) = COALESCE(staged.campaign_id, %(nobody)s)
        LEFT JOIN {_CATEGORIES} AS category
            ON category.project_id = %(project)s AND category.name = staged.category
        WHERE {_IN_RANGE}
            AND ({_LIMIT} IS NULL OR {_USED} <= {_LIMIT})
            AND ({_GIFT} IS NULL OR {_SPENT} <= {_GIFT})
            AND ({_START} IS NULL OR {_END} IS NULL OR {_START} < {_END})
        ORDER BY staged.code_key COLLATE "C"
        ON CONFLICT (project_id, code_key) DO NOTHING
        RETURNING campaign_id
    )
    SELECT campaign_id, count(*) FROM made GROUP BY campaign_id
"""
PART_DOUBLES = f"""
    WITH double AS (
        DELETE FROM {{table}} USING (
            SELECT number, first_value(number) OVER (
                PARTITION BY code_key COLLATE "C" ORDER BY number
            ) AS first
            FROM {{table}}
        ) AS of_code
        WHERE {{table}}.number = of_code.number AND of_code.number > of_code.first
        RETURNING {{table}}.number, code, first
    )
    INSERT INTO {_REPORTED} (action_id, row, name, reason)
    SELECT %(action)s, number, code, 'Code stands in row ' || first || ' already' FROM double
"""
DIFFERENCES = {
    "type": "staged.type <> voucher.type",
    "discount": "staged.discount <> COALESCE(voucher.discount, 'null')",
    "gift_amount": "staged.gift_amount <> COALESCE(voucher.gift_amount, -1)",
    "active": "staged.active <> voucher.active",
    "quantity": "staged.quantity <> COALESCE(voucher.quantity, 0)",
    "redeemed_quantity": "staged.redeemed_quantity <> voucher.imported_quantity",
    "redeemed_amount": "staged.redeemed_amount <> voucher.imported_amount",
    "start_date": "staged.start_date <> COALESCE(voucher.start_date, '-infinity')",
    "expiration_date": "staged.expiration_date <> COALESCE(voucher.expiration_date, 'infinity')",
    "additional_info": "staged.additional_info <> COALESCE(voucher.additional_info, '')",
    "metadata": "NOT voucher.metadata @> staged.metadata",
    "category": "staged.category <> COALESCE(category.name, '')",
}
# Each code is looked up on its own, which OFFSET makes sure of: of a table that is just being filled Postgres
# believes that it has few rows, and would read all of it for every batch.
SETTLE = f"""
    WITH found AS (
        SELECT staged.number, staged.code,
            voucher.campaign_id IS NOT DISTINCT FROM staged.campaign_id
                AND voucher.created_at IS NOT DISTINCT FROM %(made_at)s AS is_made,
            CASE
                WHEN voucher.id IS NULL THEN 'The terms of its campaign have changed, and do not allow it'
                WHEN voucher.deleted_at IS NOT NULL THEN 'Code exists already, in the trash'
                WHEN voucher.campaign_id IS DISTINCT FROM staged.campaign_id
                    THEN 'Code exists already, ' || COALESCE('in campaign ' || campaign.name, 'on its own')
                WHEN voucher.created_at = %(made_at)s THEN NULL
                WHEN %(fail)s THEN 'Code exists already'
                ELSE 'Code exists already with another '
                    || NULLIF(concat_ws(', ', {{differences}}), '')
            END AS reason
        FROM {{table}} AS staged
        {{join}} LATERAL (
            SELECT * FROM {_VOUCHERS} AS taken
            WHERE taken.project_id = %(project)s AND taken.code_key = staged.code_key OFFSET 0
        ) AS voucher ON true
        LEFT JOIN {_CATEGORIES} AS category ON category.id = voucher.category_id
        LEFT JOIN {_CAMPAIGNS} AS campaign ON campaign.id = voucher.campaign_id
        WHERE {_IN_RANGE} AND voucher.id IS DISTINCT FROM staged.id
    ), reported AS (
        INSERT INTO {_REPORTED} (action_id, row, name, reason)
        SELECT %(action)s, number, code, reason FROM found WHERE reason IS NOT NULL
    )
    SELECT count(reason), count(*) FILTER (WHERE reason IS NULL AND NOT is_made),
        count(*) FILTER (WHERE reason IS NULL AND is_made)
    FROM found
"""
NEW_CATEGORIES = f"""
    SELECT DISTINCT category FROM {{table}} AS staged
    WHERE {_IN_RANGE} AND category IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM {_CATEGORIES} AS known
        WHERE known.project_id = %(project)s AND known.name = staged.category
    )
"""
