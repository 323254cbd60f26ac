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
# In the planner's unit, the reading of a page in sequence: what counting may cost.
COUNTED_AT_MOST = 20_000.0
PAGE_MAX = 1000
SECONDS = 10

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are: counted up to 10,000, and what the database reckons beyond."""

    count: int
    is_estimate: bool = False


def total_of(rows: QuerySet[Any], at_least: int = 0, *, is_narrowed: bool = True) -> Total:
    """Return how many rows there are; never more than 10,001 of them are read for it, nor a whole long table.

    `at_least` so many are known to be there. Where nothing narrows the rows, counting some is cheap.
    """
    some = rows.order_by().values_list(Value(1))[: EXACT_UP_TO + 1]
    if not is_narrowed or plan_of(some)["Total Cost"] <= COUNTED_AT_MOST:
        counted = some.count()
        if counted <= EXACT_UP_TO:
            return Total(counted)
        at_least = max(at_least, counted)
    reckoned = int(plan_of(rows.order_by().values_list("pk"))["Plan Rows"])
    return Total(max(reckoned, at_least), is_estimate=True)


def plan_of(rows: QuerySet[Any]) -> dict[str, Any]:
    """Return the top of the planner's plan of a query, with what it reckons: `Total Cost`, `Plan Rows`."""
    said = rows.explain(format="json")
    if not said:  # nothing can be meant, so nothing was asked
        return {"Total Cost": 0.0, "Plan Rows": 0}
    (top,) = json.loads(said)
    plan: dict[str, Any] = top["Plan"]
    return plan


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
    is_inside_another = connection.in_atomic_block
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{SECONDS}s"])
            yield
            if is_inside_another:  # which goes on; else the end of the transaction is the end of the limit
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise QueryTooLarge(
            f"The list took longer than {SECONDS} seconds. Narrow it by a date or another filter"
        ) from error
