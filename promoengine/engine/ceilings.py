"""The most that an offer could take off a cart, told without judging it.

Looking for the best deals, offers come in the order of their ceilings, and those whose ceiling is below what
has been found need not be judged at all.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from promoengine.engine.items import ALL_PRODUCTS
from promoengine.engine.money import percent_of
from promoengine.engine.offers import Offer
from promoengine.engine.order import Item, Order
from promoengine.engine.scopes import Scope

# For free units, which may be worth more than all that is in the cart.
NO_CEILING = 2**63


@dataclass(frozen=True, slots=True)
class _Reach:
    """What lines add up to; `amount` is in minor units, before discounts."""

    lines: int
    units: int
    amount: int

    @classmethod
    def of(cls, items: Sequence[Item]) -> "_Reach":
        return cls(len(items), sum(item.quantity for item in items), sum(item.amount for item in items))


class Ceilings:
    """The ceilings of offers on one order, in minor units; without an order nothing can be taken off."""

    def __init__(self, order: Order | None) -> None:
        self._currency = order.currency if order else ""
        self._left = max(0, order.total) if order else 0
        self._whole = max(order.amount, order.initial) if order else 0
        self._items = order.items if order else ()
        self._by_id: dict[str, list[int]] = defaultdict(list)
        for index, item in enumerate(self._items):
            for key in (*item.product_ids, *item.sku_ids, *item.collections):
                self._by_id[key].append(index)
        self._everything = _Reach.of(self._items)

    def of(self, offer: Offer) -> int:
        """Return an amount that using the offer alone never takes more than off the order."""
        if offer.discount is None:
            return self._left if offer.gift else 0
        if offer.discount.type == "UNIT":
            return NO_CEILING
        return max(0, min(self._left, self._of_discount(offer)))

    def _of_discount(self, offer: Offer) -> int:
        discount, scope = offer.discount, offer.scope
        discount = discount.in_currency(self._currency) if discount else None
        if discount is None or discount.figure is None or discount.figure.formula is not None or offer.bundle:
            return self._left
        value, effect = discount.figure.fixed or 0, discount.effect_under(scope)
        match discount.type, effect:
            case "PERCENT", "APPLY_TO_ORDER":
                most = percent_of(self._whole, min(Decimal(value), Decimal(100)))
            case "PERCENT", _:
                reach = self._reach(scope)
                # Each line is rounded on its own, up by less than one.
                most = percent_of(reach.amount, Decimal(value)) + reach.lines
            case "AMOUNT", "APPLY_TO_ITEMS":
                most = int(value) * self._reach(scope).lines
            case "AMOUNT", "APPLY_TO_ITEMS_BY_QUANTITY":
                most = int(value) * self._reach(scope).units
            case "AMOUNT", _:
                most = int(value)
            case _:
                most = self._left
        if discount.amount_limit is not None and effect == "APPLY_TO_ORDER":
            most = min(most, discount.amount_limit)
        limit = discount.aggregated_amount_limit
        return most if limit is None else min(most, limit)

    def _reach(self, scope: Scope) -> _Reach:
        """Return what a scope may reach, and maybe some more."""
        if scope.reaches_others:
            return self._everything
        ids = {key for entry in scope.included for key in entry.ids}
        if ALL_PRODUCTS in ids:
            return self._everything
        lines = {index for key in ids for index in self._by_id.get(key, ())}
        return _Reach.of([self._items[index] for index in lines])
