"""Storing the products and SKUs of order lines that say `override: true`."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q

from campaigns.builtin import refuse_shipping
from campaigns.models import Product, Sku
from campaigns.payload import read_product, read_sku
from campaigns.services.products import assign, taken
from promoengine.core.errors import InvalidPayload, NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.metadata import Schemas
from promoengine.core.models import Project
from promoengine.core.services.definitions import Growth, definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now

Row = TypeVar("Row", Product, Sku)
Line = Mapping[str, Any]
Columns = Mapping[str, Any]

# What an order line may say of its goods; anything else that is stored of them stays.
STORED = {"product": ("name", "price", "metadata"), "sku": ("sku", "price", "metadata")}


@dataclass(frozen=True, slots=True)
class Named:
    """A product or SKU as an order line names it: by `id`, which must exist, or by the shop's own id."""

    id: str | None
    key: uuid.UUID | None
    source_id: str | None

    @property
    def refs(self) -> list[str]:
        return [ref for ref in (self.id, self.source_id) if ref]

    def __bool__(self) -> bool:
        return bool(self.refs)


@dataclass(frozen=True, slots=True)
class Override:
    """What one order line wants stored; None where that part is only mentioned."""

    product: Named
    sku: Named
    product_columns: Columns | None
    sku_columns: Columns | None
    where: str


@dataclass(slots=True)
class Stored:
    """The rows of one kind that order lines name, and those that are new or changed."""

    kind: str
    by_key: dict[uuid.UUID, Any] = field(default_factory=dict)
    by_source: dict[str, Any] = field(default_factory=dict)
    new: list[Any] = field(default_factory=list)
    changed: dict[uuid.UUID, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed)

    def find(self, named: Named) -> Any:
        if named.id is None:
            return self.by_source.get(named.source_id or "")
        found = self.by_source.get(named.id) or (self.by_key.get(named.key) if named.key else None)
        if found is None:
            raise NotFound(self.kind, named.id)
        return found

    def add(self, row: Product | Sku) -> None:
        self.by_key[row.pk] = row
        if row.source_id is not None:
            self.by_source[row.source_id] = row


def store_overrides(
    project: Project, lines: Sequence[Line], *, where: str = ".order.items", now: datetime
) -> Growth | None:
    """Store the products and SKUs of those checked order lines whose `product` or `sku` say `override: true`.

    What does not exist is made, by its source id; of what exists, the name, price and metadata that are sent
    replace those stored. A new SKU's product is made where it is not stored either. A line's own `source_id`
    is the product's, or the SKU's where `related_object` says so. Nothing is asked of the database where no
    line says override, and nothing is locked where nothing changes. Call it before the definitions are
    shared in the same transaction; returns how it grew their version, if it did.

    Raises:
        InvalidPayload: a field is wrong, or it can't be told what is meant; the details name the property.
        MetadataRefused: a product that is new lacks a required attribute, or one is wrong.
        NotFound: an id is given and the project has no product or SKU of it.
        Duplicate: another product has the SKU.
        BuiltIn: it is the product Shipping, which every project has.
    """
    overrides = [
        found for index, line in enumerate(lines) if (found := read_override(line, f"{where}[{index}]"))
    ]
    if not overrides or not any(_apply(project, overrides, now=now)):
        return None
    return _store(project, overrides, now=now)


@transaction.atomic
def _store(project: Project, overrides: Sequence[Override], *, now: datetime) -> Growth:
    growth = definitions_changed(project)
    # Whoever changes the catalogue waits above, so only now it is certain what is new.
    products, skus = _apply(project, overrides, now=now)
    schemas = schemas_now(project) if products.new else Schemas()
    for product in products.new:
        check_metadata(
            schemas, "product", product.metadata, is_new=True, where="order.items.product.metadata."
        )
    Product.objects.bulk_create(products.new)
    Sku.objects.bulk_create(skus.new)
    for model, rows in ((Product, products), (Sku, skus)):
        if rows.changed:
            names = [*STORED[model._meta.model_name or ""], "updated_at"]
            model._default_manager.bulk_update(rows.changed.values(), names)
    return growth


def read_override(line: Line, where: str) -> Override | None:
    """Return what an order line wants stored, or None where it does not say `override: true`.

    Raises:
        InvalidPayload: a field is wrong, or it can't be told what is meant; the details name the property.
        BuiltIn: it is the product Shipping, which every project has.
    """
    wanted = {kind: _wants(line, kind, where) for kind in STORED}
    if not any(wanted.values()):
        return None
    named = {kind: _named(line, kind) for kind in STORED}
    refuse_shipping(*named["product"].refs)
    for kind, is_wanted in wanted.items():
        if is_wanted and not named[kind]:
            raise InvalidPayload(f"Property {where}.{kind} should have required property 'source_id'")
    columns = {
        kind: read({name: line[kind][name] for name in STORED[kind] if name in line[kind]}, f"{where}.{kind}")
        if wanted[kind]
        else None
        for kind, read in (("product", read_product), ("sku", read_sku))
    }
    return Override(named["product"], named["sku"], columns["product"], columns["sku"], where)


def _wants(line: Line, kind: str, where: str) -> bool:
    said = line.get(kind)
    override = said.get("override") if isinstance(said, Mapping) else None
    if override is not None and not isinstance(override, bool):
        raise InvalidPayload(f"Property {where}.{kind}.override should be boolean")
    return bool(override)


def _named(line: Line, kind: str) -> Named:
    prefix = Product.prefix if kind == "product" else Sku.prefix
    said = line.get(kind) or {}
    own = line.get("source_id") if (line.get("related_object") or "product") == kind else None
    ref, source_id = said.get("id") or line.get(f"{kind}_id"), said.get("source_id") or own
    if not ref:
        return Named(None, None, str(source_id) if source_id else None)
    return Named(str(ref), parse_public_id(prefix, str(ref)), str(source_id) if source_id else None)


def _apply(project: Project, overrides: Sequence[Override], *, now: datetime) -> tuple[Stored, Stored]:
    """Return the stored products and SKUs with what the lines change, written nowhere yet."""
    products = _load(Product, project, (one.product for one in overrides))
    skus = _load(Sku, project, (one.sku for one in overrides))
    for one in overrides:
        product = products.find(one.product)
        if product is None and one.product:
            product = _make(
                Product(project=project, source_id=one.product.source_id, created_at=now), products
            )
        if one.product_columns is not None:
            _change(product, one.product_columns, products, now=now)
        if one.sku_columns is not None:
            _change(_sku(project, one, product, skus, now=now), one.sku_columns, skus, now=now)
    return products, skus


def _sku(project: Project, one: Override, product: Product | None, skus: Stored, *, now: datetime) -> Sku:
    sku: Sku | None = skus.find(one.sku)
    if sku is None and product is None:
        raise InvalidPayload(f"Property {one.where}.product should have required property 'source_id'")
    if sku is None:
        return _make(Sku(project=project, product=product, source_id=one.sku.source_id, created_at=now), skus)
    if product is not None and sku.product_id != product.pk:
        raise taken(sku)
    return sku


def _load(model: type[Row], project: Project, named: Iterable[Named]) -> Stored:
    asked = [one for one in named if one]
    keys = {one.key for one in asked if one.key}
    sources = {ref for one in asked for ref in one.refs}
    stored = Stored(model._meta.model_name or "")
    if asked:
        rows = model._default_manager.filter(project=project)
        for row in rows.filter(Q(pk__in=keys) | Q(source_id__in=sources)):
            stored.add(row)
    return stored


def _make(row: Row, stored: Stored) -> Row:
    stored.new.append(row)
    stored.add(row)
    return row


def _change(row: Product | Sku, columns: Columns, stored: Stored, *, now: datetime) -> None:
    changed = {name: value for name, value in columns.items() if getattr(row, name) != value}
    if not changed:
        return
    assign(row, changed, now=now)
    if not row._state.adding:
        stored.changed[row.pk] = row
