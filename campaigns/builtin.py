"""What every catalogue has without rows: the product behind free shipping, the collection of all."""

from typing import Any

from promoengine.core.errors import DomainError
from promoengine.engine.items import ALL_PRODUCTS

SHIPPING: dict[str, Any] = {
    "id": "prod_5h1pp1ng",
    "source_id": "5h1pp1ng",
    "name": "Shipping",
    "price": None,
    "attributes": [],
    "metadata": {},
    "image_url": None,
    "created_at": "2020-01-01T00:00:00.000Z",
    "updated_at": None,
    "object": "product",
}
SHIPPING_IDS = frozenset({SHIPPING["id"], SHIPPING["source_id"]})
ALL_PRODUCTS_COLLECTION: dict[str, Any] = {
    "id": ALL_PRODUCTS,
    "name": "All Products",
    "type": "AUTO_UPDATE",
    "filter": {"junction": "and"},
    "created_at": "2020-01-01T00:00:00.000Z",
    "object": "products_collection",
}


class BuiltIn(DomainError):
    """It belongs to every project and stays as it is."""

    key = "resource_protected"
    message = "Resource is protected"


def refuse_shipping(*refs: Any) -> None:
    """Raise BuiltIn where one of the ids is that of the product that every project has."""
    for ref in refs:
        if isinstance(ref, str) and ref in SHIPPING_IDS:
            raise BuiltIn("The product Shipping is built in", resource_id=ref, resource_type="product")
