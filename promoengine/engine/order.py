"""A cart as the engine sees it: immutable, in minor units, with the discounts taken off so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from promoengine.engine.money import share_of


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

    `discount_quantity` counts the units that any discount is for, `free_quantity` those given away whole.
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
    free_quantity: int = 0

    @property
    def subtotal(self) -> int:
        return self.amount - self.discount

    @property
    def paid_quantity(self) -> int:
        """How many of its units are not given away."""
        return self.quantity - self.free_quantity

    def discounted(self, discount: int, quantity: int) -> "Item":
        """Return the line with so much off in all, for so many units.

        Field by field, in their order: a long cart among many promotions makes thousands, and `replace`
        takes four times as long.
        """
        return Item(
            self.amount,
            self.quantity,
            self.price,
            discount,
            quantity,
            self.product_ids,
            self.sku_ids,
            self.collections,
            self.metadata,
            self.product_metadata,
            self.initial_quantity,
            self.initial_amount,
            self.good,
            self.free_quantity,
        )

    def share(self, units: int) -> int:
        """Return what is left to pay of so many of its paid units."""
        return share_of(self.subtotal, units, self.paid_quantity)

    @property
    def unit_price(self) -> int:
        """What one unit costs before discounts; 0 for a line of no units."""
        if self.price is not None:
            return self.price
        return self.amount // self.quantity if self.quantity else 0


@dataclass(frozen=True, slots=True)
class Order:
    """`amount` is what the order costs before discounts, `discount` what came off it as a whole so far.

    `initial_amount` is what it cost when it was sent, where units were added since. `currency` is told where
    it is another than the project's, in which offers and rules speak of money.
    """

    amount: int
    items: tuple[Item, ...] = ()
    discount: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    initial_amount: int | None = None
    currency: str = ""

    @property
    def initial(self) -> int:
        """What the order cost when it was sent."""
        return self.amount if self.initial_amount is None else self.initial_amount

    @property
    def items_discount(self) -> int:
        return sum([item.discount for item in self.items])

    @property
    def total_discount(self) -> int:
        return self.discount + self.items_discount

    @property
    def total(self) -> int:
        return self.amount - self.total_discount

    def discount_order(self, amount: int) -> "Order":
        """Take `amount` off the whole, at most what is left to pay."""
        taken = min(amount, self.total)
        return replace(self, discount=self.discount + taken) if taken > 0 else self

    def discount_items(self, parts: Sequence[int], quantities: Sequence[int] | None = None) -> "Order":
        """Take each line's part off it, at most its subtotal, and never more in sum than is left to pay.

        `quantities` says how many paid units of each line the part is for; all where it is not given.
        """
        left, items = self.total, list(self.items)
        for index, item in enumerate(self.items):
            taken = min(parts[index], item.subtotal, left)
            if taken > 0:
                left -= taken
                count = item.paid_quantity if quantities is None else quantities[index]
                counted = max(item.discount_quantity, item.free_quantity + count)
                items[index] = item.discounted(item.discount + taken, min(item.quantity, counted))
        return replace(self, items=tuple(items))

    def give_units(self, index: int, count: int) -> "Order":
        """Give away `count` units that a line has and that are still to be paid."""
        item = self.items[index]
        part = item.share(count)
        free = item.free_quantity + count
        given = replace(
            item,
            discount=item.discount + min(part, self.total),
            discount_quantity=max(item.discount_quantity, free),
            free_quantity=free,
        )
        return self._with_item(index, given)

    def add_units(self, index: int, count: int) -> "Order":
        """Add `count` free units to a line: it costs so much more, and all of that is off."""
        item = self.items[index]
        added = count * item.unit_price
        grown = replace(
            item,
            amount=item.amount + added,
            quantity=item.quantity + count,
            discount=item.discount + added,
            discount_quantity=item.discount_quantity + count,
            free_quantity=item.free_quantity + count,
            initial_quantity=item.quantity if item.initial_quantity is None else item.initial_quantity,
            initial_amount=item.amount if item.initial_amount is None else item.initial_amount,
        )
        return replace(self._with_item(index, grown), amount=self.amount + added, initial_amount=self.initial)

    def add_item(self, good: Good, price: int) -> "Order":
        """Add a line of no units for a product or SKU that the cart has not, at `price` for one unit."""
        item = Item(
            amount=0,
            quantity=0,
            price=price,
            product_ids=good.product_ids,
            sku_ids=good.ids if good.object == "sku" else frozenset(),
            collections=good.collections,
            product_metadata=good.metadata,
            initial_quantity=0,
            initial_amount=0,
            good=good,
        )
        return replace(self, items=(*self.items, item))

    def _with_item(self, index: int, item: Item) -> "Order":
        return replace(self, items=(*self.items[:index], item, *self.items[index + 1 :]))
