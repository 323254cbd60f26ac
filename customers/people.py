"""Customers as segments' filters read them: as the wire has them, with their custom events counted."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from customers.membership import Needs
from customers.models import Customer, CustomerSummary, CustomEvent
from customers.wire import customer_to_wire

Person = Mapping[str, Any]


def people_of(customers: Sequence[Customer], needs: Needs) -> list[Person]:
    """Return customers that came from `customers_for_wire`, with what filters need besides.

    One query where events are asked for, one where products are, none otherwise.
    """
    keys = [customer.pk for customer in customers]
    happened, bought = _events(keys, needs.events), _products(keys, needs)
    return [person_of(one, happened[one.pk], bought[one.pk], needs) for one in customers]


def person_at_checkout(
    customer: Customer | None, sent: Mapping[str, Any], needs: Needs, *, now: datetime
) -> Person:
    """Return whom a checkout names: what is stored and, over it, what was sent.

    One who is not stored yet is as they would be, were they made now.
    """
    stored = customer or Customer(created_at=now)
    keys = [customer.pk] if customer else []
    happened, bought = _events(keys, needs.events), _products(keys, needs)
    person = person_of(stored, happened[stored.pk], bought[stored.pk], needs)
    return {**person, **sent}


def person_of(
    customer: Customer, happened: Mapping[str, Any], bought: Sequence[str], needs: Needs
) -> dict[str, Any]:
    """Return a customer as filters read them; `happened` is what `event_facts` says of their events."""
    none = {f"{name}.count": 0 for name in needs.events}
    person = customer_to_wire(customer) | {"events": none | happened}
    if needs.products and bought:
        person["summary"]["orders"]["products"] = bought
    return person


def event_facts(counted: Iterable[tuple[str, int, datetime]]) -> dict[str, Any]:
    """Return what filters ask of a customer's custom events, counted by name with the newest of each."""
    facts: dict[str, Any] = {}
    for name, count, last in counted:
        facts |= {f"{name}.count": count, f"{name}.last_date": last}
    return facts


def _products(customer_ids: list[uuid.UUID], needs: Needs) -> dict[uuid.UUID, Sequence[str]]:
    found: dict[uuid.UUID, Sequence[str]] = defaultdict(list)
    if needs.products and customer_ids:
        rows = CustomerSummary.objects.filter(customer_id__in=customer_ids)
        found.update(rows.values_list("customer_id", "products"))
    return found


def _events(customer_ids: list[uuid.UUID], names: Collection[str]) -> dict[uuid.UUID, dict[str, Any]]:
    found: dict[uuid.UUID, dict[str, Any]] = defaultdict(dict)
    if names and customer_ids:
        events = CustomEvent.objects.filter(customer_id__in=customer_ids, type__in=names).order_by()
        counted = events.values("customer_id", "type").annotate(count=Count("id"), last=Max("created_at"))
        for row in counted:
            found[row["customer_id"]] |= event_facts([(row["type"], row["count"], row["last"])])
    return found
