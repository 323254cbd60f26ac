"""Goods, segments and locations as people look for them: by parts of names, by ids, by what they typed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.catalogue_selectors import products_of, skus_of
from campaigns.models import Product, ProductCollection, Sku
from campaigns.names import name_of, names_of
from customers.models import Location, Segment
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.engine.items import ALL_PRODUCTS

FOUND = 8
SEPARATOR = " · "
SEGMENT, LOCATION = "segment", "location"
GOODS = {Product.prefix: "product", Sku.prefix: "sku", ProductCollection.prefix: "products_collection"}


@dataclass(frozen=True, slots=True)
class Named:
    """Something that can be picked: its public id, what kind it is, and what people call it."""

    id: str
    kind: str
    name: str


def object_of(ref: str) -> str | None:
    """Return whether an id is one of a product, SKU or collection, as the wire calls it, else None."""
    return GOODS.get(ref.partition("_")[0])


def named_things(project: Project, ids: Collection[str]) -> dict[str, Named]:
    """Return those of some goods, segments and locations that the project has, by their ids."""
    names = names_of(project, ids)
    if ALL_PRODUCTS in ids:
        names |= {ALL_PRODUCTS: _("All Products")}
    return {one: Named(one, _kind_of(one), name) for one, name in names.items()}


def search_goods(project: Project, text: str, *, collections: bool = True) -> list[Named]:
    """Return products, SKUs and collections whose names have `text` in them, a few of each kind."""
    products, skus = search_lines(project, text)
    found: list[Product | Sku | ProductCollection] = [*products, *skus]
    if collections:
        rows = ProductCollection.objects.filter(project=project, name__icontains=text)
        found = [*rows.order_by("name")[:FOUND], *found]
    return [Named(row.public_id, object_of(row.public_id) or "product", name_of(row)) for row in found]


def search_segments(project: Project, text: str) -> list[Named]:
    """Return segments whose names have `text` in them, a few."""
    rows = Segment.objects.filter(project=project, name__icontains=text).order_by("name")[:FOUND]
    return [Named(row.public_id, SEGMENT, row.name) for row in rows]


def search_locations(project: Project, text: str) -> list[Named]:
    """Return locations whose names have `text` in them, a few."""
    rows = Location.objects.filter(project=project, name__icontains=text).order_by("name")[:FOUND]
    return [Named(row.public_id, LOCATION, row.name) for row in rows]


def search_lines(project: Project, text: str) -> tuple[list[Product], list[Sku]]:
    """Return the products and SKUs whose name or own id has `text` in it, a few of each."""
    own = Q(source_id__icontains=text)
    products = products_of(project).filter(own | Q(name__icontains=text)).order_by("name", "pk")
    called = Q(sku__icontains=text) | Q(product__name__icontains=text)
    skus = skus_of(project).filter(own | called).order_by("product__name", "sku", "pk")
    return list(products[:FOUND]), list(skus[:FOUND])


def typed_name(good: Product | Sku) -> str:
    """Return what stands in a field once a good is picked: its name and an id that tells it from others."""
    return f"{name_of(good)}{SEPARATOR}{good.source_id or good.public_id}"


def goods_by_text(project: Project, texts: Iterable[str]) -> dict[str, Product | Sku]:
    """Return the goods that people mean by what they typed, in two queries; others are not in it.

    It may be a picked name, an id, the shop's own id, or a whole name, in this order.
    """
    refs = {text: text.rpartition(SEPARATOR)[2].strip() for text in texts if text}
    goods: list[Product | Sku] = []
    for model, rows in ((Sku, skus_of(project)), (Product, products_of(project))):
        keys = [key for ref in refs.values() if (key := parse_public_id(model.prefix, ref))]
        name = "sku" if model is Sku else "name"
        meant = Q(pk__in=keys) | Q(source_id__in=refs.values()) | Q(**{f"{name}__in": list(refs)})
        goods += rows.filter(meant).order_by("-pk")
    by_name = {str(good): good for good in goods}
    by_ref = {ref: good for good in goods for ref in (good.source_id, good.public_id) if ref}
    found = {text: by_ref.get(ref) or by_name.get(text) for text, ref in refs.items()}
    return {text: good for text, good in found.items() if good is not None}


def _kind_of(ref: str) -> str:
    others = {Segment.prefix: SEGMENT, Location.prefix: LOCATION}
    return (GOODS | others).get(ref.partition("_")[0], SEGMENT)
