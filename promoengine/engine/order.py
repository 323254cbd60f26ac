"""A cart as the engine sees it: immutable, in minor units, with the discounts taken off so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Item:
    """One line: `amount` is price times quantity, `discount` what has been taken off it so far."""

    amount: int
    quantity: int = 1
    price: int | None = None
    discount: int = 0

    @property
    def subtotal(self) -> int:
        return self.amount - self.discount


@dataclass(frozen=True, slots=True)
class Order:
    """`amount` is what the order costs before discounts, `discount` what came off it as a whole so far."""

    amount: int
    items: tuple[Item, ...] = ()
    discount: int = 0

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

    def discount_items(self, parts: Sequence[int]) -> "Order":
        """Take each line's part off it, at most its subtotal, and never more in sum than is left to pay."""
        left, items = self.total, []
        for item, part in zip(self.items, parts, strict=True):
            taken = max(0, min(part, item.subtotal, left))
            left -= taken
            items.append(replace(item, discount=item.discount + taken))
        return replace(self, items=tuple(items))
