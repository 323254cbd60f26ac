"""What a discount does to an order, one small function each, registered by type and effect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from promoengine.engine.money import percent_of, spread
from promoengine.engine.order import Order

DEFAULT_EFFECT = "APPLY_TO_ORDER"

Effect = Callable[[Order], Order]


class InvalidDiscount(ValueError):
    """A discount that cannot be meant; the text names the property and says why."""


@dataclass(frozen=True, slots=True)
class Discount:
    """A checked discount: its published type, its effect, and its amounts in minor units."""

    type: str
    effect: str
    value: Decimal
    amount_limit: int | None = None
    aggregated_amount_limit: int | None = None

    def apply(self, order: Order) -> Order:
        """Return the order with this discount taken off."""
        return EFFECTS[self.type, self.effect](self, order)


Kind = Callable[[Discount, Order], Order]
EFFECTS: dict[tuple[str, str], Kind] = {}
VALUE_FIELDS = {"AMOUNT": "amount_off", "PERCENT": "percent_off", "FIXED": "fixed_amount"}
LIMIT_MAX = 2**53


def parse_discount(wire: Mapping[str, Any]) -> Discount:
    """Read a discount as the wire has it.

    Raises:
        InvalidDiscount: a type or effect that does not exist, or an amount out of range.
    """
    kind = wire.get("type")
    if not isinstance(kind, str) or kind not in VALUE_FIELDS:
        raise InvalidDiscount(f".type should be one of {', '.join(VALUE_FIELDS)}")
    effect = wire.get("effect") or DEFAULT_EFFECT
    if not isinstance(effect, str) or (kind, effect) not in EFFECTS:
        known = ", ".join(name for of, name in EFFECTS if of == kind)
        raise InvalidDiscount(f".effect should be one of {known}")
    field = VALUE_FIELDS[kind]
    value = _number(wire, field, whole=kind != "PERCENT")
    if value is None:
        raise InvalidDiscount(f" must have required property '{field}'")
    if kind == "PERCENT" and value > 100:
        raise InvalidDiscount(f".{field} should be at most 100")
    return Discount(
        kind,
        effect,
        value,
        amount_limit=_limit(wire, "amount_limit"),
        aggregated_amount_limit=_limit(wire, "aggregated_amount_limit"),
    )


def effect_of(kind: str, effect: str) -> Callable[[Kind], Kind]:
    """Register a function as what discounts of `kind` do under `effect`; a pair can't be taken twice."""

    def register(function: Kind) -> Kind:
        if (kind, effect) in EFFECTS:
            raise ValueError(f"{kind} {effect} is registered already")
        EFFECTS[kind, effect] = function
        return function

    return register


@effect_of("AMOUNT", "APPLY_TO_ORDER")
def amount_off_order(discount: Discount, order: Order) -> Order:
    """Take a fixed amount off the whole."""
    return order.discount_order(_capped(discount, int(discount.value)))


@effect_of("AMOUNT", "APPLY_TO_ITEMS")
def amount_off_items(discount: Discount, order: Order) -> Order:
    """Take the amount off every line."""
    return _discount_items(discount, order, [int(discount.value)] * len(order.items))


@effect_of("AMOUNT", "APPLY_TO_ITEMS_BY_QUANTITY")
def amount_off_units(discount: Discount, order: Order) -> Order:
    """Take the amount off every unit of every line."""
    return _discount_items(discount, order, [int(discount.value) * item.quantity for item in order.items])


@effect_of("AMOUNT", "APPLY_TO_ITEMS_PROPORTIONALLY")
def amount_off_items_by_subtotal(discount: Discount, order: Order) -> Order:
    """Split the amount over the lines by what is left to pay of each."""
    subtotals = [item.subtotal for item in order.items]
    return order.discount_items(spread(min(int(discount.value), sum(subtotals)), subtotals))


@effect_of("AMOUNT", "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY")
def amount_off_items_by_quantity(discount: Discount, order: Order) -> Order:
    """Split the amount over the lines by their quantities."""
    quantities = [item.quantity for item in order.items]
    return order.discount_items(spread(int(discount.value) if sum(quantities) else 0, quantities))


@effect_of("PERCENT", "APPLY_TO_ORDER")
def percent_off_order(discount: Discount, order: Order) -> Order:
    """Take a share of what is left to pay off the whole."""
    return order.discount_order(_capped(discount, percent_of(order.total, discount.value)))


@effect_of("PERCENT", "APPLY_TO_ITEMS")
def percent_off_items(discount: Discount, order: Order) -> Order:
    """Take a share of what is left to pay off every line; `amount_limit` holds for each."""
    parts = [percent_of(item.subtotal, discount.value) for item in order.items]
    if discount.amount_limit is not None:
        parts = [min(part, discount.amount_limit) for part in parts]
    return _discount_items(discount, order, parts)


@effect_of("FIXED", "APPLY_TO_ORDER")
def fixed_price_of_order(discount: Discount, order: Order) -> Order:
    """Let the whole cost the fixed amount, if it costs more."""
    return order.discount_order(_capped(discount, order.total - int(discount.value)))


@effect_of("FIXED", "APPLY_TO_ITEMS")
def fixed_price_of_units(discount: Discount, order: Order) -> Order:
    """Let every unit cost the fixed amount, if it costs more."""
    return _discount_items(
        discount, order, [item.subtotal - int(discount.value) * item.quantity for item in order.items]
    )


def _discount_items(discount: Discount, order: Order, parts: list[int]) -> Order:
    left = discount.aggregated_amount_limit
    if left is not None:
        for index, part in enumerate(parts):
            parts[index] = min(max(part, 0), left)
            left -= parts[index]
    return order.discount_items(parts)


def _capped(discount: Discount, amount: int) -> int:
    limits = [discount.amount_limit, discount.aggregated_amount_limit]
    return min([amount, *(limit for limit in limits if limit is not None)])


def _limit(wire: Mapping[str, Any], field: str) -> int | None:
    value = _number(wire, field, whole=True)
    return None if value is None else int(value)


def _number(wire: Mapping[str, Any], field: str, *, whole: bool) -> Decimal | None:
    given = wire.get(field)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise InvalidDiscount(f".{field} should be number")
    try:
        number = Decimal(str(given))
    except InvalidOperation as error:
        raise InvalidDiscount(f".{field} should be number") from error
    if not number.is_finite() or (whole and number != number.to_integral_value()):
        raise InvalidDiscount(f".{field} should be a whole number of minor units")
    if not 0 <= number <= LIMIT_MAX:
        raise InvalidDiscount(f".{field} should be between 0 and {LIMIT_MAX}")
    return number
