"""Products, SKUs and collections as the wire has them."""

from collections.abc import Sequence
from typing import Any

from campaigns.builtin import SHIPPING
from campaigns.models import Product, ProductCollection, ProductCollectionMember, Sku
from promoengine.core.api.renderers import wire_datetime


def product_to_wire(product: Product) -> dict[str, Any]:
    """Return a product without its SKUs."""
    return {
        "id": product.public_id,
        "source_id": product.source_id,
        "name": product.name,
        "price": product.price,
        "attributes": product.attributes,
        "metadata": product.metadata,
        "image_url": product.image_url,
        "created_at": wire_datetime(product.created_at),
        "updated_at": wire_datetime(product.updated_at),
        "object": "product",
    }


def full_product(product: Product, skus: Sequence[Sku]) -> dict[str, Any]:
    """Return a product with all its SKUs."""
    return product_to_wire(product) | {"skus": product_skus(skus)}


def shipping_to_wire() -> dict[str, Any]:
    """Return the product that every project has."""
    return SHIPPING | {"skus": product_skus([])}


def product_skus(skus: Sequence[Sku]) -> dict[str, Any]:
    return {
        "object": "list",
        "data_ref": "data",
        "data": [sku_to_wire(sku) for sku in skus],
        "total": len(skus),
    }


def sku_to_wire(sku: Sku) -> dict[str, Any]:
    """Return a SKU that came with its product."""
    return {
        "id": sku.public_id,
        "source_id": sku.source_id,
        "product_id": sku.product.public_id,
        "sku": sku.sku,
        "price": sku.price,
        "currency": sku.currency,
        "attributes": sku.attributes,
        "image_url": sku.image_url,
        "metadata": sku.metadata,
        "created_at": wire_datetime(sku.created_at),
        "updated_at": wire_datetime(sku.updated_at),
        "object": "sku",
    }


def listed_good(good: Product | Sku) -> dict[str, Any]:
    """Return a product or SKU as the list of a collection shows it: a SKU with its product."""
    if isinstance(good, Product):
        return product_to_wire(good)
    product = product_to_wire(good.product)
    return sku_to_wire(good) | {"product": product}


def filtered_good(good: Product | Sku, sku_refs: Sequence[str] | None = None) -> dict[str, Any]:
    """Return a product or SKU as a collection's filter sees it.

    A SKU without a price has its product's; `sku_refs` are what the shop calls a product's SKUs.
    """
    if isinstance(good, Product):
        return product_to_wire(good) | {"skus": sku_refs}
    wire = sku_to_wire(good)
    return wire if good.price is not None else wire | {"price": good.product.price}


def collection_to_wire(
    collection: ProductCollection, members: Sequence[ProductCollectionMember] = ()
) -> dict[str, Any]:
    """Return a collection; `members` are those that are listed in it, each with its product or SKU."""
    wire: dict[str, Any] = {
        "id": collection.public_id,
        "name": collection.name,
        "type": collection.type,
        "created_at": wire_datetime(collection.created_at),
        "object": "products_collection",
    }
    if collection.type == ProductCollection.Type.STATIC:
        wire["products"] = [_member(member) for member in members]
    else:
        wire["filter"] = collection.filter
    if collection.updated_at:
        wire["updated_at"] = wire_datetime(collection.updated_at)
    return wire


def _member(member: ProductCollectionMember) -> dict[str, Any]:
    if member.product is not None:
        return {"id": member.product.public_id, "object": "product"}
    assert member.sku is not None  # a member is one of the two
    return {"id": member.sku.public_id, "product_id": member.sku.product.public_id, "object": "sku"}
