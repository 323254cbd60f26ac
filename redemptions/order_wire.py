"""Orders as the wire has them: their amounts and lines as redeemables leave them."""

from collections.abc import Mapping
from typing import Any

from customers.models import Customer
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id
from promoengine.engine.order import Item
from promoengine.engine.order import Order as Amounts
from redemptions.models import Order
from redemptions.orders import NO_GOODS, CheckoutOrder, Line, added_line

LINE_FIELDS = ("id", "source_id", "product_id", "sku_id", "related_object", "price")


def order_to_wire(
    order: CheckoutOrder, before: Amounts, after: Amounts, *, customer: Customer | None
) -> dict[str, Any]:
    """Return an order as `after` leaves it; what `applied_…` fields count is the step from `before`.

    Discount fields that are zero are absent, and so are initial ones where nothing was added.
    """
    wire: dict[str, Any] = {"amount": after.amount, "total_amount": after.total}
    if after.initial_amount is not None:
        wire["initial_amount"] = after.initial_amount
    wire |= nonzero(
        discount_amount=after.discount,
        items_discount_amount=after.items_discount,
        total_discount_amount=after.total_discount,
        applied_discount_amount=after.discount - before.discount,
        items_applied_discount_amount=after.items_discount - before.items_discount,
        total_applied_discount_amount=after.total_discount - before.total_discount,
    )
    if after.items:
        wire["items"] = [
            line_to_wire(
                order.lines[index] if index < len(order.lines) else added_line(now),
                before.items[index] if index < len(before.items) else None,
                now,
            )
            for index, now in enumerate(after.items)
        ]
    return wire | order_frame(order, customer)


def order_frame(order: CheckoutOrder, customer: Customer | None) -> dict[str, Any]:
    """Return what of an order has nothing to do with amounts."""
    customer_id = customer.public_id if customer else None
    frame: dict[str, Any] = {
        "metadata": order.metadata,
        "customer_id": customer_id,
        "referrer_id": None,
        "object": "order",
    }
    if order.stored is not None and order.stored.referrer_id:
        frame["referrer_id"] = public_id(Customer.prefix, order.stored.referrer_id)
        frame["referrer"] = {"id": frame["referrer_id"], "object": "customer"}
    if order.currency:
        frame["currency"] = order.currency
    if order.source_id is not None:
        frame["source_id"] = order.source_id
    if order.stored is not None:
        frame |= stored_order_frame(order.stored)
    if customer_id:
        frame["customer"] = {"id": customer_id, "object": "customer"}
    return frame


def stored_order_to_wire(order: Order, redemptions: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order that came from `orders_for_wire`, with the map of its redemptions where it has some."""
    whole = CheckoutOrder.of(order)
    amounts = whole.to_engine(NO_GOODS)
    wire = order_to_wire(whole, amounts, amounts, customer=order.customer)
    return wire | {"redemptions": redemptions} if redemptions else wire


def stored_order_frame(order: Order) -> dict[str, Any]:
    return {
        "id": order.public_id,
        "source_id": order.source_id,
        "status": order.status,
        "created_at": wire_datetime(order.created_at),
        "updated_at": wire_datetime(order.updated_at),
    }


def line_to_wire(line: Line, was: Item | None, now: Item) -> dict[str, Any]:
    """Return an order line with its discount so far, `now`, and what this step, from `was`, did to it."""
    wire: Line = {"object": "order_item"}
    for name in LINE_FIELDS:
        if name in line:
            wire[name] = line[name]
    wire["quantity"], wire["amount"] = now.quantity, now.amount
    # Most lines of most answers are untouched, and there may be thousands.
    if now is not was or now.discount or now.discount_quantity:
        wire |= _discount_of_line(was, now)
    if now.initial_quantity is not None:
        wire |= {"initial_quantity": now.initial_quantity, "initial_amount": now.initial_amount}
    wire["subtotal_amount"] = now.subtotal
    for name in ("product", "sku", "metadata"):
        if name in line:
            wire[name] = line[name]
    return wire


def _discount_of_line(was: Item | None, now: Item) -> dict[str, int]:
    discount, units = (was.discount, was.discount_quantity) if was else (0, 0)
    quantity, amount = (was.quantity, was.amount) if was else (0, 0)
    return nonzero(
        discount_amount=now.discount,
        applied_discount_amount=now.discount - discount,
        discount_quantity=now.discount_quantity,
        applied_discount_quantity=now.discount_quantity - units,
        applied_quantity=now.quantity - quantity,
        applied_quantity_amount=now.amount - amount,
    )


def nonzero(**amounts: int) -> dict[str, int]:
    return {name: amount for name, amount in amounts.items() if amount}
