"""An order as its own endpoints take it, read from the wire into immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promoengine.core.errors import InvalidPayload
from redemptions.requests import AskedOrder, parse_customer, parse_order, read_amount, read_object, read_text


@dataclass(frozen=True, slots=True)
class LineDiscount:
    """What a line is sent with of discounts: minor units off, and for how many units; None is not sent."""

    amount: int | None = None
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order to be stored. `where` is its place in the payload.

    `discount` and `line_discounts`, beside the lines, are given from elsewhere, or read here before; what is
    not sent stays as redemptions left it. `initial_amount` is what it cost before units were added.
    """

    order: AskedOrder
    customer: dict[str, Any] | None = None
    referrer: dict[str, Any] | None = None
    initial_amount: int | None = None
    discount: int | None = None
    line_discounts: tuple[LineDiscount, ...] = ()
    where: str = ""


def parse_order_request(body: Any, where: str = "") -> OrderRequest:
    """Read the body of an order's endpoints; what is null is not sent, unknown fields are ignored.

    Raises:
        InvalidPayload: the shape is wrong; the details name the property.
        InvalidAmount: an amount or price is negative or too large.
    """
    body = read_object(body, where)
    order = parse_order(body, where) or AskedOrder()
    rows = body.get("items") or ()
    if order.items is not None:
        lines = zip(order.items, rows, strict=True)
        items = tuple(_line(line, row, f"{where}.items[{index}]") for index, (line, row) in enumerate(lines))
        order = replace(order, items=items)
    referrer = parse_customer(body.get("referrer"), f"{where}.referrer")
    if referrer is None and (referrer_id := read_text(body, "referrer_id", where)):
        referrer = {"id": referrer_id}
    return OrderRequest(
        order,
        parse_customer(body.get("customer"), f"{where}.customer"),
        referrer,
        read_amount(body, "initial_amount", where),
        read_amount(body, "discount_amount", where),
        tuple(_line_discount(row, f"{where}.items[{index}]") for index, row in enumerate(rows)),
        where,
    )


def _line(line: dict[str, Any], row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a checked line with what only stored ones have: their ids, and what they were at first."""
    whole = dict(line)
    if (line_id := read_text(row, "id", where)) is not None:
        whole["id"] = line_id
    quantity = read_amount(row, "initial_quantity", where)
    amount = read_amount(row, "initial_amount", where)
    if quantity is None and amount is None:
        return whole
    if quantity is None or amount is None:
        missing = "initial_quantity" if quantity is None else "initial_amount"
        raise InvalidPayload(f"Property {where} should have required property '{missing}'")
    return whole | {"initial_quantity": quantity, "initial_amount": amount}


def _line_discount(row: Mapping[str, Any], where: str) -> LineDiscount:
    return LineDiscount(
        read_amount(row, "discount_amount", where), read_amount(row, "discount_quantity", where)
    )
