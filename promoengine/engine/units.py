"""Free units: products that a discount adds to the cart, or finds there, and gives away."""

from collections.abc import Mapping

from promoengine.engine.effects import Application, Step, effect_of
from promoengine.engine.figures import AMOUNT_MAX
from promoengine.engine.order import Good, Item, Order

SHIPPING_IDS = frozenset({"prod_5h1pp1ng", "5h1pp1ng"})
SHIPPING = Good(
    "product",
    SHIPPING_IDS,
    SHIPPING_IDS,
    wire={"id": "prod_5h1pp1ng", "source_id": "5h1pp1ng", "name": "Shipping", "object": "product"},
)
ADD_MISSING = "ADD_MISSING_ITEMS"


@effect_of("UNIT", "ADD_MISSING_ITEMS")
@effect_of("UNIT", "ADD_NEW_ITEMS")
@effect_of("UNIT", "ADD_MANY_ITEMS")
def add_units(given: Application) -> Step:
    """Give every grant in turn, or none of them where one names a product that can't be given."""
    order = given.order
    for grant in given.grants:
        good = find_good(given.terms.goods, grant.unit_type)
        lines = [index for index, item in enumerate(order.items) if _is_of(item, good, grant.unit_type)]
        price = _price(good)
        if not lines and price is None:
            return Step(given.order, refusal_key="invalid_product", refused=grant.unit_type)
        if not lines and price and order.currency:
            return Step(given.order, refusal_key="currency_mismatch", refused=grant.unit_type)
        count = int(grant.figure.of(given.setting) or 0) * given.bundles
        if grant.effect == ADD_MISSING:
            order, count = _give_units(order, lines, count, once=given.terms.once)
        if count and not lines and good is not None and price is not None:
            order, lines = order.add_item(good, price), [len(order.items)]
        if count:
            order = _add(order, lines[0], count)
    return Step(order)


@effect_of("UNIT", "ADD_SAME_ITEMS")
def add_same_units(given: Application) -> Step:
    """Add so many more free units of every line within reach."""
    selections = given.selections()
    order, grant = given.order, given.grants[0]
    for line in selections:
        count = int(grant.figure.of(given.setting, given.order.items[line.index]) or 0) * given.bundles
        order = _add(order, line.index, count)
    return Step(order, selections)


def find_good(goods: Mapping[str, Good], unit_type: str) -> Good | None:
    """Return what a unit discount gives: of the catalogue, or the shipping that every shop has."""
    return goods.get(unit_type) or (SHIPPING if unit_type in SHIPPING_IDS else None)


def _price(good: Good | None) -> int | None:
    """Return what one unit costs; what shipping costs is sent on its line, so without one it is nothing."""
    if good is not None and good.price is None and not good.ids.isdisjoint(SHIPPING_IDS):
        return 0
    return good.price if good is not None else None


def _add(order: Order, index: int, count: int) -> Order:
    """Add free units to a line, as far as the order's amount can still be counted."""
    price = order.items[index].unit_price
    room = (AMOUNT_MAX - order.amount) // price if price else count
    return order.add_units(index, min(count, room)) if min(count, room) > 0 else order


def _is_of(item: Item, good: Good | None, unit_type: str) -> bool:
    if good is None:
        return unit_type in item.product_ids or unit_type in item.sku_ids
    return not good.ids.isdisjoint(item.sku_ids if good.object == "sku" else item.product_ids)


def _give_units(order: Order, lines: list[int], count: int, *, once: bool) -> tuple[Order, int]:
    """Give away units that the lines have and return how many are missing still.

    Units that a discount before has given away are not there for this one; where discounts may not meet on
    a line, one that carries a discount has its units counted but keeps its price.
    """
    for index in lines:
        item = order.items[index]
        found = min(count, item.paid_quantity)
        if found and not (once and item.discount):
            order = order.give_units(index, found)
        count -= found
    return order, count
