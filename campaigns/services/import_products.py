"""Many products and SKUs at once, in the background: row by row checked, batch by batch written."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.builtin import refuse_shipping
from campaigns.catalogue_csv import PRODUCT_COLUMNS, SKU_COLUMNS, product_of, sku_of
from campaigns.catalogue_selectors import products_of, skus_of
from campaigns.models import Product, Sku
from campaigns.payload import read_product, read_sku
from campaigns.services.products import assign, changes, taken
from promoengine.core.bulk_bodies import check_rows, metadata_rows
from promoengine.core.errors import DomainError, NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.metadata import Schemas
from promoengine.core.models import AsyncAction, Project, UploadedFile
from promoengine.core.row_imports import AS_PUBLISHED, CHECK, RowPlan, row_plan_of
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.definitions import definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now
from promoengine.core.services.seen_attributes import note_attributes
from promoengine.core.services.uploads import columns_of_table, open_file
from promoengine.core.tables import read_rows

BATCH = 200
PRODUCT_FIELDS = ("name", "price", "attributes", "metadata", "image_url", "updated_at")
SKU_FIELDS = ("sku", *PRODUCT_FIELDS[1:])
CSV_JOBS = {
    "PRODUCTS.IMPORT_CSV": "campaigns.jobs.import_products",
    "SKUS.IMPORT_CSV": "campaigns.jobs.import_skus",
}

Numbered = tuple[int, Mapping[str, Any]]
Failures = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Record:
    """A row that is right in itself: its number, the columns it sets, and what it names as its product."""

    number: int
    columns: dict[str, Any]
    product_ref: str = ""

    def failure(self, refusal: DomainError) -> dict[str, Any]:
        return {"row": self.number, "source_id": self.columns.get("source_id"), "reason": str(refusal)}


Write = Callable[[Project, Sequence[Record], datetime], Failures]


def import_products_csv(
    project: Project, *, file: UploadedFile, plan: RowPlan = AS_PUBLISHED, now: datetime
) -> AsyncAction:
    """Start the import of an uploaded CSV file; of products that exist, only the name is changed.

    Raises:
        InvalidPayload, UnreadableFile: the plan's mapping is wrong, or of no table.
    """
    return _start_csv(project, "PRODUCTS.IMPORT_CSV", PRODUCT_COLUMNS, file=file, plan=plan, now=now)


def import_skus_csv(
    project: Project, *, file: UploadedFile, plan: RowPlan = AS_PUBLISHED, now: datetime
) -> AsyncAction:
    """Start the import of an uploaded CSV file; of SKUs that exist, only name and price are changed.

    Raises:
        InvalidPayload, UnreadableFile: the plan's mapping is wrong, or of no table.
    """
    return _start_csv(project, "SKUS.IMPORT_CSV", SKU_COLUMNS, file=file, plan=plan, now=now)


def update_products(project: Project, *, rows: Any, now: datetime) -> AsyncAction:
    """Start the upsert of many products, each with its `source_id`.

    Raises:
        InvalidPayload: it is no array of objects with a `source_id` each.
    """
    check_rows(rows, "source_id")
    return _start_updates(project, "PRODUCTS.BULK_UPDATE", rows, now=now)


def update_products_metadata(project: Project, *, data: Any, now: datetime) -> AsyncAction:
    """Start merging one `metadata` into the products of all `source_ids`; unknown ones are made.

    Raises:
        InvalidPayload: one of the two is missing or of the wrong type.
    """
    rows = metadata_rows(data, "source_id")
    return _start_updates(project, "PRODUCTS.METADATA_UPDATE", rows, now=now)


def run_products_csv(action: AsyncAction) -> None:
    """Import the file of an action, from where an earlier run of it stopped."""
    currency, schemas = action.project.currency, schemas_now(action.project)
    plan = row_plan_of(action.params)

    def read(cells: Mapping[str, str]) -> Record:
        return _product_record(_with_read_metadata(product_of(cells, currency, plan), schemas))

    _run_csv(action, read, write_imported_products)


def run_skus_csv(action: AsyncAction) -> None:
    """Import the file of an action, from where an earlier run of it stopped."""
    currency, schemas = action.project.currency, schemas_now(action.project)
    plan = row_plan_of(action.params)

    def read(cells: Mapping[str, str]) -> Record:
        return _sku_record(_with_read_metadata(sku_of(cells, currency, plan), schemas))

    _run_csv(action, read, write_imported_skus)


def run_product_updates(action: AsyncAction) -> None:
    """Upsert the products of a bulk request, from where an earlier run of it stopped."""
    _run(action, enumerate(action.params["rows"], start=1), _product_record, write_products)


def write_products(
    project: Project,
    records: Sequence[Record],
    now: datetime,
    *,
    changeable: frozenset[str] | None = None,
) -> Failures:
    """Make or change the products of some records, in the caller's transaction; return those refused.

    Of products that exist, only the columns in `changeable` change, where it is given.
    """
    refs = [ref for record in records if (ref := record.columns.get("source_id"))]
    known = {row.source_id: row for row in products_of(project).filter(source_id__in=refs)}
    schemas = schemas_now(project)
    made: list[Product] = []
    changed: dict[uuid.UUID, Product] = {}
    failures: Failures = []
    for record in records:
        product = known.get(record.columns.get("source_id"))
        writes = product is None or changeable is None
        if refused := _refused(record, schemas, is_new=product is None, writes_metadata=writes):
            failures.append(refused)
        elif product is None:
            product = Product(project=project, created_at=now, **record.columns)
            made.append(product)
            if product.source_id:
                known[product.source_id] = product
        elif _change(product, record, changeable, now=now):
            changed[product.pk] = product
    Product.objects.bulk_create(made)
    Product.objects.bulk_update(changed.values(), PRODUCT_FIELDS)
    note_attributes(project, "product", (row.metadata for row in [*made, *changed.values()]), now=now)
    return failures


def write_imported_products(project: Project, records: Sequence[Record], now: datetime) -> Failures:
    """Make the products of some records, and give those that exist their new name."""
    return write_products(project, records, now, changeable=frozenset({"name"}))


def write_imported_skus(project: Project, records: Sequence[Record], now: datetime) -> Failures:
    """Make the SKUs of some records, and give those that exist their new name and price.

    Return the records whose product is unknown, or whose source id a SKU of another product has.
    """
    products = _products_by_ref(project, {record.product_ref for record in records})
    refs = [record.columns["source_id"] for record in records]
    known = {row.source_id: row for row in skus_of(project).filter(source_id__in=refs)}
    schemas = schemas_now(project)
    made: list[Sku] = []
    changed: dict[uuid.UUID, Sku] = {}
    failures: Failures = []
    for record in records:
        product, sku = products.get(record.product_ref), known.get(record.columns["source_id"])
        if product is None:
            failures.append(record.failure(NotFound("product", record.product_ref)))
        elif refused := _refused(record, schemas, writes_metadata=sku is None):
            failures.append(refused)
        elif sku is None:
            sku = Sku(project=project, product=product, created_at=now, **record.columns)
            made.append(sku)
            known[sku.source_id] = sku
        elif sku.product_id != product.pk:
            failures.append(record.failure(taken(sku)))
        elif _change(sku, record, frozenset({"sku", "price"}), now=now):
            changed[sku.pk] = sku
    Sku.objects.bulk_create(made)
    Sku.objects.bulk_update(changed.values(), SKU_FIELDS)
    note_attributes(project, "product", (row.metadata for row in made), now=now)
    return failures


def _start_csv(
    project: Project, type: str, known: Sequence[str], *, file: UploadedFile, plan: RowPlan, now: datetime
) -> AsyncAction:
    if plan.mapping:
        plan.check(columns_of_table(file), known)
    return start_async_action(
        project,
        type,
        job=CSV_JOBS[type],
        params={"file": str(file.pk), "plan": plan.to_params()},
        now=now,
    )


def _start_updates(project: Project, type: str, rows: list[Any], *, now: datetime) -> AsyncAction:
    return start_async_action(
        project,
        type,
        job="campaigns.jobs.update_products",
        params={"rows": rows},
        total_count=len(rows),
        now=now,
    )


def _run_csv(action: AsyncAction, read: Callable[[Any], Record], write: Write) -> None:
    file = UploadedFile.objects.get(project=action.project, pk=uuid.UUID(action.params["file"]))
    with open_file(file) as content:
        rows = [(row.number, row.cells) for row in read_rows(content)]
    action.total_count = len(rows)
    action.save(update_fields=["total_count"])
    _run(action, rows, read, write)


def _run(action: AsyncAction, rows: Iterable[Numbered], read: Callable[[Any], Record], write: Write) -> None:
    """Write numbered rows in batches; what fails is reported with its number and reason."""
    plan = row_plan_of(action.params)
    rest = islice(rows, action.done_count + action.failed_count, None)
    while batch := list(islice(rest, BATCH)):
        with transaction.atomic():
            records, failures = _checked(batch, read)
            if records:
                # A check changes nothing that a checkout would have to wait for.
                if plan.mode != CHECK:
                    definitions_changed(action.project)
                with plan.step():
                    failures += write(action.project, records, timezone.now())
            failures.sort(key=lambda failure: failure["row"])
            advance(action, done=len(batch) - len(failures), failed=len(failures), failures=failures)
    action.message = plan.in_words(str(action.done_count), action.failed_count)


def _checked(batch: Sequence[Numbered], read: Callable[[Any], Record]) -> tuple[list[Record], Failures]:
    records, failures = [], []
    for number, row in batch:
        try:
            records.append(replace(read(row), number=number))
        except DomainError as refusal:
            failures.append(Record(number, {"source_id": _source_id(row)}).failure(refusal))
    return records, failures


def _source_id(row: Mapping[str, Any]) -> Any:
    return next((value for name, value in row.items() if name.lower() == "source_id"), None)


def _product_record(payload: Mapping[str, Any]) -> Record:
    columns = read_product(payload)
    refuse_shipping(columns.get("source_id"))
    return Record(0, columns)


def _sku_record(payload: Mapping[str, Any]) -> Record:
    refuse_shipping(payload["product_id"])
    return Record(0, read_sku(payload), payload["product_id"])


def _with_read_metadata(payload: dict[str, Any], schemas: Schemas) -> dict[str, Any]:
    """Return the payload of a CSV record with its metadata as the schema of products defines them."""
    metadata = schemas.read_cells("product", payload.get("metadata", {}))
    return payload | {"metadata": metadata} if metadata else payload


def _refused(
    record: Record, schemas: Schemas, *, is_new: bool = False, writes_metadata: bool = True
) -> dict[str, Any] | None:
    """Return the failure of a record whose metadata break the schema of products, where they are written."""
    if not writes_metadata:
        return None
    try:
        check_metadata(schemas, "product", record.columns.get("metadata"), is_new=is_new)
    except DomainError as refusal:
        return record.failure(refusal)
    return None


def _change(row: Product | Sku, record: Record, changeable: frozenset[str] | None, *, now: datetime) -> bool:
    """Write a record into a row, and return whether it must be saved: one just made is saved anyway."""
    columns = {
        name: value for name, value in record.columns.items() if changeable is None or name in changeable
    }
    changed = changes(row, columns)
    assign(row, changed, now=now)
    return bool(changed) and not row._state.adding


def _products_by_ref(project: Project, refs: set[str]) -> dict[str, Product]:
    keys = [key for ref in refs if (key := parse_public_id(Product.prefix, ref))]
    found: dict[str, Product] = {}
    for product in products_of(project).filter(Q(source_id__in=refs) | Q(pk__in=keys)):
        found[product.public_id] = product
        if product.source_id:
            found[product.source_id] = product
    return found
