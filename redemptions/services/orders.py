"""Orders as redemptions leave them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction

from customers.models import Customer
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from promoengine.engine.decide import Decision
from promoengine.engine.order import Order as Amounts
from redemptions.models import Order
from redemptions.orders import CheckoutOrder, lines_after, numbered
from redemptions.services.claim import CLAIM_LOST, ClaimLost


class OrderRefunded(DomainError):
    """What came back of an order was paid back by its discounts, so these stay as they are."""

    key = "invalid_order"
    message = "Invalid order"


def lock_order(order: Order) -> None:
    """Keep other redemptions off this order until the transaction ends.

    Raises:
        ClaimLost: one is running, or has changed the order since it was read.
        OrderRefunded: something of the order has been refunded.
    """
    try:
        # A savepoint, because the refusal of a lock leaves the transaction unusable.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT updated_at FROM {Order._meta.db_table} WHERE id = %s FOR NO KEY UPDATE NOWAIT",
                [order.pk],
            )
            found = cursor.fetchone()
    except OperationalError as error:
        raise ClaimLost(CLAIM_LOST) from error
    if found is None or found[0] != order.updated_at:
        raise ClaimLost(CLAIM_LOST)
    refuse_refunded(order)


def refuse_refunded(order: Order) -> None:
    """Raise OrderRefunded where something of the order has been refunded: nothing more is redeemed on it."""
    if order.refunded_amount is not None:
        raise OrderRefunded(f"Order {order.public_id} has refunds; nothing more can be redeemed on it")


def save_order(
    project: Project,
    order: CheckoutOrder | None,
    decision: Decision,
    *,
    shares: Sequence[int] | None,
    customer: Customer | None,
    now: datetime,
) -> Order | None:
    """Write the order with the discounts the decision leaves on it, paid unless told otherwise.

    `shares` is how they are shared out over its lines. A new one is returned unwritten: it is written
    together with its redemptions.
    """
    if order is None:
        return None
    lines = lines_after(order, decision.order) if decision.order else list(order.lines)
    values: dict[str, Any] = {
        "customer": customer,
        "status": order.status or Order.Status.PAID,
        "amount": decision.order.amount if decision.order else order.amount,
        "currency": order.currency,
        "items": numbered(lines, order.stored.items if order.stored else ()),
        "calculated": calculated_of(decision.order, shares or ()),
        "metadata": order.metadata,
    }
    if order.stored is None:
        return Order(project=project, source_id=order.source_id, created_at=now, **values)
    for name, value in values.items():
        setattr(order.stored, name, value)
    order.stored.updated_at = now
    order.stored.save(update_fields=[*values, "updated_at"])
    return order.stored


def calculated_of(amounts: Amounts | None, shares: Sequence[int]) -> dict[str, Any]:
    """Return the discounts to keep with an order: on the whole, and for each line; minor units.

    `shares` has what all of them took off each line, and last off what is on no line, which the rest says.
    """
    if amounts is None or not (amounts.total_discount or amounts.initial_amount):
        return {}
    kept: dict[str, Any] = {
        "discount": amounts.discount,
        "total_discount": amounts.total_discount,
        "items": [item.discount for item in amounts.items],
        "discount_quantities": [item.discount_quantity for item in amounts.items],
        "free_quantities": [item.free_quantity for item in amounts.items],
        "shares": list(shares[:-1]),
    }
    return kept | ({"initial_amount": amounts.initial_amount} if amounts.initial_amount is not None else {})


def cancel_order(order: Order, *, now: datetime) -> None:
    """Take the discounts, and units they added, off an order whose redemption is rolled back; cancel it."""
    order.amount = order.calculated.get("initial_amount", order.amount)
    order.items = [_as_sent(line) for line in order.items if line.get("initial_quantity") != 0]
    order.status, order.calculated, order.updated_at = Order.Status.CANCELED, {}, now
    order.save(update_fields=["status", "amount", "items", "calculated", "updated_at"])


def _as_sent(line: dict[str, Any]) -> dict[str, Any]:
    """Return an order line without the units that a discount added to it."""
    if "initial_quantity" not in line:
        return line
    plain = {name: value for name, value in line.items() if not name.startswith("initial_")}
    return plain | {"quantity": line["initial_quantity"], "amount": line["initial_amount"]}
