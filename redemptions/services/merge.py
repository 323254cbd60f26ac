"""What is counted by a guest, once they are a customer the project knows."""

import uuid

from django.db.models import Q

from redemptions.counting import counter_id
from redemptions.models import CounterHold, Order, UsageCounter
from redemptions.services.count import take_making_locks


def forget_counters(guest_id: uuid.UUID, customer_id: uuid.UUID) -> None:
    """Delete the counters by two customers who become one, in the caller's transaction.

    They are made anew from the ledger, which then has the redemptions of both, by whoever needs them next.
    What sessions hold of the guest's counters, they hold of the customer's. Nobody counts by either until the
    transaction ends.
    """
    take_making_locks([guest_id, customer_id])
    subject = f"customer:{customer_id}"
    for row in UsageCounter.objects.filter(subject=f"customer:{guest_id}"):
        key = counter_id(row.object_id, row.measure, row.entry, subject, row.window, row.starts_at)
        CounterHold.objects.filter(counter_id=row.pk).update(counter_id=key)
    UsageCounter.objects.filter(subject__in=[f"customer:{guest_id}", subject]).delete()


def move_orders(guest_id: uuid.UUID, customer_id: uuid.UUID) -> None:
    """Let orders of a guest, and those that they brought others to, be the customer's."""
    Order.objects.filter(customer=guest_id).update(customer=customer_id)
    Order.objects.filter(Q(referrer=guest_id)).update(referrer=customer_id)
