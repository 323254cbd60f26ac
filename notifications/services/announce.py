"""Telling customers of the codes they got."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime

from campaigns.sentences import offer_in_words
from customers.consents import refused_categories
from customers.models import Consent, Customer
from notifications.channels import channel_for
from notifications.models import Message
from promoengine.core.models import OutboxEvent
from promoengine.core.queues import enqueue

CATEGORY: dict[str, str] = {
    Message.Channel.EMAIL: Consent.Category.EMAIL,
    Message.Channel.SMS: Consent.Category.SMS,
}


def announce_publications(event_ids: Collection[str], *, now: datetime) -> list[Message]:
    """Write the messages that these publications call for, and queue them for sending.

    An event that comes twice makes its messages once: they are unique by event, channel and recipient. Who
    took back a consent of a channel, or did not give it when asked, gets none by it.
    """
    events = OutboxEvent.objects.filter(pk__in=event_ids).select_related("project")
    customers = Customer.objects.present().in_bulk([event.customer_id for event in events])
    refused = refused_categories(customers)
    drafts = [
        message
        for event in events
        if (customer := customers.get(event.customer_id))
        for message in _messages(event, customer, now=now)
        if (customer.pk, CATEGORY[message.channel]) not in refused
    ]
    Message.objects.bulk_create(drafts, ignore_conflicts=True)
    made = list(Message.objects.filter(pk__in=[message.pk for message in drafts]))
    for message in made:
        enqueue("notifications.jobs.send_message", message_id=str(message.pk))
    return made


def _messages(event: OutboxEvent, customer: Customer, *, now: datetime) -> list[Message]:
    context = _context(event, customer)
    if not context["codes"]:
        return []
    addresses = {Message.Channel.EMAIL: customer.email, Message.Channel.SMS: customer.phone}
    return [
        Message(
            project=event.project,
            event_id=event.pk,
            channel=channel,
            customer=customer,
            recipient=address,
            subject=_rendered("notifications/code_subject.txt", context)[:255]
            if channel == Message.Channel.EMAIL
            else "",
            body=_rendered(f"notifications/code_{channel}.txt", context),
            next_attempt_at=now,
            created_at=now,
        )
        for channel, address in addresses.items()
        if address and channel_for(channel) is not None
    ]


def _context(event: OutboxEvent, customer: Customer) -> dict[str, Any]:
    voucher = event.data.get("voucher") or {}
    expires = parse_datetime(voucher.get("expiration_date") or "")
    return {
        "customer": customer,
        "project": event.project,
        "codes": event.data.get("vouchers") or ([voucher["code"]] if voucher.get("code") else []),
        "campaign": voucher.get("campaign"),
        "offer": offer_in_words(voucher.get("discount"), voucher.get("gift"), event.project.currency)
        if voucher
        else "",
        "expires_at": expires.astimezone(ZoneInfo(event.project.timezone)) if expires else None,
        "public_url": settings.PUBLIC_URL,
    }


def _rendered(template: str, context: dict[str, Any]) -> str:
    return render_to_string(template, context).strip()
