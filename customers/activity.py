"""What happened to a customer, as the wire has it: the outbox in the words of a customer's activity."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q

from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id
from promoengine.core.models import OutboxEvent

PREFIX = "customer."
ACTION, EFFECT = "ACTION", "EFFECT"
# What is done to a customer; all else they do themselves.
EFFECTS = (
    *("segment.", "publication.", "rewarded", "reward_redemptions.", "voucher.", "loyalty.", "holder."),
    *("sms.", "email.", "activecampaign.", "braze.", "mailchimp.", "intercom.", "shopify.", "klaviyo."),
    "batch.",
)
BESIDE_REDEMPTION = ("customer", "order", "voucher", "promotion_tier")

Told = dict[str, Any]


def activity_to_wire(event: OutboxEvent) -> dict[str, Any]:
    """Return one thing that happened to a customer."""
    told = TOLD.get(event.type.partition(".")[0])
    kind = event.type.removeprefix(PREFIX)
    return {
        "id": public_id("evcus", event.pk),
        "type": f"{PREFIX}{kind}",
        "data": told(event.data) if told else event.data,
        "created_at": wire_datetime(event.created_at),
        "event_source": {"channel": event.channel},
        "category": EFFECT if kind.startswith(EFFECTS) else ACTION,
    }


def of_type(name: str) -> Q:
    """Return the condition of events that are of a published type."""
    return Q(type__in=[name, name.removeprefix(PREFIX)])


def of_category(name: str) -> Q:
    """Return the condition of events in a published category."""
    effects = Q()
    for start in EFFECTS:
        effects |= Q(type__startswith=start) | Q(type__startswith=f"{PREFIX}{start}")
    return effects if name == EFFECT else ~effects


def _told_of_redemption(data: Told) -> Told:
    beside = {name: data[name] for name in BESIDE_REDEMPTION if data.get(name)}
    rest = {name: value for name, value in data.items() if name not in BESIDE_REDEMPTION}
    if data.get("object") == "redemption_rollback":
        return beside | {"redemption": {"id": data.get("redemption")}, "redemption_rollback": rest}
    return beside | {"redemption": rest}


def _told_of_publication(data: Told) -> Told:
    return {"customer": data.get("customer"), "publication": data}


TOLD: dict[str, Callable[[Told], Told]] = {
    "redemption": _told_of_redemption,
    "publication": _told_of_publication,
}
