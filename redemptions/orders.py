"""The order of one checkout: what was sent over what is stored, and its amounts in the engine's terms."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from campaigns.facts import Catalogue
from promoengine.engine.order import Good, Item, Order
from redemptions import models
from redemptions.requests import AMOUNT_MAX, AskedOrder, InvalidAmount

Line = dict[str, Any]
# What is kept of earlier redemptions of an order, line by line.
EARLIER = ("items", "discount_quantities", "free_quantities")
UNTOUCHED = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """An order under checkout. `stored` is its row where it has one; `lines` are wire items with amounts."""

    stored: models.Order | None
    source_id: str | None
    amount: int
    lines: tuple[Line, ...]
    status: str | None
    metadata: dict[str, Any]
    has_amount: bool = True

    def to_engine(self, catalogue: Catalogue) -> Order:
        """Return its amounts, with the discounts of earlier redemptions on it."""
        calculated = self.stored.calculated if self.stored else {}
        items = tuple(
            _item(line, before, catalogue) for line, before in zip(self.lines, self._earlier(), strict=True)
        )
        whole = Order(
            self.amount, items, metadata=self.metadata, initial_amount=calculated.get("initial_amount")
        )
        left = max(0, whole.total)
        return replace(whole, discount=min(calculated.get("discount", 0), left))

    def _earlier(self) -> list[tuple[int, ...]]:
        """Return what earlier redemptions did to each line; lines sent anew are known by their goods."""
        kept: dict[tuple[Any, ...], deque[tuple[int, ...]]] = {}
        if self.stored:
            calculated = self.stored.calculated
            rows = zip_longest(*(calculated.get(name, ()) for name in EARLIER), fillvalue=0)
            for line, row in zip(self.stored.items, rows, strict=False):
                kept.setdefault(_goods_of(line), deque()).append(row)
        return [found.popleft() if (found := kept.get(_goods_of(line))) else UNTOUCHED for line in self.lines]


def lines_of(asked: AskedOrder | None, stored: models.Order | None, *, overwrite: bool) -> tuple[Line, ...]:
    """Return the lines to calculate on, their prices as far as they were sent.

    A stored order's data count; what was sent beside them replaces them only where `overwrite` says so, as
    a redemption does.
    """
    if asked is None:
        return ()
    if stored is not None and (not overwrite or asked.items is None):
        return tuple(stored.items)
    return asked.items or ()


def merge_order(
    asked: AskedOrder | None, stored: models.Order | None, catalogue: Catalogue, *, overwrite: bool
) -> CheckoutOrder | None:
    """Return the order to calculate on, its lines priced, or None where none was sent.

    A line without a price has that of its stored SKU or product.

    Raises:
        InvalidAmount: a line costs more than can be counted.
    """
    if asked is None:
        return None
    lines = tuple(priced(line, catalogue) for line in lines_of(asked, stored, overwrite=overwrite))
    if stored is not None and not overwrite:
        return CheckoutOrder(stored, stored.source_id, stored.amount, lines, asked.status, stored.metadata)
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


def priced(line: Line, catalogue: Catalogue) -> Line:
    """Return a line with its amount: as sent, or the price sent or stored, times the quantity."""
    if "amount" in line:
        return line
    good = catalogue.good_of_line(line)
    price = line.get("price", good.price if good else None)
    amount = (price or 0) * line["quantity"]
    if amount > AMOUNT_MAX:
        raise InvalidAmount(f"An order line costs more than {AMOUNT_MAX}")
    whole = line | {"amount": amount}
    return whole if price is None else whole | {"price": price}


def lines_after(order: CheckoutOrder, after: Order) -> list[Line]:
    """Return the wire's lines as a decision leaves them: with the units and lines that discounts added."""
    sent = [
        line
        if item.initial_quantity is None
        else line
        | {
            "quantity": item.quantity,
            "amount": item.amount,
            "initial_quantity": item.initial_quantity,
            "initial_amount": item.initial_amount,
        }
        for line, item in zip(order.lines, after.items, strict=False)
    ]
    return sent + [added_line(item) for item in after.items[len(order.lines) :]]


def added_line(item: Item) -> Line:
    """Return the wire's line of units that a discount has added to the order."""
    good = item.good or Good("product", item.product_ids, item.product_ids)
    kind = "sku" if good.object == "sku" else "product"
    line: Line = {
        f"{kind}_id": good.wire.get("id"),
        "quantity": item.quantity,
        "amount": item.amount,
        "price": item.unit_price,
        "initial_quantity": 0,
        "initial_amount": 0,
    }
    if good.wire.get("source_id"):
        line |= {"source_id": good.wire["source_id"], "related_object": kind}
    line[kind] = {key: good.wire[key] for key in ("id", "source_id", "name", "price") if good.wire.get(key)}
    return line


def _item(line: Mapping[str, Any], earlier: tuple[int, ...], catalogue: Catalogue) -> Item:
    discount, discount_quantity, free_quantity = earlier
    good = catalogue.good_of_line(line)
    product, sku = _ids(line, "product"), _ids(line, "sku")
    kind = line.get("related_object") or (good.object if good else "product")
    if line.get("source_id"):
        (sku if kind == "sku" else product).add(line["source_id"])
    if good is not None:
        product |= good.product_ids
        sku |= good.ids if good.object == "sku" else set()
    metadata = dict(good.metadata if good else {}) | _metadata(line, "product") | _metadata(line, "sku")
    return Item(
        amount=line["amount"],
        quantity=line["quantity"],
        price=line.get("price"),
        discount=min(discount, line["amount"]),
        discount_quantity=min(discount_quantity, line["quantity"]),
        free_quantity=min(free_quantity, line["quantity"]),
        product_ids=frozenset(product),
        sku_ids=frozenset(sku),
        collections=catalogue.collections_of_line(line),
        metadata=line.get("metadata") or {},
        product_metadata=metadata,
        initial_quantity=line.get("initial_quantity"),
        initial_amount=line.get("initial_amount"),
    )


def _goods_of(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ("source_id", "product_id", "sku_id"))


def _ids(line: Mapping[str, Any], kind: str) -> set[str]:
    ids = [line.get(f"{kind}_id")]
    if said := line.get(kind):
        ids += [said.get("id"), said.get("source_id")]
    return {one for one in ids if one and isinstance(one, str)}


def _metadata(line: Mapping[str, Any], kind: str) -> dict[str, Any]:
    said = line.get(kind)
    metadata = said.get("metadata") if said else None
    return dict(metadata) if isinstance(metadata, Mapping) else {}
