"""RQ entry points of the customers' room."""

from datetime import UTC, datetime
from typing import Any

from customers.services.delete import finish_erasing
from customers.services.import_customers import run_csv_import, run_upserts
from customers.services.segment_syncs import run_clearing, run_sync, sync_by_calendar
from promoengine.core.models import AsyncAction


def import_csv(action: AsyncAction) -> None:
    """Import an uploaded CSV file."""
    run_csv_import(action)


def update_customers(action: AsyncAction) -> None:
    """Upsert the customers of a bulk request."""
    run_upserts(action, enumerate(action.params.get("rows", ()), start=1))


def erase_customers(*, event_ids: list[str], **_: Any) -> None:
    """Finish the erasure of customers."""
    finish_erasing(event_ids)


def sync_segment(action: AsyncAction) -> None:
    """Ask all customers whether they are in an auto-update segment."""
    run_sync(action)


def clear_segment(action: AsyncAction) -> None:
    """Delete the members of a deleted segment."""
    run_clearing(action)


def sync_segments(**_: Any) -> None:
    """Ask anew, on a new day, where who is in a segment changes by the day, and where it was given up."""
    sync_by_calendar(now=datetime.now(UTC))
