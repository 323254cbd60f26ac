"""Pages of long tables: what a page costs depends on how deep it is, and never on how long the table is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import Model, QuerySet, Value
from psycopg.errors import QueryCanceled

from promoengine.core.errors import QueryTooLarge

EXACT_UP_TO = 10_000
PAGE_MAX = 1000
SECONDS = 10

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are: counted up to 10,000, and what the database reckons beyond."""

    count: int
    is_estimate: bool = False


def total_of(rows: QuerySet[Any]) -> Total:
    """Return how many rows there are; never more than 10,001 of them are read for it."""
    counted = rows.order_by().values_list(Value(1))[: EXACT_UP_TO + 1].count()
    if counted <= EXACT_UP_TO:
        return Total(counted)
    (plan,) = json.loads(rows.order_by().values_list("pk").explain(format="json"))
    return Total(max(int(plan["Plan"]["Plan Rows"]), counted), is_estimate=True)


def rows_between(rows: QuerySet[Row], first: int, end: int) -> list[Row]:
    """Return the rows from `first` up to `end` in the order that `rows` have.

    What lies before is stepped over by its keys alone, which an index gives; only the page is read whole.
    """
    if not first:
        return list(rows[:end])
    keys = list(rows.values_list("pk", flat=True)[first:end])
    by_key = {row.pk: row for row in rows.order_by().filter(pk__in=keys)} if keys else {}
    return [by_key[key] for key in keys if key in by_key]


@contextmanager
def bounded(is_needed: bool = True) -> Iterator[None]:
    """Give each query in the block ten seconds: what no index answers must not hold a worker for long.

    It costs statements of its own, so a caller whose queries an index answers for certain goes without.

    Raises:
        QueryTooLarge: a query took longer.
    """
    if not is_needed:
        yield
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{SECONDS}s"])
            yield
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise QueryTooLarge(
            f"The list took longer than {SECONDS} seconds. Narrow it by a date or another filter"
        ) from error
