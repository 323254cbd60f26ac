"""Deleting customers: out of sight, or out of the world."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Customer, SegmentMember
from customers.selectors import customer_by_ref, known_customer_by_ref
from customers.wire import customer_to_wire
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.events import record_event
from promoengine.core.ids import new_id, parse_public_id, public_id
from promoengine.core.models import OutboxEvent, Project
from promoengine.core.services.definitions import hold_off_checkouts
from promoengine.core.services.privacy import erase_copies, erase_person
from promoengine.core.services.reports import forget_reported


@transaction.atomic
def delete_customer(project: Project, ref: str, *, channel: str = "API", now: datetime) -> None:
    """Delete a customer; what they redeemed keeps its history, and the source id is free again.

    Their segments lose them without a word: nobody has left who is not there any more.

    Raises:
        NotFound: the project has no such customer.
    """
    customer = customer_by_ref(project, ref)
    Customer.objects.filter(pk=customer.pk).update(deleted_at=now, source_id=None, tracking_id=None)
    Customer.objects.filter(merged_into=customer).update(tracking_id=None)
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
def erase_customer(project: Project, ref: str, *, channel: str = "API", now: datetime) -> dict[str, Any]:
    """Erase for good what is personal of a customer, in every room; return the published record of it.

    Orders, redemptions and balances keep their amounts, and their key to a customer without a name. One who
    was deleted before is found by id.

    Raises:
        NotFound: the project has no such customer.
    """
    customer = known_customer_by_ref(project, ref)
    # Before anybody is held off: it may read for some time.
    forget_reported(project, _called(customer))
    # Alone, so that nobody writes of the customer what would outlive them, or makes counters of their keys.
    hold_off_checkouts(project)
    Customer.objects.select_for_update().get(pk=customer.pk)
    counts = erase_person(customer.pk)
    Customer.objects.filter(pk=customer.pk).update(deleted_at=now)
    # Without the customer's key: it is no part of what they did, and stays.
    record_event(project, "customer.erased", {}, entity_id=customer.public_id, channel=channel, now=now)
    happened = counts["core.OutboxEvent"]
    return {
        "id": public_id("del", new_id()),
        "created_at": wire_datetime(now),
        "related_object_id": customer.public_id,
        "related_object": "customer",
        "status": "DONE",
        "data_json": {
            "events": counts["customers.CustomEvent"] + happened,
            "customer_events": happened,
            "daily_events": 0,
            "segments": counts["customers.SegmentMember"],
            "orders": 0,
            "order_events": 0,
            "customer": 1,
        },
        "object": "pernament_deletion",
    }


def _called(customer: Customer) -> set[str]:
    """Return what reports may call a customer: ids and addresses, also the id of one who was deleted."""
    deleted = OutboxEvent.objects.filter(customer_id=customer.pk, type="customer.deleted")
    ids = deleted.values_list("data__customer__source_id", flat=True)
    return {*filter(None, (customer.public_id, customer.source_id, customer.email, customer.phone, *ids))}


@transaction.atomic
def finish_erasing(event_ids: Collection[str]) -> None:
    """Erase what was being written of these events' customers meanwhile, and copies of answers about them."""
    found = OutboxEvent.objects.filter(pk__in=[uuid.UUID(key) for key in event_ids])
    for event in found.select_related("project").order_by("project_id", "pk"):
        if key := parse_public_id(Customer.prefix, event.entity_id):
            hold_off_checkouts(event.project)
            erase_person(key)
            erase_copies(key)
