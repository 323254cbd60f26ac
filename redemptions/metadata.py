"""Holding the metadata of a checkout to the project's schemas."""

from collections.abc import Mapping
from typing import Any

from promoengine.core.metadata import Schemas
from promoengine.core.models import Project
from promoengine.core.services.metadata import check_metadata, schemas_at
from redemptions.facts import Context
from redemptions.requests import AskedOrder, CheckoutRequest


def check_checkout(project: Project, asked: CheckoutRequest, context: Context, *, creates: bool) -> None:
    """Refuse a checkout where metadata sent of order, lines, goods, customer or redemption break a schema.

    Where it `creates`, as redemptions do, what is required must be there in all that is new; validations and
    qualifications create nothing, so what they send is judged. No statement where the schemas are kept.

    Raises:
        MetadataRefused: an attribute is missing, wrong or not defined; the details name it.
    """
    schemas = schemas_at(project, context.version)
    if not schemas.objects:
        return
    check_metadata(schemas, "redemption", asked.metadata, is_new=creates)
    if asked.customer is not None:
        is_new = creates and context.customer is None
        sent = _metadata(asked.customer)
        check_metadata(schemas, "customer", sent, is_new=is_new, where="customer.metadata.")
    if asked.order is not None:
        is_new = creates and (context.order is None or context.order.stored is None)
        check_order(schemas, asked.order, is_new=is_new, lines_are_new=creates, where="order")


def check_order(
    schemas: Schemas, order: AskedOrder, *, is_new: bool, lines_are_new: bool, where: str
) -> None:
    """Refuse an order whose metadata, or those of its lines and their goods, break a schema.

    Raises:
        MetadataRefused: an attribute is missing, wrong or not defined; the details name it.
    """
    inside = f"{where}." if where else ""
    check_metadata(
        schemas, "order", order.metadata, is_new=is_new, where=f"{inside}metadata." if where else ""
    )
    for index, line in enumerate(order.items or ()):
        of_line = f"{inside}items[{index}]"
        check_metadata(
            schemas, "order_item", _metadata(line), is_new=lines_are_new, where=f"{of_line}.metadata."
        )
        for good in ("product", "sku"):
            sent = _metadata(line.get(good))
            check_metadata(schemas, "product", sent, is_new=False, where=f"{of_line}.{good}.metadata.")


def _metadata(row: Any) -> Mapping[str, Any]:
    metadata = row.get("metadata") if isinstance(row, Mapping) else None
    return metadata if isinstance(metadata, Mapping) else {}
