"""Customers and what they did, as the wire has them."""

from typing import Any

from customers.models import Customer, CustomerSummary, Segment
from customers.selectors import SyncProgress
from promoengine.core.api.renderers import wire_datetime

TEXTS = ("name", "description", "email", "phone")
NO_SUMMARY = CustomerSummary()


def customer_to_wire(customer: Customer) -> dict[str, Any]:
    """Return a customer that came from `customers_for_wire`; what is not set is absent, but the address."""
    wire: dict[str, Any] = {"id": customer.public_id}
    if customer.source_id is not None:
        wire["source_id"] = customer.source_id
    wire |= {name: value for name in TEXTS if (value := getattr(customer, name)) is not None}
    if customer.birthdate:
        wire |= {"birthdate": customer.birthdate.isoformat(), "birthday": customer.birthdate.isoformat()}
    wire["address"] = customer.address
    if customer.metadata:
        wire["metadata"] = customer.metadata
    wire |= {
        "summary": summary_to_wire(customer),
        "loyalty": {"points": 0, "referred_customers": 0, "campaigns": {}},
        "referrals": {"total": 0, "campaigns": []},
        "system_metadata": {},
        "created_at": wire_datetime(customer.created_at),
        "object": "customer",
    }
    if customer.updated_at:
        wire["updated_at"] = wire_datetime(customer.updated_at)
    return wire


def simple_customer(customer: Customer) -> dict[str, Any]:
    """Return a customer as other objects carry one."""
    return {
        "id": customer.public_id,
        "name": customer.name,
        "email": customer.email,
        "source_id": customer.source_id,
        "metadata": customer.metadata,
        "object": "customer",
    }


def summary_to_wire(customer: Customer) -> dict[str, Any]:
    summary: CustomerSummary = getattr(customer, "summary", NO_SUMMARY)
    orders = {
        "total_amount": summary.orders_amount,
        "total_count": summary.orders_count,
        "average_amount": summary.orders_amount // summary.orders_count if summary.orders_count else 0,
        "last_order_amount": summary.last_order_amount,
    }
    if summary.last_order_at:
        orders["last_order_date"] = wire_datetime(summary.last_order_at)
    return {
        "redemptions": {
            "total_redeemed": summary.redeemed,
            "total_failed": summary.failed,
            "total_succeeded": summary.succeeded,
            "total_rolled_back": summary.rolled_back,
            "total_rollback_failed": summary.rollback_failed,
            "total_rollback_succeeded": summary.rollback_succeeded,
            "gift": {
                "redeemed_amount": summary.gift_redeemed_amount,
                "amount_to_go": summary.gift_amount_to_go,
            },
            "loyalty_card": {"redeemed_points": 0, "points_to_go": 0},
        },
        "orders": orders,
    }


def segment_to_wire(segment: Segment, progress: SyncProgress | None = None) -> dict[str, Any]:
    """Return a segment, without its customers; while it is filled, with how far that is."""
    wire = {
        "id": segment.public_id,
        "name": segment.name,
        "created_at": wire_datetime(segment.created_at),
        "type": segment.type,
        "filter": segment.filter,
        "initial_sync_status": segment.initial_sync_status,
        "object": "segment",
    }
    if segment.updated_at:
        wire["updated_at"] = wire_datetime(segment.updated_at)
    if progress is not None:
        wire["initial_sync_progress"] = {
            "asked_customers": progress.asked,
            "total_customers": progress.total,
            "matching_customers": progress.members,
        }
    return wire


def simple_segment(public_id: str, name: str) -> dict[str, Any]:
    """Return a segment as lists of a customer's segments and events carry one."""
    return {"id": public_id, "name": name, "object": "segment"}
