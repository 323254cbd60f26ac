"""Making, changing and deleting products and SKUs."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from campaigns.builtin import refuse_shipping
from campaigns.catalogue_selectors import find_product, find_sku, product_by_ref, sku_by_ref
from campaigns.models import Product, Sku
from campaigns.payload import read_product, read_sku
from campaigns.services.bin import goods_to_keep, put_in_bin
from promoengine.core.errors import Duplicate
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now
from promoengine.core.services.seen_attributes import note_attributes

Row = TypeVar("Row", Product, Sku)


@transaction.atomic
def upsert_product(project: Project, *, data: Any, dropped: Collection[str] = (), now: datetime) -> Product:
    """Create the product a payload describes, or update the one it names by `id` or `source_id`; return it.

    Metadata is merged, without the keys that are `dropped`. Where nothing changes, nothing is written.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        NotFound: an id is given and the project has no product of it.
        BuiltIn: it names the product Shipping, which every project has.
    """
    columns = read_product(data)
    refuse_shipping(data.get("id"), data.get("source_id"))
    product = find_product(project, data)
    if product is not None and not changes(product, columns, dropped):
        return product
    definitions_changed(project)
    # Whoever changes the catalogue waits above, so only now it is certain whether the product is new.
    product = find_product(project, data) or Product(project=project, created_at=now)
    _check(product, columns)
    return _save(product, changes(product, columns, dropped), now=now)


@transaction.atomic
def update_product(project: Project, ref: str, *, data: Any, now: datetime) -> Product:
    """Change the product of that id or source id, and return it; the source id itself stays.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        NotFound: the project has no such product.
        BuiltIn: it is the product Shipping, which every project has.
    """
    columns = _without_source_id(read_product(data))
    refuse_shipping(ref)
    product = product_by_ref(project, ref)
    if not changes(product, columns):
        return product
    definitions_changed(project)
    product = product_by_ref(project, ref)
    _check(product, columns)
    return _save(product, changes(product, columns), now=now)


@transaction.atomic
def delete_product(
    project: Project, ref: str, *, force: bool = False, deleted_by: str | None = None, now: datetime
) -> None:
    """Put a product with its SKUs into the bin, or with `force` delete it; they leave their collections.

    Raises:
        NotFound: the project has no such product.
        BuiltIn: it is the product Shipping, which every project has.
    """
    refuse_shipping(ref)
    definitions_changed(project)
    product = product_by_ref(project, ref)
    if not force:
        kept = goods_to_keep(product, list(Sku.objects.filter(product=product)))
        put_in_bin(project, "product", product, name=str(product), kept=kept, deleted_by=deleted_by, now=now)
    product.delete()


@transaction.atomic
def upsert_sku(
    project: Project, product_ref: str, *, data: Any, dropped: Collection[str] = (), now: datetime
) -> Sku:
    """Create a SKU of a product, or update the one named by `id` or `source_id`; return it.

    Metadata is merged, without the keys that are `dropped`.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        NotFound: the project has no such product, or an id is given and there is no SKU of it.
        Duplicate: another product has a SKU of that source id.
        BuiltIn: it is the product Shipping, which every project has.
    """
    columns = read_sku(data)
    refuse_shipping(product_ref)
    product = product_by_ref(project, product_ref)
    sku = _sku_under(product, data)
    if sku is not None and not changes(sku, columns, dropped):
        return sku
    definitions_changed(project)
    sku = _sku_under(product, data) or Sku(project=project, product=product, created_at=now)
    _check(sku, columns)
    return _save(sku, changes(sku, columns, dropped), now=now)


@transaction.atomic
def update_sku(project: Project, product_ref: str, ref: str, *, data: Any, now: datetime) -> Sku:
    """Change a product's SKU, and return it; the source id itself stays.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        NotFound: the project has no such product, or the product no such SKU.
    """
    columns = _without_source_id(read_sku(data))
    product = product_by_ref(project, product_ref)
    sku = sku_by_ref(project, ref, product=product)
    if not changes(sku, columns):
        return sku
    definitions_changed(project)
    sku = sku_by_ref(project, ref, product=product)
    _check(sku, columns)
    return _save(sku, changes(sku, columns), now=now)


@transaction.atomic
def delete_sku(
    project: Project,
    product_ref: str,
    ref: str,
    *,
    force: bool = False,
    deleted_by: str | None = None,
    now: datetime,
) -> None:
    """Put a product's SKU into the bin, or with `force` delete it for good.

    Raises:
        NotFound: the project has no such product, or the product no such SKU.
    """
    definitions_changed(project)
    sku = sku_by_ref(project, ref, product=product_by_ref(project, product_ref))
    if not force:
        put_in_bin(
            project,
            "sku",
            sku,
            name=str(sku),
            parent_id=sku.product.public_id,
            kept=goods_to_keep(None, [sku]),
            deleted_by=deleted_by,
            now=now,
        )
    sku.delete()


def changes(row: Product | Sku, columns: Mapping[str, Any], dropped: Collection[str] = ()) -> dict[str, Any]:
    """Return what `columns` would change in a row: a source id, once set, stays.

    Metadata is merged, without the keys that are `dropped`.
    """
    changed = {}
    if dropped:
        columns = {"metadata": {}, **columns}
    for name, value in columns.items():
        old = getattr(row, name)
        if name == "source_id" and old is not None:
            continue
        new = value
        if name == "metadata":
            new = {key: one for key, one in (old | value).items() if key in value or key not in dropped}
        if new != old:
            changed[name] = new
    return changed


def assign(row: Product | Sku, changed: Mapping[str, Any], *, now: datetime) -> None:
    """Write changes into a row that somebody else saves; a row that is new has not been updated yet."""
    for name, value in changed.items():
        setattr(row, name, value)
    if not row._state.adding:
        row.updated_at = now


def _save(row: Row, changed: Mapping[str, Any], *, now: datetime) -> Row:
    assign(row, changed, now=now)
    if metadata := changed.get("metadata"):
        note_attributes(row.project, "product", [metadata], now=now)
    if row._state.adding:
        row.save(force_insert=True)
        return row
    try:
        with transaction.atomic():
            row.save(update_fields=[*changed, "updated_at"])
    except IntegrityError as error:
        raise taken(row) from error
    return row


def _check(row: Product | Sku, columns: Mapping[str, Any]) -> None:
    """Refuse metadata that break the schema of products, which SKUs share: they add to their product's.

    What is required is asked of the product, so a SKU need not repeat it.
    """
    is_new = isinstance(row, Product) and row._state.adding
    if is_new or "metadata" in columns:
        check_metadata(schemas_now(row.project), "product", columns.get("metadata"), is_new=is_new)


def _sku_under(product: Product, data: Mapping[str, Any]) -> Sku | None:
    sku = find_sku(product.project, data)
    if sku is not None and sku.product_id != product.pk:
        raise taken(sku)
    return sku


def taken(row: Product | Sku) -> Duplicate:
    """Return the refusal of a source id that another product or SKU has."""
    kind = "product" if isinstance(row, Product) else "sku"
    return Duplicate(
        f"Duplicated {kind} exists with source_id {row.source_id}",
        resource_id=row.source_id,
        resource_type=kind,
    )


def _without_source_id(columns: dict[str, Any]) -> dict[str, Any]:
    columns.pop("source_id", None)
    return columns
