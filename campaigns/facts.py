"""The catalogue as the engine sees it: the goods that a checkout names, and the collections they are in."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Field, ForeignKey, OuterRef, Q, UUIDField, Value

from campaigns.builtin import SHIPPING, SHIPPING_IDS
from campaigns.catalogue_selectors import products_of, skus_of, with_sku_refs
from campaigns.catalogue_wire import filtered_good, listed_good
from campaigns.membership import ProductFilter, parse_filter
from campaigns.models import Product, ProductCollection, ProductCollectionMember, Sku
from customers.places import with_shapes
from promoengine.core.ids import parse_public_id, public_id
from promoengine.core.models import Project
from promoengine.engine.items import ALL_PRODUCTS
from promoengine.engine.operators import Moment
from promoengine.engine.order import Good

Filters = Mapping[str, ProductFilter]
Line = Mapping[str, Any]

PRODUCT_COLUMNS = [column.attname for column in Product._meta.concrete_fields]
SKU_COLUMNS = [column.attname for column in Sku._meta.concrete_fields]
NO_COLLECTION = frozenset({ALL_PRODUCTS})
PROJECTS_KEPT, GOODS_KEPT = 1000, 50_000

Goods = dict[str, tuple[Good, ...]]

_known_goods: dict[uuid.UUID, tuple[tuple[int, int], Goods]] = {}
_known_filters: dict[uuid.UUID, tuple[int, Filters]] = {}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The stored goods that a checkout names, by every id they are known by.

    A SKU's `price` is its product's where it has none of its own, its `metadata` add to its product's, and
    its `wire` has the product in it. `collections` are the public ids of all that a good is in.
    """

    at: Moment
    products: Mapping[str, Good] = field(default_factory=dict)
    skus: Mapping[str, Good] = field(default_factory=dict)
    filters: Filters = field(default_factory=dict)

    @property
    def goods(self) -> dict[str, Good]:
        """All goods by id and source id; a source id that two have is the product's."""
        return {**self.skus, **self.products}

    def good_of_line(self, line: Line) -> Good | None:
        """Return the stored SKU that an order line names, else the stored product, else None."""
        if not self.skus and not self.products:
            return None
        product_refs, sku_refs = self._refs(line)
        return _first(self.skus, sku_refs) or _first(self.products, product_refs)

    def collections_of_line(self, line: Line) -> frozenset[str]:
        """Return the public ids of the collections that an order line's product or SKU is in.

        Goods that are not stored are in the AUTO_UPDATE collections whose filter matches what the line says
        of them; of stored goods only what is stored counts.
        """
        if not (self.skus or self.products or self.filters):
            return NO_COLLECTION
        product_refs, sku_refs = self._refs(line)
        found = {ALL_PRODUCTS}
        for kind, stored, refs in (("product", self.products, product_refs), ("sku", self.skus, sku_refs)):
            if good := _first(stored, refs):
                found |= good.collections
            elif refs or line.get(kind):
                found |= _matching(self.filters, _as_sent(line, kind, refs), self.at)
        return frozenset(found)

    def _refs(self, line: Line) -> tuple[list[str], list[str]]:
        """Return the ids by which a line names its product, and those by which it names its SKU."""
        source_id, kind = line.get("source_id"), line.get("related_object")
        if kind is None:
            kind = "sku" if source_id in self.skus and source_id not in self.products else "product"
        return _named(line, "product", kind), _named(line, "sku", kind)


def catalogue_facts(
    project: Project,
    *,
    refs: Collection[str] = (),
    lines: Sequence[Line] = (),
    asked: Collection[str] | None = None,
    version: int,
    at: Moment,
) -> Catalogue:
    """Return what the catalogue knows of the goods named by `refs` and by order lines.

    One query loads products, SKUs and the static collections that list them, however many there are; a second
    one the filters of AUTO_UPDATE collections. Both are kept in this process by project and `version`, that
    of its definitions, and asked for again only where something is not kept yet.
    Where `asked` is given, goods that are not stored are looked for in those AUTO_UPDATE collections alone.
    """
    named = {ref for ref in refs if ref}.union(*(refs_of_line(line) for line in lines))
    if not named and not any(line.get("product") or line.get("sku") for line in lines):
        return Catalogue(at)
    filters = _filters_of(project, version)
    products: dict[str, Good] = {}
    skus: dict[str, Good] = {}
    if named & SHIPPING_IDS:
        products |= dict.fromkeys(SHIPPING_IDS, _shipping(filters, at))
    if wanted := named - SHIPPING_IDS:
        kept = _kept_goods(project, version, at)
        if missing := [ref for ref in wanted if ref not in kept]:
            _keep(kept, missing, _stored(project, missing, filters, at))
        for good in {id(good): good for ref in wanted for good in kept.get(ref, ())}.values():
            (products if good.object == "product" else skus).update(dict.fromkeys(good.ids, good))
    if asked is not None:
        filters = {ref: filters[ref] for ref in asked if ref in filters}
    return Catalogue(at, products, skus, filters)


def forget_goods() -> None:
    """Keep no goods in this process any longer."""
    _known_goods.clear()
    _known_filters.clear()


def _kept_goods(project: Project, version: int, at: Moment) -> Goods:
    """Return the goods kept by id; for a minute, because a filter may look at the time, too."""
    kept_for = version, int(at.now.timestamp() // 60)
    known = _known_goods.get(project.pk)
    if known is not None and known[0] == kept_for and len(known[1]) < GOODS_KEPT:
        return known[1]
    if len(_known_goods) >= PROJECTS_KEPT:
        _known_goods.clear()
    _known_goods[project.pk] = kept_for, {}
    return _known_goods[project.pk][1]


def _keep(kept: Goods, refs: Collection[str], goods: Iterable[Good]) -> None:
    """Keep what was found of these ids, and that nothing was."""
    found: dict[str, tuple[Good, ...]] = dict.fromkeys(refs, ())
    for good in goods:
        for key in good.ids & found.keys():
            found[key] = (*found[key], good)
    kept.update(found)


def _stored(project: Project, refs: Collection[str], filters: Filters, at: Moment) -> Iterator[Good]:
    with_skus = any(one.asks_for_skus for one in filters.values())
    for row, listed, sku_refs in _load(project, refs, with_skus=with_skus):
        collections = {public_id(ProductCollection.prefix, key) for key in listed}
        collections |= _matching(filters, filtered_good(row, sku_refs), at)
        yield _good(row, collections)


def refs_of_line(line: Line) -> set[str]:
    """Return all ids and source ids by which an order line names its product and its SKU."""
    kind = line.get("related_object") or "product"
    return {*_named(line, "product", kind), *_named(line, "sku", kind)}


def _named(line: Line, kind: str, source_id_is_of: str) -> list[str]:
    """Return the ids by which a line names its product, or its SKU, the plainest first."""
    refs = [line.get(f"{kind}_id")]
    if said := line.get(kind):
        refs += [said.get("id"), said.get("source_id")]
    if source_id_is_of == kind:
        refs.append(line.get("source_id"))
    return [ref for ref in refs if ref and isinstance(ref, str)]


def _first(stored: Mapping[str, Good], refs: Iterable[str]) -> Good | None:
    return next((stored[ref] for ref in refs if ref in stored), None)


def _as_sent(line: Line, kind: str, refs: Sequence[str]) -> dict[str, Any]:
    """Return a product or SKU that is not stored, as far as the line tells; its ids are the shop's own."""
    ref = refs[0] if refs else None
    known = {"object": kind, "id": ref, "source_id": ref, "price": line.get("price")}
    if kind == "sku":
        known["product_id"] = line.get("product_id")
    return known | {name: value for name, value in (line.get(kind) or {}).items() if value is not None}


def _good(row: Product | Sku, collections: set[str]) -> Good:
    product = row if isinstance(row, Product) else row.product
    return Good(
        "product" if row is product else "sku",
        _ids(row),
        _ids(product),
        price=product.price if row.price is None else row.price,
        collections=frozenset({ALL_PRODUCTS, *collections}),
        metadata=product.metadata | row.metadata,
        wire=listed_good(row),
    )


def _shipping(filters: Filters, at: Moment) -> Good:
    collections = frozenset({ALL_PRODUCTS, *_matching(filters, SHIPPING, at)})
    return Good("product", SHIPPING_IDS, SHIPPING_IDS, collections=collections, wire=SHIPPING)


def _ids(row: Product | Sku) -> frozenset[str]:
    return frozenset({row.public_id, row.source_id} if row.source_id else {row.public_id})


def _matching(filters: Filters, good: Mapping[str, Any], at: Moment) -> set[str]:
    return {collection for collection, one in filters.items() if one.matches(good, at)}


def _filters_of(project: Project, version: int) -> Filters:
    known = _known_filters.get(project.pk)
    if known and known[0] == version:
        return known[1]
    rows = ProductCollection.objects.filter(project=project, type=ProductCollection.Type.AUTO_UPDATE)
    filters = {row.public_id: parse_filter(with_shapes(project.pk, row.filter)) for row in rows}
    if len(_known_filters) >= PROJECTS_KEPT:
        _known_filters.clear()
    _known_filters[project.pk] = version, filters
    return filters


def _load(
    project: Project, refs: Collection[str], *, with_skus: bool
) -> Iterator[tuple[Product | Sku, list[uuid.UUID], list[str] | None]]:
    """Yield the products and SKUs of those ids, each with the keys of the collections that list it.

    Products come with what the shop calls their SKUs too, where `with_skus` asks for it.

    Both come from one query, whose columns are a product's, a SKU's, what is listed, and `sku_refs`.
    """
    members = ProductCollectionMember.objects.order_by()
    own = members.filter(sku=OuterRef("pk")) | members.filter(product=OuterRef("product"))
    skus = (
        skus_of(project)
        .filter(_among(Sku, refs))
        .order_by()
        .annotate(listed=ArraySubquery(own.values("collection")), sku_refs=_nothing(ArrayField(CharField())))
        .values_list(*(f"product__{name}" for name in PRODUCT_COLUMNS), *SKU_COLUMNS, "listed", "sku_refs")
    )
    listed = members.filter(product=OuterRef("pk")).values("collection")
    products = products_of(project).filter(_among(Product, refs)).order_by()
    if with_skus:
        products = with_sku_refs(products)
    else:
        products = products.annotate(sku_refs=_nothing(ArrayField(CharField())))
    absent = {f"sku_{column.attname}": _nothing(column) for column in Sku._meta.concrete_fields}
    found = products.annotate(listed=ArraySubquery(listed), **absent).values_list(
        *PRODUCT_COLUMNS, *absent, "listed", "sku_refs"
    )
    for *columns, keys, sku_refs in skus.union(found, all=True):
        yield _row(columns), keys, sku_refs


def _row(columns: Sequence[Any]) -> Product | Sku:
    width = len(PRODUCT_COLUMNS)
    product = Product.from_db(None, PRODUCT_COLUMNS, columns[:width])
    if columns[width] is None:
        return product
    sku = Sku.from_db(None, SKU_COLUMNS, columns[width:])
    sku.product = product
    return sku


def _among(model: type[Product | Sku], refs: Collection[str]) -> Q:
    keys = [key for ref in refs if (key := parse_public_id(model.prefix, ref))]
    return Q(source_id__in=refs) | Q(pk__in=keys) if keys else Q(source_id__in=refs)


def _nothing(column: "Field[Any, Any]") -> Value:
    """Return NULL of a column's type, which the other half of a union has there."""
    return Value(None, output_field=UUIDField() if isinstance(column, ForeignKey) else column)
