"""What happened to an order, as its customer's activity tells it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.models import Customer
from customers.wire import simple_customer
from promoengine.core.events import Happening, record_events
from promoengine.core.models import Project
from redemptions.models import Order
from redemptions.order_selectors import order_to_wire

CREATED, UPDATED = "customer.order.created", "customer.order.updated"
# An order that goes back to being merely created is only an updated one.
STATUS_EVENTS = {
    Order.Status.PAID: "customer.order.paid",
    Order.Status.PROCESSING: "customer.order.processing",
    Order.Status.CANCELED: "customer.order.canceled",
    Order.Status.FULFILLED: "customer.order.fulfilled",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Whose an order is, and its status; taken before a change, it tells what the change has done."""

    status: str
    customer_id: uuid.UUID | None

    @classmethod
    def of(cls, order: Order) -> "Standing":
        return cls(order.status, order.customer_id)


def record_order_change(
    project: Project, order: Order, before: Standing | None, *, channel: str, now: datetime
) -> None:
    """Write to the outbox what happened to an order that is written, in the caller's transaction."""
    happened = order_happenings(
        order, order_to_wire(order), before=before, customer=order.customer, referrer=order.referrer
    )
    record_events(project, happened, now=now, channel=channel)


def order_happenings(
    order: Order,
    wire: dict[str, Any],
    *,
    before: Standing | None,
    customer: Customer | None,
    referrer: Customer | None = None,
    redemption: dict[str, Any] | None = None,
) -> list[Happening]:
    """Return what happened to an order that was made, where it had no standing `before`, or changed.

    One event says that, and one more the status it has come to. An order that passes from one customer to
    another is an updated one to both. `redemption` is what the change is part of.
    """
    data: dict[str, Any] = {"order": wire}
    if customer is not None:
        data["customer"] = simple_customer(customer)
    # An event is erased with the person it is of, so it tells nothing personal of anybody else.
    if referrer is not None:
        data["referrer"] = {"id": referrer.public_id, "object": "customer"}
    if redemption is not None:
        data["redemption"] = redemption
    events = [CREATED if before is None else UPDATED]
    was = Order.Status.CREATED if before is None else before.status
    if order.status != was and (event := STATUS_EVENTS.get(Order.Status(order.status))):
        events.append(event)
    happened = [
        Happening(event, data, entity_id=order.public_id, customer_id=order.customer_id) for event in events
    ]
    if before is not None and before.customer_id not in (None, order.customer_id):
        named = {"order": {name: wire[name] for name in ("id", "customer_id", "object")}}
        happened.append(Happening(UPDATED, named, entity_id=order.public_id, customer_id=before.customer_id))
    return happened
