"""Carts as people write them: `2 hat @ 5.00, 1 shoe @ 10.00`."""

import re
from decimal import Decimal

from promoengine.engine.order import Item, Order

LINE = re.compile(r"(\d+) \w+ @ (\d+\.\d\d)")


def cart(text: str) -> Order:
    """Return the order that a line of text describes; prices are for one unit."""
    items = tuple(
        Item(amount=int(quantity) * minor(price), quantity=int(quantity), price=minor(price))
        for quantity, price in LINE.findall(text)
    )
    return Order(sum(item.amount for item in items), items)


def minor(text: str) -> int:
    return int(Decimal(text) * 100)
