"""RQ entry points of the campaigns' room."""

from campaigns.services.import_products import run_product_updates, run_products_csv, run_skus_csv
from promoengine.core.models import AsyncAction


def import_products(action: AsyncAction) -> None:
    """Import an uploaded CSV file of products."""
    run_products_csv(action)


def import_skus(action: AsyncAction) -> None:
    """Import an uploaded CSV file of SKUs."""
    run_skus_csv(action)


def update_products(action: AsyncAction) -> None:
    """Upsert the products of a bulk request."""
    run_product_updates(action)
