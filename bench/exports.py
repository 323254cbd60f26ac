"""How fast a long list becomes a file: the whole job beside a plain COPY TO of the same rows and columns.

The COPY reads what the columns are made of, in no order and as it is stored, and its text is thrown away. The
job is run as a worker runs it, with progress and the parts it keeps, but in this process, so that its memory
can be told.
"""

import resource
import time

from django.db import connection
from django.utils import timezone

from promoengine.core.models import Project
from promoengine.core.services.async_actions import run_async_action
from redemptions.export_formats import Format
from redemptions.models import ExportPart
from redemptions.services.exports import start_export

# Columns of an export, and those of the tables that they are made of.
COLUMNS = {
    "the default columns": (
        None,
        "v.code, v.type, v.gift_amount, coalesce(v.discount, c.discount)",
    ),
    "a dozen columns": (
        [
            *("id", "code", "voucher_type", "value", "discount_type", "campaign", "start_date", "active"),
            *("expiration_date", "redemption_quantity", "created_at", "metadata"),
        ],
        "v.id, v.code, v.type, v.gift_amount, coalesce(v.discount, c.discount), c.name, v.start_date,"
        " v.active, v.expiration_date, v.quantity, v.created_at, v.metadata",
    ),
}


def measure_exports(project: Project, *, count: int, rounds: int) -> None:
    """Print what exports of all codes of a project take, which has `count` of them."""
    with connection.cursor() as cursor:
        # As autovacuum does within a minute; a table it has not looked at is planned for as a short one.
        cursor.execute("VACUUM ANALYZE vouchers_voucher")
    for name, (fields, columns) in COLUMNS.items():
        copied = min(_seconds_to_copy(project, columns) for _ in range(rounds))
        _print_row(f"plain COPY TO, {name}", copied, count)
        for format in Format:
            before = _peak()
            taken = min(_seconds_to_export(project, fields, format, count) for _ in range(rounds))
            grown = _peak() - before
            _print_row(f"export to {format}, {name}", taken, count, beside=copied, grown=grown)


def _seconds_to_copy(project: Project, columns: str) -> float:
    began = time.monotonic()
    with connection.cursor() as cursor:
        statement = (
            f"COPY (SELECT {columns} FROM vouchers_voucher v LEFT JOIN campaigns_campaign c"
            " ON c.id = v.campaign_id WHERE v.project_id = %s AND v.deleted_at IS NULL) TO STDOUT"
        )
        with cursor.copy(statement, [project.pk]) as rows:
            for _part in rows:
                pass
    return time.monotonic() - began


def _seconds_to_export(project: Project, fields: list[str] | None, format: Format, count: int) -> float:
    began = time.monotonic()
    parameters = {"format": format.value} | ({"fields": fields} if fields else {})
    export = start_export(
        project, data={"exported_object": "voucher", "parameters": parameters}, now=timezone.now()
    )
    run_async_action(export.action_id)
    taken = time.monotonic() - began
    export.refresh_from_db()
    assert (export.status, export.row_count) == ("DONE", count), export.action.message
    ExportPart.objects.filter(export=export).delete()
    return taken


def _peak() -> int:
    """Return the most memory this process has had so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _print_row(
    name: str, taken: float, count: int, beside: float | None = None, grown: int | None = None
) -> None:
    ratio = f"{taken / beside:8.2f}" if beside else ""
    memory = f"{grown:6d} MB more" if grown is not None else ""
    print(f"{name:42}{taken:12.2f}{count / taken:12.0f}{ratio}{memory}", flush=True)
