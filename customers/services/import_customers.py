"""Many customers at once, in the background: row by row checked, batch by batch committed."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from customers.services.upsert import upsert_customer
from promoengine.core.bulk_bodies import check_rows, metadata_rows
from promoengine.core.errors import DomainError
from promoengine.core.metadata import Schemas
from promoengine.core.models import AsyncAction, Project, UploadedFile
from promoengine.core.row_imports import AS_PUBLISHED, RowPlan, row_plan_of
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.metadata import schemas_now
from promoengine.core.services.uploads import columns_of_table, open_file
from promoengine.core.tables import read_rows

BATCH = 200
COLUMNS = {
    "id": "id",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "birthdate": "birthdate",
    "birthday": "birthdate",
    "source_id": "source_id",
    "description": "description",
}
ADDRESS = {
    "address_line_1": "line_1",
    "line_1": "line_1",
    "address_line_2": "line_2",
    "line_2": "line_2",
    "address_postal_code": "postal_code",
    "postal_code": "postal_code",
    "address_city": "city",
    "city": "city",
    "address_state": "state",
    "state": "state",
    "address_country": "country",
    "country": "country",
}
FIELDS = (*COLUMNS, *ADDRESS)

Numbered = tuple[int, Mapping[str, Any]]


def import_customers_csv(
    project: Project, *, file: UploadedFile, plan: RowPlan = AS_PUBLISHED, now: datetime
) -> AsyncAction:
    """Start the import of an uploaded CSV file; unknown columns become metadata.

    Raises:
        InvalidPayload, UnreadableFile: the plan's mapping is wrong, or of no table.
    """
    if plan.mapping:
        plan.check(columns_of_table(file), FIELDS)
    return start_async_action(
        project,
        "CUSTOMERS.IMPORT_CSV",
        job="customers.jobs.import_csv",
        params={"file": str(file.pk), "plan": plan.to_params()},
        now=now,
    )


def update_customers(project: Project, *, rows: Any, now: datetime) -> AsyncAction:
    """Start the upsert of many customers, each with its `source_id`.

    Raises:
        InvalidPayload: it is no array of objects with a `source_id` each.
    """
    check_rows(rows, "source_id")
    return start_async_action(
        project,
        "CUSTOMERS.BULK_UPDATE",
        job="customers.jobs.update_customers",
        params={"rows": rows},
        total_count=len(rows),
        now=now,
    )


def update_customers_metadata(project: Project, *, data: Any, now: datetime) -> AsyncAction:
    """Start merging one `metadata` into the customers of all `source_ids`; unknown ones are made.

    Raises:
        InvalidPayload: one of the two is missing or of the wrong type.
    """
    rows = metadata_rows(data, "source_id")
    return start_async_action(
        project,
        "CUSTOMERS.METADATA_UPDATE",
        job="customers.jobs.update_customers",
        params={"rows": rows},
        total_count=len(rows),
        now=now,
    )


def run_csv_import(action: AsyncAction) -> None:
    """Import the file of an action, from where an earlier run of it stopped."""
    file = UploadedFile.objects.get(project=action.project, pk=uuid.UUID(action.params["file"]))
    plan, schemas = row_plan_of(action.params), schemas_now(action.project)
    with open_file(file) as content:
        rows = [(row.number, customer_of(row.cells, schemas, plan)) for row in read_rows(content)]
    action.total_count = len(rows)
    action.save(update_fields=["total_count"])
    run_upserts(action, rows)


def run_upserts(action: AsyncAction, rows: Iterable[Numbered]) -> None:
    """Upsert numbered customers in batches; what fails is reported with its number and reason."""
    plan = row_plan_of(action.params)
    rest = islice(rows, action.done_count + action.failed_count, None)
    while batch := list(islice(rest, BATCH)):
        with transaction.atomic():
            with plan.step():
                failures = [failure for row in batch if (failure := _upsert(action.project, row))]
            advance(action, done=len(batch) - len(failures), failed=len(failures), failures=failures)
    action.message = plan.in_words(f"{action.done_count} customers", action.failed_count)


def customer_of(cells: Mapping[str, str], schemas: Schemas, plan: RowPlan) -> dict[str, Any]:
    """Return the payload that a CSV record stands for, its metadata as the schemas define them."""
    payload: dict[str, Any] = {}
    address: dict[str, str] = {}
    metadata: dict[str, str] = {}
    for name, column, text in plan.fields(cells, FIELDS):
        if name in COLUMNS:
            payload[COLUMNS[name]] = text
        elif name in ADDRESS:
            address[ADDRESS[name]] = text
        else:
            metadata[column] = text
    if address:
        payload["address"] = address
    if metadata:
        payload["metadata"] = schemas.read_cells("customer", metadata)
    return payload


def _upsert(project: Project, row: Numbered) -> dict[str, Any] | None:
    number, payload = row
    if not any(payload.get(name) for name in ("id", "source_id", "email")):
        return {"row": number, "source_id": None, "reason": "Neither source_id nor email is given"}
    try:
        with transaction.atomic():
            upsert_customer(project, data=payload, where="", now=timezone.now())
    except DomainError as refusal:
        return {"row": number, "source_id": payload.get("source_id"), "reason": str(refusal)}
    return None
