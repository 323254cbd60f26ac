"""What a formula may ask about an order, one of its lines and the redeemable; money in major units."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from promoengine.engine.order import Item, Order

Operands = Callable[[str, tuple[Any, ...]], Any]


@dataclass(frozen=True, slots=True)
class FormulaFacts:
    """What formulas may ask besides the order: the customer, the redeemable, its publication, this use.

    `starts_at` and `expires_at` are the redeemable's own; `redemption_quantity` is its limit, None without.
    """

    customer_metadata: Mapping[str, Any] = field(default_factory=dict)
    customer_birthdate: date | None = None
    redeemable_metadata: Mapping[str, Any] = field(default_factory=dict)
    redemption_metadata: Mapping[str, Any] = field(default_factory=dict)
    publication_metadata: Mapping[str, Any] = field(default_factory=dict)
    redemption_quantity: int | None = None
    redeemed_quantity: int | None = None
    publish_count: int | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None


NO_FACTS = FormulaFacts()


def order_operands(order: Order, item: Item | None = None, facts: FormulaFacts = NO_FACTS) -> Operands:
    """Return what answers a formula's operands by name and arguments; None for what is not there.

    Those of an order item need `item`, the line that a discount is calculated for.
    """

    def operand(name: str, arguments: tuple[Any, ...] = ()) -> Any:
        read = OPERANDS.get(name)
        return read(order, item, facts, arguments) if read else None

    return operand


def cheapest(order: Order) -> Item | None:
    """Return the line with the lowest unit price; among equals the lowest subtotal, then the first."""
    return min(order.items, key=lambda item: (item.unit_price, item.subtotal), default=None)


def most_expensive(order: Order) -> Item | None:
    """Return the line with the highest unit price; among equals the lowest subtotal, then the first."""
    return min(order.items, key=lambda item: (-item.unit_price, item.subtotal), default=None)


def major(amount: int) -> Decimal:
    """Return minor units as formulas see them: 1000 is 10."""
    return Decimal(amount) / 100


Read = Callable[[Order, Item | None, FormulaFacts, tuple[Any, ...]], Any]
ReadLine = Callable[[Item, tuple[Any, ...]], Any]
Line = Callable[[Order, Item | None], Item | None]

LINE_FIELDS: dict[str, ReadLine] = {
    "PRICE": lambda line, _: major(line.unit_price),
    "AMOUNT": lambda line, _: major(line.amount),
    "SUBTOTAL": lambda line, _: major(line.subtotal),
    "UNITS_QUANTITY": lambda line, _: line.quantity,
    "METADATA": lambda line, arguments: _property(line.metadata, arguments),
    "PRODUCT_METADATA": lambda line, arguments: _property(line.product_metadata, arguments),
}
LINES: dict[str, Line] = {
    "ORDER_ITEM": lambda order, item: item,
    "CHEAPEST_ORDER_ITEM": lambda order, item: cheapest(order),
    "MOST_EXPENSIVE_ORDER_ITEM": lambda order, item: most_expensive(order),
}


def _property(metadata: Mapping[str, Any], arguments: tuple[Any, ...]) -> Any:
    return metadata.get(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], str) else None


def _of_line(line_of: Line, read: ReadLine) -> Read:
    def operand(order: Order, item: Item | None, facts: FormulaFacts, arguments: tuple[Any, ...]) -> Any:
        line = line_of(order, item)
        return None if line is None else read(line, arguments)

    return operand


OPERANDS: dict[str, Read] = {
    "ORDER_AMOUNT": lambda order, item, facts, _: major(order.amount),
    "ORDER_INITIAL_AMOUNT": lambda order, item, facts, _: major(order.initial),
    "ORDER_TOTAL_AMOUNT": lambda order, item, facts, _: major(order.total),
    "ORDER_ITEMS_QUANTITY": lambda order, item, facts, _: len(order.items),
    "ORDER_UNITS_QUANTITY": lambda order, item, facts, _: sum(line.quantity for line in order.items),
    "ORDER_METADATA": lambda order, item, facts, given: _property(order.metadata, given),
    "CUSTOMER_METADATA": lambda order, item, facts, given: _property(facts.customer_metadata, given),
    "REDEEMABLE_METADATA": lambda order, item, facts, given: _property(facts.redeemable_metadata, given),
    "REDEMPTION_METADATA": lambda order, item, facts, given: _property(facts.redemption_metadata, given),
    "PUBLICATION_METADATA": lambda order, item, facts, given: _property(facts.publication_metadata, given),
    "CUSTOMER_BIRTHDATE": lambda order, item, facts, _: facts.customer_birthdate,
    "VOUCHER_REDEMPTION_QUANTITY": lambda order, item, facts, _: facts.redemption_quantity,
    "VOUCHER_REDEEMED_QUANTITY": lambda order, item, facts, _: facts.redeemed_quantity,
    "VOUCHER_PUBLISH_COUNT": lambda order, item, facts, _: facts.publish_count,
    "VOUCHER_START_DATE": lambda order, item, facts, _: facts.starts_at,
    "VOUCHER_EXPIRATION_DATE": lambda order, item, facts, _: facts.expires_at,
    "PROMOTION_TIER_START_DATE": lambda order, item, facts, _: facts.starts_at,
    "PROMOTION_TIER_EXPIRATION_DATE": lambda order, item, facts, _: facts.expires_at,
    **{
        f"{line}_{name}": _of_line(line_of, read)
        for line, line_of in LINES.items()
        for name, read in LINE_FIELDS.items()
    },
}
