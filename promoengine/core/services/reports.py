"""Reports of background work: each row that could not be done, with its number and reason."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from promoengine.core.copying import copy_lines, copy_text
from promoengine.core.models import AsyncAction, ReportedRow
from promoengine.core.services.async_actions import FAILURES_KEPT
from promoengine.core.spreadsheets import harmless

NAME_MAX = 255
CHUNK = 5000
HEADER = ("Row", "Code", "Reason")


class Reported(NamedTuple):
    """A row that could not be done: its number as a spreadsheet shows it, what it is called, and why."""

    row: int
    name: str
    reason: str


def report_rows(action: AsyncAction, rows: Iterable[Reported]) -> None:
    """Add rows to an action's report, in the caller's transaction."""
    lines = (
        f"{action.pk}\t{one.row}\t{copy_text(one.name[:NAME_MAX])}\t{copy_text(one.reason)}\n" for one in rows
    )
    copy_lines(ReportedRow._meta.db_table, ["action_id", "row", "name", "reason"], lines)


def first_reported(action: AsyncAction) -> list[dict[str, Any]]:
    """Return the first rows of an action's report as the wire has failures."""
    rows = ReportedRow.objects.filter(action=action).order_by("row", "id")
    return [
        {"row": row, "code": name, "reason": reason}
        for row, name, reason in rows.values_list("row", "name", "reason")[:FAILURES_KEPT]
    ]


def report_csv(action: AsyncAction) -> Iterator[bytes]:
    """Yield an action's report as a CSV file, by the number of the row, some thousands at a time.

    A spreadsheet takes none of its cells for a formula.
    """
    yield _csv([HEADER])
    rows = ReportedRow.objects.filter(action=action).order_by("row", "id")
    if rows.exists():
        found = rows.values_list("row", "name", "reason").iterator(chunk_size=CHUNK)
    else:
        found = iter([(one.get("row"), one.get("code"), one.get("reason")) for one in action.failed])
    while batch := list(islice(found, CHUNK)):
        yield _csv(batch)


def _csv(rows: Iterable[tuple[Any, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
