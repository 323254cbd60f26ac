"""Reports of background work: each row that could not be done, with its number and reason."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from promoengine.core.copying import copy_lines, copy_text
from promoengine.core.json_text import to_json
from promoengine.core.models import AsyncAction, Project, ReportedRow
from promoengine.core.services.async_actions import FAILURES_KEPT
from promoengine.core.spreadsheets import harmless

NAME_MAX = 255
CHUNK = 5000
# What is shorter may stand in any reason by chance.
TOLD_BY_MIN = 4
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


def forget_reported(project: Project, names: Collection[str]) -> None:
    """Leave of what ended work reported the numbers of rows alone, where they name somebody by one of these.

    `names` are a person's ids and addresses. It reads all reports of the project that hold one of them.
    """
    texts = [to_json(name).decode()[1:-1] for name in names]
    naming = Q()
    for text in texts:
        naming |= Q(failed_text__contains=text)
    rows = AsyncAction.objects.filter(project=project, finished_at__isnull=False).exclude(failed=[])
    for action in rows.annotate(failed_text=Cast("failed", TextField())).filter(naming) if texts else ():
        action.failed = [_unnamed(row, names) for row in action.failed]
        action.save(update_fields=["failed"])
    ReportedRow.objects.filter(action__project=project, name__in=names).update(name="", reason="")


def _unnamed(row: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    is_theirs = any(value in names for value in row.values()) or any(
        len(name) >= TOLD_BY_MIN and name in str(row.get("reason")) for name in names
    )
    return {"row": row.get("row"), "reason": ""} if is_theirs else row


def _csv(rows: Iterable[tuple[Any, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
