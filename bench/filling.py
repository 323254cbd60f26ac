"""Filling tables with very many rows for benches: by generate_series, with the indexes made afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# A UUIDv7 of the year 2024 whose last digits are the number of the row.
KEY = "('018cc251-f400-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
AT = "timestamptz '2024-01-01' + n * interval '1 second'"
# Those that no constraint needs, with what the planner is to keep of their expressions.
INDEXES = """
    SELECT shown.indexname, shown.indexdef, attribute.attnum, attribute.attstattarget
    FROM pg_indexes AS shown
    JOIN pg_index AS known ON known.indexrelid = shown.indexname::regclass
    LEFT JOIN pg_attribute AS attribute
        ON attribute.attrelid = known.indexrelid AND attribute.attstattarget >= 0
    WHERE shown.tablename = %s AND NOT known.indisunique
"""


def insert(model: type, columns: dict[str, str], parameters: dict[str, Any]) -> None:
    """Insert rows numbered n; a column that is not named gets what a new row has."""
    fresh = model()
    for field in model._meta.concrete_fields:
        value = None if field.generated or field.null else field.pre_save(fresh, True)
        if field.column not in columns and value is not None:
            parameters = parameters | {field.column: field.get_db_prep_save(value, connection)}
            columns[field.column] = f"%({field.column})s"
    names = ", ".join(columns)
    values = ", ".join(columns.values())
    table = model._meta.db_table
    with connection.cursor() as cursor, without_indexes(table):
        # Foreign keys are right by their making: to check ten million takes longer than to write them.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, %(rows)s) AS n",
            parameters,
        )
        cursor.execute("RESET session_replication_role")
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {table}")


@contextmanager
def without_indexes(table: str) -> Iterator[None]:
    """Take a table's indexes away for the while, and make them again by their own definitions."""
    with connection.cursor() as cursor:
        cursor.execute(INDEXES, [table])
        indexes = cursor.fetchall()
        for name in {name for name, *_ in indexes}:
            cursor.execute(f"DROP INDEX {name}")
        yield
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for definition in {definition for _, definition, *_ in indexes}:
            # That of a partitioned table is said of itself alone.
            cursor.execute(definition.replace(" ON ONLY ", " ON "))
        for name, _, column, target in indexes:
            if target is not None:
                cursor.execute(f"ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target}")
        cursor.execute("RESET maintenance_work_mem")
