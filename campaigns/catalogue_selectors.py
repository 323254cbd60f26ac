"""Reads of the catalogue that several callers need."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce

from campaigns.models import Product, ProductCollection, ProductCollectionMember, Sku
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.selectors import row_by_id

COLLECTION = "products_collection"

Row = TypeVar("Row", Product, Sku)


def products_of(project: Project) -> QuerySet[Product]:
    return Product.objects.filter(project=project)


def skus_of(project: Project) -> QuerySet[Sku]:
    return Sku.objects.filter(project=project).select_related("product")


def with_sku_refs(products: QuerySet[Product]) -> QuerySet[Product]:
    """Return the products, each with `sku_refs`, what the shop calls its SKUs, as some filters ask."""
    skus = Sku.objects.filter(product=OuterRef("pk")).order_by("pk")
    names = Coalesce("source_id", "sku", Value(""), output_field=CharField())
    return products.annotate(sku_refs=ArraySubquery(skus.annotate(ref=names).values("ref")))


def product_by_ref(project: Project, ref: str) -> Product:
    """Return the product of that source id or id.

    Raises:
        NotFound: the project has none.
    """
    product = _by_ref(products_of(project), Product.prefix, ref)
    if product is None:
        raise NotFound("product", ref)
    return product


def sku_by_ref(project: Project, ref: str, *, product: Product | None = None) -> Sku:
    """Return the SKU of that source id or id, with its product; only of `product` where one is given.

    Raises:
        NotFound: there is none.
    """
    rows = skus_of(project)
    sku = _by_ref(rows.filter(product=product) if product else rows, Sku.prefix, ref)
    if sku is None:
        raise NotFound("sku", ref)
    return sku


def find_product(project: Project, data: Mapping[str, Any]) -> Product | None:
    """Return the product a payload names by `id` or `source_id`, or None where it is a new one.

    Raises:
        NotFound: an id is given and the project has no product of it.
    """
    if ref := data.get("id"):
        return product_by_ref(project, str(ref))
    source_id = data.get("source_id")
    return products_of(project).filter(source_id=str(source_id)).first() if source_id else None


def find_sku(project: Project, data: Mapping[str, Any]) -> Sku | None:
    """Return the SKU a payload names by `id` or `source_id`, or None where it is a new one.

    Raises:
        NotFound: an id is given and the project has no SKU of it.
    """
    if ref := data.get("id"):
        return sku_by_ref(project, str(ref))
    source_id = data.get("source_id")
    return skus_of(project).filter(source_id=str(source_id)).first() if source_id else None


def skus_by_product(products: Iterable[Product]) -> dict[uuid.UUID, list[Sku]]:
    """Return the SKUs of several products in one query, oldest first, each with its product."""
    by_id = {product.pk: product for product in products}
    found: dict[uuid.UUID, list[Sku]] = defaultdict(list)
    for sku in Sku.objects.filter(product__in=by_id).order_by("pk"):
        sku.product = by_id[sku.product_id]
        found[sku.product_id].append(sku)
    return found


def collection_by_id(project: Project, ref: str) -> ProductCollection:
    """Return the collection of that id.

    Raises:
        NotFound: the project has none.
    """
    return row_by_id(ProductCollection.objects.filter(project=project), ref, COLLECTION)


def members_of(
    collections: Iterable[ProductCollection],
) -> dict[uuid.UUID, list[ProductCollectionMember]]:
    """Return what is listed in several collections in one query, in the order in which it was listed."""
    listed = [one.pk for one in collections if one.type == ProductCollection.Type.STATIC]
    found: dict[uuid.UUID, list[ProductCollectionMember]] = defaultdict(list)
    if listed:
        members = ProductCollectionMember.objects.filter(collection__in=listed)
        for member in members.select_related("product", "sku__product").order_by("pk"):
            found[member.collection_id].append(member)
    return found


def _by_ref(rows: QuerySet[Row], prefix: str, ref: str) -> Row | None:
    found = rows.filter(source_id=ref).first()
    if found is None and (key := parse_public_id(prefix, ref)):
        found = rows.filter(pk=key).first()
    return found
