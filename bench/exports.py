"""How fast a long list becomes a file: the whole job beside a plain COPY TO of the same rows and columns.

The COPY reads what the columns are made of, in no order and as it is stored, and its text is thrown away. The
job is run as a worker runs it, with progress and the parts it keeps, but in this process, so that its memory
can be told. Both are run by turns, so that neither meets a warmer machine.
"""

import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.db import connection
from django.utils import timezone

from bench.long_rows import fill
from customers.models import Customer
from promoengine.core.models import Project
from promoengine.core.services.async_actions import run_async_action
from redemptions.export_formats import Format
from redemptions.models import ExportPart, Order, Redemption
from redemptions.services.exports import start_export
from vouchers.models import Publication

DEFAULT, WIDE = "default columns", "a dozen columns"
# What they are in fields, and where they are stored.
IDS = {"id": "t.id", "customer_id": "t.customer_id", "order_id": "t.order_id"}
OF_CAMPAIGN = " LEFT JOIN campaigns_campaign c ON c.id = t.campaign_id"
OF_CUSTOMER = " LEFT JOIN customers_customer u ON u.id = t.customer_id"


@dataclass(frozen=True, slots=True)
class Columns:
    """Fields of an export, None for those it has by default; and what they are made of, read from where."""

    fields: list[str] | None
    stored: str
    source: str


CODES = {
    DEFAULT: Columns(
        None,
        "t.code, t.type, t.gift_amount, coalesce(t.discount, c.discount)",
        f"vouchers_voucher t{OF_CAMPAIGN}",
    ),
    WIDE: Columns(
        [
            *("id", "code", "voucher_type", "value", "discount_type", "campaign", "start_date", "active"),
            *("expiration_date", "redemption_quantity", "created_at", "metadata"),
        ],
        "t.id, t.code, t.type, t.gift_amount, coalesce(t.discount, c.discount), c.name, t.start_date,"
        " t.active, t.expiration_date, t.quantity, t.created_at, t.metadata",
        f"vouchers_voucher t{OF_CAMPAIGN}",
    ),
}
CUSTOMERS = {
    DEFAULT: Columns(None, "t.name, t.source_id", "customers_customer t"),
    WIDE: Columns(
        [
            *("id", "source_id", "name", "email", "phone", "description", "address_city", "address_country"),
            *("birthdate", "created_at", "updated_at", "metadata"),
        ],
        "t.id, t.source_id, t.name, t.email, t.phone, t.description, t.address, t.birthdate, t.created_at,"
        " t.updated_at, t.metadata",
        "customers_customer t",
    ),
}
ORDERS = {
    DEFAULT: Columns(None, "t.id, t.source_id, t.status", "redemptions_order t"),
    WIDE: Columns(
        [
            *("id", "source_id", "created_at", "updated_at", "status", "amount", "discount_amount"),
            *("items_discount_amount", "total_discount_amount", "total_amount", "customer_id", "metadata"),
        ],
        "t.id, t.source_id, t.created_at, t.updated_at, t.status, t.amount, t.calculated, t.customer_id,"
        " t.metadata",
        "redemptions_order t",
    ),
}
REDEMPTIONS = {
    DEFAULT: Columns(
        None,
        "t.id, t.kind, t.voucher_code, t.customer_id, t.created_at, t.result",
        "redemptions_redemption t",
    ),
    WIDE: Columns(
        [
            *("id", "object", "date", "voucher_code", "campaign", "customer_id", "customer_source_id"),
            *("tracking_id", "order_id", "order_amount", "result", "metadata"),
        ],
        "t.id, t.kind, t.created_at, t.voucher_code, c.name, t.customer_id, u.source_id, t.tracking_id,"
        " t.order_id, t.order_amount, t.result, t.metadata",
        f"redemptions_redemption t{OF_CAMPAIGN}{OF_CUSTOMER}",
    ),
}
PUBLICATIONS = {
    DEFAULT: Columns(
        None, "t.voucher_code, t.customer_id, t.created_at, t.channel", "vouchers_publication t"
    ),
    "all columns": Columns(
        ["voucher_code", "customer_id", "customer_source_id", "date", "channel", "campaign", "metadata"],
        "t.voucher_code, t.customer_id, u.source_id, t.created_at, t.channel, c.name, t.metadata",
        f"vouchers_publication t{OF_CAMPAIGN}{OF_CUSTOMER}",
    ),
}
OTHERS = {"customer": CUSTOMERS, "order": ORDERS, "redemption": REDEMPTIONS, "publication": PUBLICATIONS}


def measure_codes(project: Project, *, count: int, rounds: int) -> None:
    """Print what exports of all codes of a project take, which has `count` of them."""
    with connection.cursor() as cursor:
        # As autovacuum does within a minute; a table it has not looked at is planned for as a short one.
        cursor.execute("VACUUM ANALYZE vouchers_voucher")
    _measure(project, "voucher", CODES, Format, count=count, rounds=rounds)


def measure_others(*, count: int, rounds: int) -> None:
    """Fill the other lists of a project with `count` rows each, and print what their CSV files take.

    What has been filled in a database that outlives the process is there the next time.
    """
    project, _ = Project.objects.get_or_create(key="lists", defaults={"name": "Lists"})
    fill(project, count, [Customer, Order, Redemption, Publication])
    for exported, columns in OTHERS.items():
        shown = columns | {"the last without ids": _without_ids(list(columns.values())[-1])}
        _measure(project, exported, shown, [Format.CSV], count=count, rounds=rounds)


def _without_ids(columns: Columns) -> Columns:
    """Return columns without public ids, so that what those take can be told."""
    fields = [name for name in columns.fields or [] if name not in IDS]
    stored = [name for name in columns.stored.split(", ") if name not in IDS.values()]
    return replace(columns, fields=fields, stored=", ".join(stored))


def _measure(
    project: Project,
    exported: str,
    shown: Mapping[str, Columns],
    formats: Iterable[Format],
    *,
    count: int,
    rounds: int,
) -> None:
    for name, columns in shown.items():
        copied: list[float] = []
        taken: dict[Format, list[float]] = {format: [] for format in formats}
        before = _peak()
        for _ in range(rounds):
            copied.append(_seconds_to_copy(project, columns))
            for format, seconds in taken.items():
                seconds.append(_seconds_to_export(project, exported, columns, format, count))
        grown = _peak() - before
        if rounds:
            _print_row(f"COPY TO, {exported}, {name}", min(copied), count)
            for format, seconds in taken.items():
                _print_row(f"{format}, {exported}, {name}", min(seconds), count, min(copied), grown)


def _seconds_to_copy(project: Project, columns: Columns) -> float:
    statement = f"SELECT {columns.stored} FROM {columns.source} WHERE t.project_id = %s"
    if columns.source.startswith(("vouchers_voucher", "customers_customer")):
        statement += " AND t.deleted_at IS NULL"
    began = time.monotonic()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({statement}) TO STDOUT", [project.pk]) as rows,
    ):
        for _part in rows:
            pass
    return time.monotonic() - began


def _seconds_to_export(
    project: Project, exported: str, columns: Columns, format: Format, count: int
) -> float:
    began = time.monotonic()
    parameters = {"format": format.value} | ({"fields": columns.fields} if columns.fields else {})
    data = {"exported_object": exported, "parameters": parameters}
    export = start_export(project, data=data, now=timezone.now())
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
    memory = f"{grown:6d} MB more, {_peak()} MB" if grown is not None else ""
    print(f"{name:42}{taken:12.2f}{count / taken:12.0f}{ratio}{memory}", flush=True)
