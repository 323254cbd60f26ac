"""Inserting rows of several tables in one statement, for paths where each round trip counts."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models


def insert_rows(*groups: Sequence[models.Model]) -> None:
    """Insert rows that have their keys, all of one table in each group, in the caller's transaction.

    Empty groups are left out. Values travel as JSON, so they are what JSON, UUIDs and datetimes can say.

    Raises:
        IntegrityError: a constraint refuses a row; none is inserted.
    """
    filled = [group for group in groups if group]
    if not filled:
        return
    statements = [_statement(type(group[0])) for group in filled]
    earlier = ", ".join(f"inserted_{place} AS ({sql})" for place, sql in enumerate(statements[:-1]))
    with connection.cursor() as cursor:
        cursor.execute(
            (f"WITH {earlier} " if earlier else "") + statements[-1],
            [_json([_row(one) for one in group]) for group in filled],
        )
    for group in filled:
        for one in group:
            one._state.adding, one._state.db = False, connection.alias


def _statement(model: type[models.Model]) -> str:
    table = f'"{model._meta.db_table}"'
    return f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s::json)"


def _row(one: models.Model) -> dict[str, Any]:
    return {field.column: getattr(one, field.attname) for field in one._meta.concrete_fields}


def _json(rows: list[dict[str, Any]]) -> str:
    try:
        return orjson.dumps(rows, default=_plain).decode()
    except TypeError:
        # Stored metadata may hold a number beyond 64 bits, as 1e300 is read back: orjson does not write it.
        return json.dumps(rows, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, UUID | datetime):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be inserted")
