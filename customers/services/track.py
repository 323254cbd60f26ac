"""Custom events: what the shop says a customer did."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Customer, CustomEvent
from customers.services.memberships import update_memberships
from customers.services.upsert import upsert_customer
from customers.wire import simple_customer
from promoengine.core.errors import InvalidPayload
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import share_definitions

NAME_MAX = 255


@transaction.atomic
def track_event(
    project: Project, *, data: Any, channel: str = "API", now: datetime
) -> tuple[CustomEvent, Customer]:
    """Record a custom event and return it with its customer, who is made where they are new.

    Raises:
        InvalidPayload: the name or the customer is missing or wrong.
        NotFound: the customer is named by an id that the project does not have.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    name, metadata = data.get("event"), data.get("metadata") or {}
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_MAX:
        raise InvalidPayload("Payload must have required property 'event'")
    if not isinstance(data.get("customer"), Mapping) or not data["customer"]:
        raise InvalidPayload("Payload must have required property 'customer'")
    if not isinstance(metadata, Mapping):
        raise InvalidPayload("Property .metadata should be object")
    customer = upsert_customer(project, data=data["customer"], channel=channel, now=now)
    event = CustomEvent.objects.create(
        project=project, customer=customer, type=name, metadata=dict(metadata), created_at=now
    )
    record_event(
        project,
        "customer.custom_event",
        {
            "customer": simple_customer(customer),
            "custom_event": {"id": event.public_id, "type": name, "metadata": event.metadata},
        },
        entity_id=event.public_id,
        customer_id=customer.pk,
        channel=channel,
        now=now,
    )
    version = share_definitions(project)
    update_memberships(project, [customer.pk], version=version, channel=channel, now=now)
    return event, customer
