"""A cart as the engine sees it: immutable, in minor units, with the discounts taken off so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Good:
    """A product or SKU of the catalogue: `ids` are all it is known by, `price` is of one unit.

    `product_ids` are those of the product a SKU belongs to; for a product they are its own.
    """

    object: str
    ids: frozenset[str]
    product_ids: frozenset[str]
    price: int | None = None
    collections: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    wire: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """One line: `amount` is price times quantity, `discount` what has been taken off it so far.

    `initial_quantity` and `initial_amount` are what was sent, where units were added since; `good` is set
    on a line that a discount has added, which the caller did not send.
    """

    amount: int
    quantity: int = 1
    price: int | None = None
    discount: int = 0
    discount_quantity: int = 0
    product_ids: frozenset[str] = frozenset()
    sku_ids: frozenset[str] = frozenset()
    collections: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    product_metadata: Mapping[str, Any] = field(default_factory=dict)
    initial_quantity: int | None = None
    initial_amount: int | None = None
    good: Good | None = None

    @property
    def subtotal(self) -> int:
        return self.amount - self.discount

    @property
    def unit_price(self) -> int:
        """What one unit costs before discounts; 0 for a line of no units."""
        if self.price is not None:
            return self.price
        return self.amount // self.quantity if self.quantity else 0


@dataclass(frozen=True, slots=True)
class Order:
    """`amount` is what the order costs before discounts, `discount` what came off it as a whole so far.

    `initial_amount` is what it cost when it was sent, where units were added since.
    """

    amount: int
    items: tuple[Item, ...] = ()
    discount: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    initial_amount: int | None = None

    @property
    def items_discount(self) -> int:
        return sum(item.discount for item in self.items)

    @property
    def total_discount(self) -> int:
        return self.discount + self.items_discount

    @property
    def total(self) -> int:
        return self.amount - self.total_discount

    def discount_order(self, amount: int) -> "Order":
        """Take `amount` off the whole, at most what is left to pay."""
        return replace(self, discount=self.discount + max(0, min(amount, self.total)))

    def discount_items(self, parts: Sequence[int], quantities: Sequence[int] | None = None) -> "Order":
        """Take each line's part off it, at most its subtotal, and never more in sum than is left to pay.

        `quantities` says how many units of each line the part is for; a whole line where it is not given.
        """
        left, items = self.total, []
        counts = quantities or [item.quantity for item in self.items]
        for item, part, count in zip(self.items, parts, counts, strict=True):
            taken = max(0, min(part, item.subtotal, left))
            left -= taken
            counted = min(item.quantity, max(item.discount_quantity, count)) if taken else None
            items.append(
                replace(
                    item,
                    discount=item.discount + taken,
                    discount_quantity=item.discount_quantity if counted is None else counted,
                )
            )
        return replace(self, items=tuple(items))
