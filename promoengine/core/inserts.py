"""Handing over rows of several tables, and arrays, where each round trip and each microsecond counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection, models

from promoengine.core.json_text import to_json


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of the database, with its parameters."""

    sql: str
    parameters: Sequence[Any]


def insert_rows(*groups: Sequence[models.Model], only_if: Call | None = None) -> None:
    """Insert rows that have their keys, all of one table in each group, in the caller's transaction.

    Empty groups are left out. Values travel as JSON, so they are what JSON, UUIDs, dates and datetimes can
    say. What `only_if` calls in the database comes before them, in the same statement: what it refuses by an
    error is not done at all.

    Raises:
        IntegrityError: a constraint refuses a row, or `only_if` does; none is inserted.
    """
    filled = [group for group in groups if group]
    if not filled:
        return
    *earlier, last = (_statement(type(group[0])) for group in filled)
    before = [f"inserted_{place} AS ({sql})" for place, sql in enumerate(earlier)]
    parameters: list[Any] = []
    if only_if is not None:
        # The last statement reads it, which the database does before those that nothing reads.
        before.insert(0, f"called AS MATERIALIZED (SELECT {only_if.sql})")
        last += " CROSS JOIN called"
        parameters += only_if.parameters
    with connection.cursor() as cursor:
        cursor.execute(
            (f"WITH {', '.join(before)} " if before else "") + last,
            [*parameters, *map(_json, filled)],
        )
    for group in filled:
        for one in group:
            one._state.adding, one._state.db = False, connection.alias


def insert_unless_there(row: models.Model) -> bool:
    """Insert a row that has its key, as `insert_rows` does, unless a unique one like it is there already.

    Waits for others who are inserting such a row. Returns whether it was inserted.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"{_statement(type(row))} ON CONFLICT DO NOTHING", [_json([row])])
        inserted = cursor.rowcount == 1
    if inserted:
        row._state.adding, row._state.db = False, connection.alias
    return inserted


def array_text(values: Iterable[UUID | int]) -> str:
    """Return an array as Postgres reads it from text, which takes the driver far less than a list does."""
    return "{" + ",".join(map(str, values)) + "}"


def _statement(model: type[models.Model]) -> str:
    table = f'"{model._meta.db_table}"'
    return f"INSERT INTO {table} SELECT row.* FROM json_populate_recordset(NULL::{table}, %s::json) AS row"


def _json(rows: Sequence[models.Model]) -> str:
    return to_json([_row(one) for one in rows], default=_plain).decode()


def _row(one: models.Model) -> dict[str, Any]:
    columns, values_of = _columns(type(one))
    return dict(zip(columns, values_of(one), strict=True))


@lru_cache
def _columns(model: type[models.Model]) -> tuple[list[str], attrgetter]:
    fields = model._meta.concrete_fields
    return [field.column for field in fields], attrgetter(*(field.attname for field in fields))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, UUID | date):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be inserted")
