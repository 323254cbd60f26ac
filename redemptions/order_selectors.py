"""Reads of orders, with all that their published JSON needs in a constant number of queries."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Q

from campaigns.models import Campaign
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id, public_id
from promoengine.core.models import Project
from redemptions.models import Order, OrderQuerySet, Redemption
from redemptions.order_wire import stored_order_to_wire
from redemptions.wire import related_object_id

Entries = dict[str, dict[str, Any]]


def orders_for_wire(project: Project) -> OrderQuerySet:
    """Return the project's orders, ready for the wire."""
    return Order.objects.filter(project=project).select_related("customer", "referrer")


def order_by_ref(project: Project, ref: str) -> Order:
    """Return the order of that id or source id.

    Raises:
        NotFound: the project has none.
    """
    key = parse_public_id(Order.prefix, ref)
    found = orders_for_wire(project).filter(Q(pk=key) | Q(source_id=ref) if key else Q(source_id=ref))
    # Should a shop call one order as another one's id is: the id counts.
    order = min(found, key=lambda one: one.pk != key, default=None)
    if order is None:
        raise NotFound("order", ref)
    return order


def order_to_wire(order: Order) -> dict[str, Any]:
    """Return an order that came from `orders_for_wire`, with its redemptions, in one more query."""
    return order_list_to_wire([order])[0]


def order_list_to_wire(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Return several orders that came from `orders_for_wire`, with their redemptions, in one more query."""
    redemptions = redemptions_of_orders([order.pk for order in orders])
    return [stored_order_to_wire(order, redemptions[order.pk]) for order in orders]


def redemptions_of_orders(order_ids: Collection[uuid.UUID]) -> defaultdict[uuid.UUID, Entries]:
    """Return for each order the published map of its redemptions, with their rollbacks, oldest first."""
    rows = Redemption.objects.filter(order_id__in=order_ids, result=Redemption.Result.SUCCESS).order_by("pk")
    entries: defaultdict[uuid.UUID, Entries] = defaultdict(dict)
    parts: dict[uuid.UUID, dict[str, Any]] = {}
    for row in rows.defer("order_snapshot", "metadata", "units"):
        if row.kind == Redemption.Kind.ROLLBACK:
            _note_rollback(parts, row)
        elif row.parent_id is None:
            parts[row.pk] = entries[row.order_id][row.public_id] = _entry(row)
        elif whole := parts.get(row.parent_id):
            whole.setdefault("stacked", []).append(row.public_id)
            parts[row.pk] = whole
    return entries


def _entry(redemption: Redemption) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "date": wire_datetime(redemption.created_at),
        "related_object_type": redemption.related_object_type,
        "related_object_id": related_object_id(redemption),
    }
    if redemption.campaign_id:
        entry["related_object_parent_id"] = public_id(Campaign.prefix, redemption.campaign_id)
    return entry


def _note_rollback(parts: dict[uuid.UUID, dict[str, Any]], rollback: Redemption) -> None:
    entry = parts.get(rollback.redemption_id)
    if entry is None:
        return
    if rollback.parent_id is not None:
        entry.setdefault("rollback_stacked", []).append(rollback.public_id)
    else:
        entry |= {
            "rollback_id": rollback.public_id,
            "rollback_date": wire_datetime(rollback.created_at),
        }
