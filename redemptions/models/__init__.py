"""The rows of this room: orders, the ledger of redemptions, what limits count by, refunds and exports."""

from redemptions.models.counters import CounterHold, Reservation, UsageCounter
from redemptions.models.exports import Export, ExportPart
from redemptions.models.orders import Order, OrderQuerySet
from redemptions.models.redemptions import Redemption
from redemptions.models.refunds import Refund, RefundedUnits

__all__ = [
    "CounterHold",
    "Export",
    "ExportPart",
    "Order",
    "OrderQuerySet",
    "Redemption",
    "Refund",
    "RefundedUnits",
    "Reservation",
    "UsageCounter",
]
