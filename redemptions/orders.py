"""The order of one checkout: what was sent over what is stored, and its amounts in the engine's terms."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from campaigns.facts import Catalogue
from promoengine.core.errors import DomainError
from promoengine.core.ids import new_public_ids
from promoengine.engine.checks import ANY_TIME
from promoengine.engine.order import Good, Item, Order
from redemptions import models
from redemptions.requests import AMOUNT_MAX, AskedOrder, InvalidAmount

Line = dict[str, Any]
# What is kept of earlier redemptions of an order, line by line.
EARLIER = ("items", "discount_quantities", "free_quantities", "shares")
UNTOUCHED = (0, 0, 0, 0)
LINE_PREFIX = "ordli"
# For what an order comes to, goods make no difference once its lines have their amounts.
NO_GOODS = Catalogue(ANY_TIME)


class CurrencyMismatch(DomainError):
    """What would have to be added up is in two currencies."""

    key = "currency_mismatch"
    message = "currency mismatch"


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """An order under checkout. `stored` is its row where it has one; `lines` are wire items with amounts.

    `initial_amount` is what it cost before units were added, where some were. `currency` is told where it is
    another than the project's.
    """

    stored: models.Order | None
    source_id: str | None
    amount: int
    lines: tuple[Line, ...]
    status: str | None
    metadata: dict[str, Any]
    has_amount: bool = True
    initial_amount: int | None = None
    currency: str = ""

    @classmethod
    def of(cls, stored: models.Order) -> "CheckoutOrder":
        """Return an order as it is stored."""
        return cls(
            stored,
            stored.source_id,
            stored.amount,
            tuple(stored.items),
            stored.status,
            stored.metadata,
            initial_amount=stored.calculated.get("initial_amount"),
            currency=stored.currency,
        )

    def to_engine(self, catalogue: Catalogue) -> Order:
        """Return its amounts, with the discounts of earlier redemptions on it."""
        calculated = self.stored.calculated if self.stored else {}
        items = tuple(
            _item(line, before, catalogue) for line, before in zip(self.lines, self._earlier(), strict=True)
        )
        whole = Order(
            self.amount,
            items,
            metadata=self.metadata,
            initial_amount=self.initial_amount,
            currency=self.currency,
        )
        discount = min(calculated.get("discount", 0), max(0, whole.total))
        return replace(whole, discount=discount) if discount else whole

    def shared(self, amounts: Order) -> list[int]:
        """Return what earlier discounts took off each line, and last off what is on no line.

        `amounts` are the order's own; what their lines carry is on them at least.
        """
        earlier = zip(self._earlier(), amounts.items, strict=True)
        on_lines = [max(shared, item.discount) for (*_, shared), item in earlier]
        return [*on_lines, max(0, amounts.total_discount - sum(on_lines))]

    def _earlier(self) -> list[tuple[int, ...]]:
        """Return what earlier redemptions did to each line."""
        if self.stored is None or not self.stored.calculated:
            return [UNTOUCHED] * len(self.lines)
        kept = (self.stored.calculated.get(name, ()) for name in EARLIER)
        rows = dict(enumerate(zip_longest(*kept, fillvalue=0)))
        return [rows.get(place, UNTOUCHED) for place in _places(self.lines, self.stored.items)]


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
    asked: AskedOrder | None,
    stored: models.Order | None,
    catalogue: Catalogue,
    *,
    home: str,
    overwrite: bool,
) -> CheckoutOrder | None:
    """Return the order to calculate on, its lines priced, or None where none was sent.

    A line without a price has that of its stored SKU or product. `home` is the project's currency.

    Raises:
        InvalidAmount: a line costs more than can be counted.
        CurrencyMismatch: the order is stored in another currency, or a line needs a price in this one.
    """
    if asked is None:
        return None
    currency = _currency(asked, stored, home=home, overwrite=overwrite)
    sent = lines_of(asked, stored, overwrite=overwrite)
    if currency:
        _refuse_overridden_prices(sent)
    lines = tuple(priced(line, catalogue, currency) for line in sent)
    if stored is not None and not overwrite:
        return replace(CheckoutOrder.of(stored), lines=lines, status=asked.status)
    amount, initial_amount = asked.amount, _initial_amount(lines)
    if stored is not None and asked.items is None:
        amount = stored.amount if amount is None else amount
        initial_amount = stored.calculated.get("initial_amount")
    return CheckoutOrder(
        stored,
        stored.source_id if stored else asked.source_id,
        sum(line["amount"] for line in lines) if amount is None else amount,
        lines,
        asked.status,
        (stored.metadata if stored else {}) | (asked.metadata or {}),
        has_amount=asked.amount is not None or bool(lines) or stored is not None,
        initial_amount=initial_amount,
        currency=currency,
    )


def _currency(asked: AskedOrder, stored: models.Order | None, *, home: str, overwrite: bool) -> str:
    """Return an order's currency, "" where it is the project's; what was redeemed on it stays in its own."""
    kept = stored.currency if stored else ""
    if asked.currency is None:
        return kept
    said = "" if asked.currency == home else asked.currency
    is_sold_anew = overwrite and asked.items is not None and stored is not None and not stored.calculated
    if stored is not None and said != kept and not is_sold_anew:
        raise CurrencyMismatch(f"Order {stored.public_id} is in {kept or home}, and not in {asked.currency}")
    return said


def _refuse_overridden_prices(lines: Sequence[Line]) -> None:
    """Keep prices out of the catalogue that are in another currency than the project's."""
    said = (line.get(kind) or {} for line in lines for kind in ("product", "sku"))
    if any(one.get("override") and one.get("price") is not None for one in said):
        raise CurrencyMismatch("The catalogue's prices can't be overridden by an order in another currency")


def priced(line: Line, catalogue: Catalogue, currency: str = "") -> Line:
    """Return a line with its amount: as sent, or the price sent or stored, times the quantity.

    Raises:
        InvalidAmount: it is more than can be counted.
        CurrencyMismatch: only a price in the project's currency is stored, and the order is in another.
    """
    if "amount" in line:
        return line
    good = catalogue.good_of_line(line)
    if currency and "price" not in line and good is not None and good.price:
        raise CurrencyMismatch(f"An order line needs a price in {currency}: that of the catalogue is not")
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


def numbered(lines: Sequence[Line], before: Sequence[Line] = ()) -> list[Line]:
    """Return order lines as they are stored, each with an id of its own.

    It has the id of the line it was `before`, else a new one, whatever id was sent. What lines say of storing
    goods has been done, and is left out.
    """
    earlier = [before[place].get("id") if place is not None else None for place in _places(lines, before)]
    fresh = iter(new_public_ids(LINE_PREFIX, earlier.count(None)))
    return [
        _without_override(line) | {"id": known or next(fresh)}
        for line, known in zip(lines, earlier, strict=True)
    ]


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


def _initial_amount(lines: Sequence[Line]) -> int | None:
    """Return what lines cost before units were added to them, or None where none were."""
    if not any("initial_amount" in line for line in lines):
        return None
    return sum(line.get("initial_amount", line["amount"]) for line in lines)


def _places(lines: Sequence[Line], before: Sequence[Line]) -> list[int | None]:
    """Return for each line the place it had before: by its id, else by its goods, the first of them first."""
    if not before:
        return [None] * len(lines)
    by_id = {line["id"]: place for place, line in enumerate(before) if "id" in line}
    found = [by_id.pop(line["id"], None) if "id" in line else None for line in lines]
    by_goods: dict[tuple[Any, ...], deque[int]] = {}
    for place in sorted(set(range(len(before))) - set(found)):
        by_goods.setdefault(goods_of(before[place]), deque()).append(place)
    return [
        free.popleft() if place is None and (free := by_goods.get(goods_of(line))) else place
        for line, place in zip(lines, found, strict=True)
    ]


def _without_override(line: Line) -> Line:
    if "product" not in line and "sku" not in line:
        return line
    said = {
        kind: {name: value for name, value in line[kind].items() if name != "override"}
        for kind in ("product", "sku")
        if "override" in line.get(kind, ())
    }
    return line | said


def _item(line: Mapping[str, Any], earlier: tuple[int, ...], catalogue: Catalogue) -> Item:
    discount, discount_quantity, free_quantity, _ = earlier
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


def goods_of(line: Mapping[str, Any]) -> tuple[Any, ...]:
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
