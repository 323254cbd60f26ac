"""Customers as segments' filters read them: as the wire has them, with their custom events counted."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from customers.models import Customer, CustomEvent
from customers.wire import customer_to_wire

Person = Mapping[str, Any]


def people_of(customers: Sequence[Customer], events: Collection[str]) -> list[Person]:
    """Return customers that came from `customers_for_wire`, with what is known of these custom events.

    One query where events are asked for, none otherwise.
    """
    happened = _events([customer.pk for customer in customers], events)
    return [_person(customer, happened[customer.pk], events) for customer in customers]


def person_at_checkout(
    customer: Customer | None, sent: Mapping[str, Any], events: Collection[str], *, now: datetime
) -> Person:
    """Return whom a checkout names: what is stored and, over it, what was sent.

    One who is not stored yet is as they would be, were they made now.
    """
    stored = customer or Customer(created_at=now)
    happened = _events([customer.pk], events) if customer else defaultdict(dict)
    person = _person(stored, happened[stored.pk], events)
    return {**person, **sent}


def _person(customer: Customer, happened: Mapping[str, Any], events: Collection[str]) -> dict[str, Any]:
    none = {f"{name}.count": 0 for name in events}
    return customer_to_wire(customer) | {"events": none | happened}


def _events(customer_ids: list[uuid.UUID], names: Collection[str]) -> dict[uuid.UUID, dict[str, Any]]:
    found: dict[uuid.UUID, dict[str, Any]] = defaultdict(dict)
    if names:
        events = CustomEvent.objects.filter(customer_id__in=customer_ids, type__in=names).order_by()
        counted = events.values("customer_id", "type").annotate(count=Count("id"), last=Max("created_at"))
        for row in counted:
            name = row["type"]
            found[row["customer_id"]] |= {f"{name}.count": row["count"], f"{name}.last_date": row["last"]}
    return found
