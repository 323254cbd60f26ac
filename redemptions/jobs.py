"""RQ entry points of the redemptions' room."""

from datetime import UTC, datetime, timedelta
from typing import Any

from customers.models import Customer
from customers.services.merge import move_stragglers
from promoengine.core.ids import parse_public_id
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.partitions import create_partitions
from redemptions.models import CounterHold, Redemption, Reservation, UsageCounter
from redemptions.services.exports import drop_old_files, end_given_up, run_export
from redemptions.services.import_orders import run_import
from redemptions.services.reconcile import run_reconciling
from redemptions.services.summaries import refresh_promotions, refresh_summaries

# Far longer than the time between two counts, so that a pause of the scheduler leaves nothing uncounted.
RECENT = timedelta(hours=1)
# The longest window is a month. A counter deleted is made anew from the ledger, should anybody ask for it.
LONG_PAST = timedelta(days=62)


def refresh_customers(*, event_ids: list[str], **_: Any) -> None:
    """Count the redemptions of the customers that these events are about."""
    events = OutboxEvent.objects.filter(pk__in=event_ids, customer_id__isnull=False)
    keys = set(events.values_list("customer_id", flat=True))
    merged = Customer.objects.filter(pk__in=keys, merged_into__isnull=False).select_related("project")
    for guest in merged.order_by("pk"):
        move_stragglers(guest)
        keys = keys - {guest.pk} | {guest.merged_into_id}
    refresh_summaries(sorted(keys), now=datetime.now(UTC))


def refresh_merged(*, event_ids: list[str], **_: Any) -> None:
    """Count the redemptions of the customers whose guests' records became theirs."""
    events = OutboxEvent.objects.filter(pk__in=event_ids)
    found = (parse_public_id(Customer.prefix, event.entity_id) for event in events)
    refresh_summaries(sorted({key for key in found if key}), now=datetime.now(UTC))


def count_promotions(**_: Any) -> None:
    """Count what the promotions brought that were used of late."""
    refresh_promotions(since=datetime.now(UTC) - RECENT)


def import_orders(action: AsyncAction) -> None:
    """Store the historic orders of a request."""
    run_import(action)


def write_export(action: AsyncAction) -> None:
    """Write an export's file."""
    run_export(action)


def reconcile(action: AsyncAction) -> None:
    """Compare a project's counts with its ledgers."""
    run_reconciling(action)


def sweep(**_: Any) -> None:
    """Delete what has had its day, and make next months' partitions."""
    now = datetime.now(UTC)
    drop_old_files(now=now)
    end_given_up()
    Reservation.objects.filter(expires_at__lte=now).delete()
    CounterHold.objects.filter(expires_at__lte=now).delete()
    UsageCounter.objects.filter(starts_at__lt=now - LONG_PAST).delete()
    create_partitions(Redemption._meta.db_table, now)
