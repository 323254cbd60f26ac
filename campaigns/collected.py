"""The products and SKUs that are in a collection now."""

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value

from campaigns.catalogue_selectors import products_of, skus_of, with_sku_refs
from campaigns.catalogue_wire import filtered_good
from campaigns.membership import parse_filter
from campaigns.models import Product, ProductCollection, ProductCollectionMember, Sku
from customers.places import with_shapes
from promoengine.core.models import Project
from promoengine.engine.operators import Moment

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

Good = Product | Sku
Goods = tuple[QuerySet[Product], QuerySet[Sku]]


def collected_goods(
    project: Project,
    collection: ProductCollection | None,
    *,
    order: str = "-created_at",
    first: int = 0,
    limit: int,
    before: datetime | None = None,
    at: Moment,
) -> tuple[list[Good], int]:
    """Return one page of what is in a collection, and how much there is in all.

    Without a collection it is the whole catalogue. `before` leaves out what was created then or later. What a
    filter matches is found by asking it of the whole catalogue, which is read as a stream.
    """
    goods = _listed(project, collection)
    if before:
        goods = goods[0].filter(created_at__lt=before), goods[1].filter(created_at__lt=before)
    if collection is not None and collection.type == ProductCollection.Type.AUTO_UPDATE:
        return _matching(collection, goods, order, first, limit, at)
    return _page(goods, order, first, limit), goods[0].count() + goods[1].count()


def _page(goods: Goods, order: str, first: int, limit: int) -> list[Good]:
    descending, column = order.startswith("-"), order.removeprefix("-")
    sign = "-" if descending else ""
    products, skus = (
        rows.order_by().annotate(kind=Value(kind, output_field=CharField())).values_list("pk", "kind", column)
        for rows, kind in zip(goods, ("product", "sku"), strict=True)
    )
    listed = products.union(skus, all=True).order_by(f"{sign}{column}", f"{sign}pk")[first : first + limit]
    keys = [(kind, key) for key, kind, _value in listed]
    found: dict[str, dict[Any, Any]] = {
        kind: rows.in_bulk([key for one, key in keys if one == kind])
        for rows, kind in zip(goods, ("product", "sku"), strict=True)
    }
    return [found[kind][key] for kind, key in keys]


def _matching(
    collection: ProductCollection, goods: Goods, order: str, first: int, limit: int, at: Moment
) -> tuple[list[Good], int]:
    asked = parse_filter(with_shapes(collection.project_id, collection.filter))
    if asked.asks_for_skus:
        goods = with_sku_refs(goods[0]), goods[1]
    page, total = [], 0
    for good in _in_order(goods, order):
        if asked.matches(filtered_good(good, getattr(good, "sku_refs", None)), at):
            if first <= total < first + limit:
                page.append(good)
            total += 1
    return page, total


def _listed(project: Project, collection: ProductCollection | None) -> Goods:
    """Return what a static collection lists, a product with all its SKUs; for any other, the catalogue."""
    products, skus = products_of(project), skus_of(project)
    if collection is None or collection.type != ProductCollection.Type.STATIC:
        return products, skus
    members = ProductCollectionMember.objects.filter(collection=collection)
    listed = members.filter(product__isnull=False).values("product")
    listed_skus = members.filter(sku__isnull=False).values("sku")
    return products.filter(pk__in=listed), skus.filter(Q(pk__in=listed_skus) | Q(product__in=listed))


def _in_order(goods: Goods, order: str) -> Iterator[Good]:
    """Yield products and SKUs together in the order of a column, so that few are in memory at a time."""
    descending, column = order.startswith("-"), order.removeprefix("-")

    def key(good: Good) -> tuple[Any, ...]:
        value = getattr(good, column)
        return value is None, value or LONG_AGO, good.pk.int

    sign = "-" if descending else ""
    streams: list[Iterator[Good]] = [
        rows.order_by(f"{sign}{column}", f"{sign}pk").iterator(chunk_size=1000) for rows in goods
    ]
    return heapq.merge(*streams, key=key, reverse=descending)
