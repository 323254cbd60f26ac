"""Reads of what was refunded of an order."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet

from redemptions.models import Order, Refund, RefundedUnits
from redemptions.refund_wire import refund_to_wire


def refunds_of(order: Order) -> QuerySet[Refund]:
    """Return an order's refunds with their units, the lines' first."""
    units = RefundedUnits.objects.order_by("id")
    return Refund.objects.filter(order=order).prefetch_related(Prefetch("units", queryset=units))


def refunds_to_wire(order: Order, refunds: Sequence[Refund]) -> list[dict[str, Any]]:
    """Return refunds that came from `refunds_of`."""
    return [refund_to_wire(refund, list(refund.units.all()), order) for refund in refunds]
