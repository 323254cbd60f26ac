"""Monthly partitions for the big append-only tables.

A UUIDv7 starts with its time, so a range of ids is a range of time: partitioned by id, a table keeps its
one-column primary key, and a look-up by id reads one partition.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import connection, migrations

MONTHS_AHEAD = 3


def partition_start(month: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 of the instant `month`."""
    milliseconds = int(month.timestamp() * 1000)
    return uuid.UUID(int=milliseconds << 80)


def months_from(first: datetime, count: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield `count` pairs of a month's start and the next one's, from the month of `first`."""
    for index in range(count):
        year, month = divmod(first.year * 12 + first.month - 1 + index, 12)
        next_year, next_month = divmod(year * 12 + month + 1, 12)
        yield datetime(year, month + 1, 1, tzinfo=UTC), datetime(next_year, next_month + 1, 1, tzinfo=UTC)


def create_partitions(table: str, now: datetime) -> None:
    """Create the partitions of `table` for this month and the next ones; those that exist stay.

    Rows of other months lie in the default partition, so an insert never fails for want of one.
    """
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE IF NOT EXISTS "{table}_other" PARTITION OF "{table}" DEFAULT')
        for start, end in months_from(now, MONTHS_AHEAD + 1):
            name = f"{table}_{start:%Y_%m}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone() == (None,):
                cursor.execute(
                    f'CREATE TABLE "{name}" PARTITION OF "{table}"'
                    f" FOR VALUES FROM ('{partition_start(start)}') TO ('{partition_start(end)}')"
                )


class CreatePartitionedModel(migrations.CreateModel):
    """Create a model's table partitioned by ranges of its id, with its first partitions."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        sql, params = schema_editor.table_sql(model)
        schema_editor.execute(f"{sql} PARTITION BY RANGE (id)", params or None)
        schema_editor.deferred_sql.extend(schema_editor._model_indexes_sql(model))
        create_partitions(model._meta.db_table, datetime.now(UTC))


class AddPartitionedIndexConcurrently(migrations.AddIndex):
    """Add an index to a partitioned table while it stays in use: partition by partition, then as a whole.

    What an attempt that failed has left is made anew. Its migration is not atomic.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        quote, name = schema_editor.quote_name, self.index.name
        whole, of_table = quote(name), f"ON {quote(model._meta.db_table)}"
        sql = str(self.index.create_sql(model, schema_editor))
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(PARTITIONS, [model._meta.db_table])
            partitions = [row[0] for row in cursor.fetchall()]
        schema_editor.execute(f"DROP INDEX IF EXISTS {whole}")
        schema_editor.execute(sql.replace(of_table, f"ON ONLY {quote(model._meta.db_table)}", 1), None)
        for partition in partitions:
            part = quote(f"{partition}_{name}"[-63:])
            made = sql.replace(of_table, f"ON {quote(partition)}", 1).replace(whole, part, 1)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {part}")
            schema_editor.execute(made.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY", 1), None)
            schema_editor.execute(f"ALTER INDEX {whole} ATTACH PARTITION {part}")


PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"
