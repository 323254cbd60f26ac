"""Customers with what auto-update segments ask of them, in a statement written by hand.

Every change of a customer and many an event end with it; what the query builder takes for it is longer.
"""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from customers.membership import Needs
from customers.models import Customer
from customers.people import Person, event_facts, person_of
from customers.rows import SELECTED, WIDTH, customer_of
from promoengine.core.inserts import array_text
from promoengine.core.models import Project


@dataclass(frozen=True, slots=True)
class Member:
    """A customer, as filters read them, with the rows of their memberships by segment."""

    customer: Customer
    person: Person
    memberships: dict[uuid.UUID, int]


def lock_customers(project: Project, customer_ids: Collection[uuid.UUID]) -> None:
    """Let nobody else change present customers, or ask for their segments, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [project.pk, array_text(customer_ids)])


def members(
    project: Project,
    customer_ids: Collection[uuid.UUID],
    needs: Needs,
    *,
    segment_ids: Collection[uuid.UUID],
) -> list[Member]:
    """Return present customers by key, with what filters need and their memberships in those segments.

    The database reads them in a function (migration 0014), whose plan is kept.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            MEMBERS,
            {
                "project": project.pk,
                "customers": array_text(customer_ids),
                "segments": array_text(segment_ids),
                "events": list(needs.events),
                "products": needs.products,
            },
        )
        rows = cursor.fetchall()
    return [_member(row, needs) for row in rows]


def _member(row: Sequence[Any], needs: Needs) -> Member:
    segments, keys, events, counts, lasts, products = row[WIDTH:]
    customer = customer_of(row)
    happened = event_facts(zip(events or (), counts or (), lasts or (), strict=True))
    bought = json.loads(products) if products else ()
    memberships = dict(zip(segments or (), keys or (), strict=True))
    return Member(customer, person_of(customer, happened, bought, needs), memberships)


LOCK = f"""
    SELECT FROM {Customer._meta.db_table}
    WHERE project_id = %s AND id = ANY(%s::text::uuid[]) AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
"""
MEMBERS = f"""
    SELECT {SELECTED}, segments, memberships, events, counts, lasts,
        CASE WHEN %(products)s THEN (summary).products END
    FROM segment_members(
        %(project)s, %(customers)s::text::uuid[], %(segments)s::text::uuid[], %(events)s::text[]
    )
"""
