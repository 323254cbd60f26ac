"""Refunds, and what one would be, as the API answers them; this is our own beside the published wire."""

from collections.abc import Sequence
from typing import Any

from promoengine.core.api.renderers import wire_datetime
from redemptions.models import Order, Refund, RefundedUnits
from redemptions.orders import Line

LINE_FIELDS = ("id", "source_id", "product_id", "sku_id", "related_object", "price", "product", "sku")
AMOUNTS = ("units_amount", "discount_amount", "gift_amount", "held_back_amount", "refund_amount")


def refund_to_wire(refund: Refund, units: Sequence[RefundedUnits], order: Order) -> dict[str, Any]:
    """Return a refund with the units that came back; the order is as it was sold."""
    return {
        "id": refund.public_id,
        "source_id": refund.source_id,
        **calculation_to_wire(refund, units, order),
        "object": "order_refund",
        "reason": refund.reason or None,
        "metadata": refund.metadata,
        "created_at": wire_datetime(refund.created_at),
    }


def calculation_to_wire(refund: Refund, units: Sequence[RefundedUnits], order: Order) -> dict[str, Any]:
    """Return what a refund that has not been made would be."""
    return {
        "object": "order_refund_calculation",
        "order_id": order.public_id,
        "order_source_id": order.source_id,
        "mode": refund.mode,
        **{name: getattr(refund, name) for name in AMOUNTS},
        "items": [_units_to_wire(one, order.items) for one in units],
        "discounts": refund.discounts,
        "gift_credits": refund.gift_credits,
    }


def _units_to_wire(units: RefundedUnits, lines: Sequence[Line]) -> dict[str, Any]:
    is_line = units.line != RefundedUnits.OFF_LINES
    line = lines[units.line] if is_line and units.line < len(lines) else {}
    return {
        "object": "order_refund_item",
        "order_item_index": units.line if is_line else None,
        **{name: line[name] for name in LINE_FIELDS if name in line},
        "quantity": units.quantity,
        "quantity_left": units.sold_quantity - units.first_unit - units.quantity,
        **{name: getattr(units, name) for name in AMOUNTS},
        "discounts": units.discounts,
    }
