"""The order of one checkout: what was sent over what is stored, and its amounts in the engine's terms."""

from dataclasses import dataclass, replace
from typing import Any

from promoengine.engine.order import Item, Order
from redemptions import models
from redemptions.requests import AskedOrder


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """An order under checkout. `stored` is its row where it has one; `lines` are wire items."""

    stored: models.Order | None
    source_id: str | None
    amount: int
    lines: tuple[dict[str, Any], ...]
    status: str | None
    metadata: dict[str, Any]
    has_amount: bool = True

    def to_engine(self) -> Order:
        """Return its amounts, with the discounts of earlier redemptions on it."""
        calculated = self.stored.calculated if self.stored else {}
        earlier = calculated.get("items", [])
        items = tuple(
            Item(
                amount=line["amount"],
                quantity=line["quantity"],
                price=line.get("price"),
                discount=min(earlier[index], line["amount"]) if index < len(earlier) else 0,
            )
            for index, line in enumerate(self.lines)
        )
        whole = Order(self.amount, items)
        left = max(0, whole.total)
        return replace(whole, discount=min(calculated.get("discount", 0), left))


def merge_order(
    asked: AskedOrder | None, stored: models.Order | None, *, overwrite: bool
) -> CheckoutOrder | None:
    """Return the order to calculate on, or None where none was sent.

    A stored order's data count; what was sent beside them replaces them only where `overwrite` says so, as
    a redemption does.
    """
    if asked is None:
        return None
    if stored is not None and not overwrite:
        return CheckoutOrder(
            stored,
            stored.source_id,
            stored.amount,
            tuple(stored.items),
            asked.status,
            stored.metadata,
        )
    lines = asked.items
    if lines is None:
        lines = tuple(stored.items) if stored else ()
    amount = asked.amount
    if amount is None:
        keeps = stored is not None and asked.items is None
        amount = stored.amount if stored is not None and keeps else sum(line["amount"] for line in lines)
    return CheckoutOrder(
        stored,
        stored.source_id if stored else asked.source_id,
        amount,
        lines,
        asked.status,
        (stored.metadata if stored else {}) | (asked.metadata or {}),
        has_amount=asked.amount is not None or bool(lines) or stored is not None,
    )
