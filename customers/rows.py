"""Customers read by statements written by hand, with which changes, events and checkouts begin.

What the query builder takes to put such a statement together is longer than the statement takes.
"""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection

from customers.models import Customer, CustomerSummary
from promoengine.core.models import Project

COLUMNS = list(Customer._meta.concrete_fields)
ATTRIBUTES = [field.attname for field in COLUMNS]
JSON_PLACES = [place for place, field in enumerate(COLUMNS) if field.get_internal_type() == "JSONField"]
SUMMED = [field for field in CustomerSummary._meta.concrete_fields if field.name != "products"]
SUMMED_ATTRIBUTES = [field.attname for field in SUMMED]
WIDTH = len(COLUMNS) + len(SUMMED)


def customers_named(
    project: Project, *, source_id: str, tracking_id: str, guest: str | None = None
) -> list[Customer]:
    """Return present customers of that source id or tracking id, and the nameless one who came as `guest`."""
    with connection.cursor() as cursor:
        cursor.execute(NAMED, [project.pk, source_id, tracking_id, guest])
        return [customer_of(row) for row in cursor.fetchall()]


def locked_customer(project: Project, key: uuid.UUID) -> Customer | None:
    """Return the present customer of that key, or None.

    Nobody else changes them, or asks which segments they are in, until the caller's transaction ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCKED, [project.pk, key])
        row = cursor.fetchone()
    return customer_of(row) if row else None


def customer_of(row: Sequence[Any]) -> Customer:
    """Return the customer, as `customers_for_wire` does, of a row that begins with `SELECTED`."""
    values = list(row[: len(COLUMNS)])
    for place in JSON_PLACES:
        if values[place] is not None:
            values[place] = json.loads(values[place])
    customer = Customer.from_db(connection.alias, ATTRIBUTES, values)
    summed = row[len(COLUMNS) : WIDTH]
    summary = CustomerSummary.from_db(connection.alias, SUMMED_ATTRIBUTES, summed) if summed[0] else None
    Customer._meta.get_field("summary").set_cached_value(customer, summary)
    return customer


SELECTED = ", ".join(
    [f'(customer)."{field.column}"' for field in COLUMNS]
    + [f'(summary)."{field.column}"' for field in SUMMED]
)
PRESENT = f"""
    SELECT {SELECTED} FROM {Customer._meta.db_table} AS customer
    LEFT JOIN {CustomerSummary._meta.db_table} AS summary ON summary.customer_id = customer.id
    WHERE customer.project_id = %s AND customer.deleted_at IS NULL
"""
NAMED = f"""
    {PRESENT} AND (
        customer.source_id = %s OR customer.tracking_id = %s
        OR (customer.tracking_id = %s AND customer.source_id IS NULL)
    )
    ORDER BY customer.id
"""
LOCKED = f"{PRESENT} AND customer.id = %s FOR NO KEY UPDATE OF customer"
