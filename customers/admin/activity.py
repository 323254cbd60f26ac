"""What happened to a customer, in words, on their page."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _

from customers.consents import WAYS
from customers.models import Customer
from promoengine.core.models import OutboxEvent, Project
from promoengine.core.prices import major_units

SHOWN, CODES_SHOWN = 20, 3

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened: when, what, of what, and by which way it came."""

    at: datetime
    what: str
    of: str
    way: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Some of what happened to a customer, the newest first, and before what there is more of it."""

    told: tuple[Told, ...]
    before: uuid.UUID | None


def activity_of(customer: Customer, *, before: uuid.UUID | None = None) -> Activity:
    """Return the newest that happened to a customer, or what came before that event; one query."""
    events = OutboxEvent.objects.filter(project=customer.project_id, customer_id=customer.pk)
    if before is not None:
        events = events.filter(pk__lt=before)
    found = list(events.order_by("-pk")[: SHOWN + 1])
    told = tuple(_told(event, customer.project) for event in found[:SHOWN])
    return Activity(told, found[SHOWN - 1].pk if len(found) > SHOWN else None)


def _told(event: OutboxEvent, project: Project) -> Told:
    what, of = WORDS.get(event.type, (_plain(event.type), _nothing))
    return Told(
        event.created_at, str(what), of(event.data, project), str(WAYS.get(event.channel, event.channel))
    )


def _plain(type: str) -> str:
    return type.removeprefix("customer.").replace(".", " ").replace("_", " ").capitalize()


def _nothing(_data: Data, _project: Project) -> str:
    return ""


def _at(*path: str) -> Callable[[Data, Project], str]:
    def of(data: Data, _project: Project) -> str:
        found: Any = data
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return "" if found is None else str(found)

    return of


def _order(data: Data, project: Project) -> str:
    order = data.get("order") or {}
    named = str(order.get("source_id") or order.get("id") or "")
    amount = order.get("total_amount", order.get("amount"))
    if not isinstance(amount, int):
        return named
    return f"{named}, {major_units(amount, project.currency)} {project.currency}"


def _redeemed(data: Data, project: Project) -> str:
    return _at("voucher", "code")(data, project) or _at("promotion_tier", "name")(data, project)


def _published(data: Data, project: Project) -> str:
    codes: Sequence[str] = data.get("vouchers") or ()
    if not codes:
        return _at("voucher", "code")(data, project)
    shown = ", ".join(codes[:CODES_SHOWN])
    left = len(codes) - CODES_SHOWN
    return said("%(codes)s and %(count)s more") % {"codes": shown, "count": left} if left > 0 else shown


WORDS: Mapping[str, tuple[Any, Callable[[Data, Project], str]]] = {
    "customer.created": (_("Became known"), _nothing),
    "customer.updated": (_("Was changed"), _nothing),
    "customer.merged": (_("A guest turned out to be them"), _nothing),
    "customer.custom_event": (_("Did"), _at("event", "type")),
    "customer.segment.entered": (_("Entered the segment"), _at("segment", "name")),
    "customer.segment.left": (_("Left the segment"), _at("segment", "name")),
    "customer.order.created": (_("Ordered"), _order),
    "customer.order.updated": (_("An order was changed"), _order),
    "customer.order.processing": (_("An order is being processed"), _order),
    "customer.order.paid": (_("An order was paid"), _order),
    "customer.order.fulfilled": (_("An order was fulfilled"), _order),
    "customer.order.canceled": (_("An order was canceled"), _order),
    "order.refunded": (_("Money was paid back"), _order),
    "redemption.succeeded": (_("Redeemed"), _redeemed),
    "redemption.failed": (_("Tried to redeem"), _redeemed),
    "redemption.rollback.succeeded": (_("A redemption was taken back"), _redeemed),
    "redemption.rollback.failed": (_("A redemption could not be taken back"), _redeemed),
    "publication.succeeded": (_("Was given"), _published),
    "publication.failed": (_("Could not be given a code"), _at("campaign", "name")),
    "voucher.gift.balance_added": (_("A gift card's balance was changed"), _at("voucher", "code")),
}
