"""Carts as people write them: `2 hat @ 5.00, 1 shoe/red [winter sale] {gift=yes} <color=red> @ 10.00`.

A line has a product, after a slash its SKU, in square brackets the collections it is in, in curly ones its
own metadata, and in angle ones its product's.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from promoengine.engine.order import Good, Item, Order

LINE = re.compile(
    r"(\d+) (\w+)(?:/(\w+))?(?: \[([\w ]+)\])?(?: \{([\w= ]+)\})?(?: <([\w= ]+)>)? @ (\d+\.\d\d)"
)


def cart(text: str) -> Order:
    """Return the order that a line of text describes; prices are for one unit."""
    items = tuple(
        Item(
            amount=int(quantity) * minor(price),
            quantity=int(quantity),
            price=minor(price),
            product_ids=frozenset({product}),
            sku_ids=frozenset({sku} - {""}),
            collections=frozenset(collections.split()),
            metadata=_metadata(own),
            product_metadata=_metadata(of_product),
        )
        for quantity, product, sku, collections, own, of_product, price in LINE.findall(text)
    )
    return Order(sum(item.amount for item in items), items)


def _metadata(text: str) -> Mapping[str, str]:
    return dict(pair.split("=") for pair in text.split())


def minor(text: str) -> int:
    return int(Decimal(text) * 100)


def goods(**prices: str | None) -> dict[str, Good]:
    """Return a catalogue of products by their names."""
    return {
        name: Good(
            "product",
            frozenset({name}),
            frozenset({name}),
            None if price is None else minor(price),
            wire={"id": name, "source_id": None, "name": name.title(), "object": "product"},
        )
        for name, price in prices.items()
    }


def entry(name: str, **fields: Any) -> Mapping[str, Any]:
    """Return an entry of `applicable_to`: a product, or a collection where the name is in brackets."""
    is_collection = name.startswith("[")
    return {
        "object": "products_collection" if is_collection else "product",
        "id": name.strip("[]"),
        **fields,
    }
