"""What a discount is for, as results show it: its scope's entries, and the goods in the cart they led to."""

from collections.abc import Mapping, Sequence
from typing import Any

from promoengine.engine.order import Item, Order
from promoengine.engine.scopes import EVERY, Entry, Scope, Selection

UNITS_SHOWN = 1000
IDENTITY = ("object", "id", "source_id", "product_id", "product_source_id", "strict")

Row = Mapping[str, Any]


def applicable_to(scope: Scope, order: Order, selections: Sequence[Selection] | None) -> tuple[Row, ...]:
    """Return the included entries, then the goods of lines that a collection, or no entry, brought in.

    `selections` are the units that a discount on items reached; with None, for a discount on the order, no
    lines are named.
    """
    if not scope.has_entries:
        return ()
    lines = _lines_in(scope, order) if selections is None else selections
    by_entry: dict[int, list[Selection]] = {}
    by_good: dict[tuple[str, str], list[Selection]] = {}
    for line in lines:
        by_entry.setdefault(id(line.entry), []).append(line)
        if line.entry is None or line.entry.object == "products_collection":
            by_good.setdefault(_good(order.items[line.index]), []).append(line)
    reached = _Reached(order, is_shown=selections is not None)
    entries = [{**entry.wire, **reached.by(by_entry.get(id(entry), []))} for entry in scope.included]
    known = {(entry.object, key) for entry in scope.included for key in entry.ids}
    goods = [
        {**_good_to_wire(order.items[lines[0].index], lines[0].entry), **reached.by(lines)}
        for good, lines in by_good.items()
        if good not in known and good[1]
    ]
    return (*entries, *goods)


def inapplicable_to(scope: Scope, order: Order, *, is_on_items: bool) -> tuple[Row, ...]:
    """Return the excluded entries, for a discount on items with the lines that each keeps out."""
    lines: dict[int, list[int]] = {}
    for index, item in enumerate(order.items if is_on_items and scope.excluded else ()):
        position = scope.excluded_index.position(item)
        if position is not None:
            lines.setdefault(position, []).append(index)
    return tuple(
        {**entry.wire, "order_item_indices": lines[position]} if position in lines else entry.wire
        for position, entry in enumerate(scope.excluded)
    )


class _Reached:
    """Says which lines, or which of their units, were reached."""

    def __init__(self, order: Order, *, is_shown: bool) -> None:
        self.is_shown = is_shown
        self.are_too_many = is_shown and sum(item.quantity for item in order.items) > UNITS_SHOWN

    def by(self, lines: Sequence[Selection]) -> dict[str, Any]:
        if not self.is_shown or not lines:
            return {}
        wire: dict[str, Any] = {"order_item_indices": [line.index for line in lines]}
        if lines[0].entry is not None and lines[0].entry.target == "UNIT":
            wire["order_item_units"] = [self._units(line) for line in lines]
        return wire

    def _units(self, line: Selection) -> dict[str, Any]:
        if self.are_too_many:
            return {"index": line.index, "units_limit_exceeded": True}
        return {"index": line.index, "units": list(line.numbers)}


def _lines_in(scope: Scope, order: Order) -> list[Selection]:
    return [
        Selection(index, range(0), scope.entry_of(item))
        for index, item in enumerate(order.items)
        if scope.reaches(item)
    ]


def _good(item: Item) -> tuple[str, str]:
    kind = "sku" if item.sku_ids else "product"
    return kind, _ids(item.sku_ids or item.product_ids, kind)[0]


def _good_to_wire(item: Item, entry: Entry | None) -> dict[str, Any]:
    """Return a line's product or SKU as an entry of its own, with what the entry it falls under says."""
    kind, public_id = _good(item)
    names = {"id": public_id, "source_id": _ids(item.sku_ids or item.product_ids, kind)[1]}
    if kind == "sku":
        names["product_id"], names["product_source_id"] = _ids(item.product_ids, "product")
    wire = {"object": kind} | {name: value for name, value in names.items() if value}
    told = entry.wire if entry else {"effect": EVERY}
    return wire | {name: value for name, value in told.items() if name not in IDENTITY}


def _ids(ids: frozenset[str], kind: str) -> tuple[str, str]:
    """Return the public id of a product or SKU, the shop's where it has none, and its source id."""
    prefix = "prod_" if kind == "product" else "sku_"
    found = sorted(ids, key=lambda key: (not key.startswith(prefix), key))
    return (found[0], found[1] if len(found) > 1 else "") if found else ("", "")
