"""Deleting customers: out of sight, or out of the world."""

from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Customer, CustomerSummary, CustomEvent, SegmentMember
from customers.selectors import customer_by_ref
from customers.wire import customer_to_wire
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.events import record_event
from promoengine.core.ids import new_id, public_id
from promoengine.core.models import OutboxEvent, Project

ERASED: dict[str, Any] = {
    "source_id": None,
    "name": None,
    "email": None,
    "phone": None,
    "description": None,
    "birthdate": None,
    "address": None,
    "metadata": {},
}


@transaction.atomic
def delete_customer(project: Project, ref: str, *, channel: str = "API", now: datetime) -> None:
    """Delete a customer; what they redeemed keeps its history, and the source id is free again.

    Their segments lose them without a word: nobody has left who is not there any more.

    Raises:
        NotFound: the project has no such customer.
    """
    customer = customer_by_ref(project, ref)
    Customer.objects.filter(pk=customer.pk).update(deleted_at=now, source_id=None)
    SegmentMember.objects.filter(customer=customer).delete()
    record_event(
        project,
        "customer.deleted",
        {"customer": customer_to_wire(customer)},
        entity_id=customer.public_id,
        customer_id=customer.pk,
        channel=channel,
        now=now,
    )


@transaction.atomic
def erase_customer(project: Project, ref: str, *, now: datetime) -> dict[str, Any]:
    """Erase a customer's personal data for good, and return the published record of it.

    Higher rooms erase theirs when they hear of `customer.erased`.

    Raises:
        NotFound: the project has no such customer.
    """
    customer = customer_by_ref(project, ref)
    events, _ = CustomEvent.objects.filter(project=project, customer=customer).delete()
    happened, _ = OutboxEvent.objects.filter(project=project, customer_id=customer.pk).delete()
    CustomerSummary.objects.filter(customer=customer).delete()
    Customer.objects.filter(pk=customer.pk).update(**ERASED, deleted_at=now)
    segments, _ = SegmentMember.objects.filter(customer=customer).delete()
    record_event(
        project, "customer.erased", {}, entity_id=customer.public_id, customer_id=customer.pk, now=now
    )
    return {
        "id": public_id("del", new_id()),
        "created_at": wire_datetime(now),
        "related_object_id": customer.public_id,
        "related_object": "customer",
        "status": "DONE",
        "data_json": {
            "events": events + happened,
            "customer_events": happened,
            "daily_events": 0,
            "segments": segments,
            "orders": 0,
            "order_events": 0,
            "customer": 1,
        },
        "object": "pernament_deletion",
    }
