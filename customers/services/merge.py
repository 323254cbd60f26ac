"""Guests who turn out to be a customer the project knows: their record becomes part of the customer's."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.identities import identity_kinds
from customers.models import Customer, CustomerSummary, Segment, SegmentMember
from customers.selectors import is_guest_of
from customers.services.memberships import update_memberships
from customers.wire import customer_to_wire
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import current_version, hold_off_checkouts
from promoengine.core.services.privacy import move_person

PROFILE = ("name", "email", "phone", "description", "birthdate", "address")


@transaction.atomic
def merge_guest(
    project: Project, customer: Customer, guest: Customer, *, channel: str = "API", now: datetime
) -> bool:
    """Give a customer all that a guest did, has and is counted by; return whether the guest was there still.

    What the customer's profile does not say, the guest's does. The guest's record stays deleted, and leads by
    its id and tracking id to the customer. It comes before the caller's transaction holds anything, because
    it waits until nobody writes of the two: checkouts under way end first.
    """
    hold_off_checkouts(project)
    rows = Customer.objects.filter(project=project, pk__in=[customer.pk, guest.pk]).present().order_by("pk")
    found = {row.pk: row for row in rows.select_for_update(no_key=True)}
    if len(found) < 2 or not is_guest_of(found[customer.pk], found[guest.pk]):
        return False
    customer, guest = found[customer.pk], found[guest.pk]
    told = {"customer": customer_to_wire(guest)}
    move_person(guest.pk, customer.pk)
    _join_profiles(customer, guest, now=now)
    # Without the key of either: it is no part of what the customer did.
    record_event(project, "customer.deleted", told, entity_id=guest.public_id, channel=channel, now=now)
    record_event(project, "customer.merged", {}, entity_id=customer.public_id, channel=channel, now=now)
    record_event(
        project,
        "customer.updated",
        {"customer": customer_to_wire(customer)},
        entity_id=customer.public_id,
        customer_id=customer.pk,
        channel=channel,
        now=now,
    )
    version = current_version(project)
    update_memberships(project, [customer.pk], version=version, channel=channel, now=now)
    return True


@transaction.atomic
def move_stragglers(guest: Customer) -> None:
    """Give a customer what was still being written of their guest while the two became one."""
    if guest.merged_into_id is not None:
        hold_off_checkouts(guest.project)
        move_person(guest.pk, guest.merged_into_id)


def move_memberships(guest_id: uuid.UUID, customer_id: uuid.UUID) -> None:
    """Let a customer be listed where their guest was; whom filters match is asked anew."""
    rows = SegmentMember.objects.filter(customer=guest_id)
    listed = rows.filter(segment__type=Segment.Type.STATIC).values_list("segment_id", flat=True)
    SegmentMember.objects.bulk_create(
        [SegmentMember(segment_id=key, customer_id=customer_id) for key in listed], ignore_conflicts=True
    )
    rows.delete()


def drop_summary(guest_id: uuid.UUID, customer_id: uuid.UUID) -> None:
    """Forget what a guest's redemptions added up to: the customer's are counted anew."""
    CustomerSummary.objects.filter(customer=guest_id).delete()


def _join_profiles(customer: Customer, guest: Customer, *, now: datetime) -> None:
    for name in PROFILE:
        if getattr(customer, name) is None:
            setattr(customer, name, getattr(guest, name))
    customer.metadata = guest.metadata | customer.metadata
    known = identity_kinds([*guest.identity_keys, *customer.identity_keys])
    customer.identity_keys = [*known.values()]
    customer.updated_at = now
    customer.save(update_fields=[*PROFILE, "metadata", "identity_keys", "updated_at"])
    blank: dict[str, Any] = dict.fromkeys(PROFILE)
    blank |= {"metadata": {}, "identity_keys": [], "deleted_at": now, "merged_into": customer}
    Customer.objects.filter(pk=guest.pk).update(**blank)
