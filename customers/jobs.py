"""RQ entry points of the customers' room."""

from customers.services.import_customers import run_csv_import, run_upserts
from promoengine.core.models import AsyncAction


def import_csv(action: AsyncAction) -> None:
    """Import an uploaded CSV file."""
    run_csv_import(action)


def update_customers(action: AsyncAction) -> None:
    """Upsert the customers of a bulk request."""
    run_upserts(action, enumerate(action.params["rows"], start=1))
