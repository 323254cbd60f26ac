"""Telling a shop's own people that a campaign runs out of codes."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from notifications.channels import channel_for
from notifications.models import Message
from promoengine.core.models import OutboxEvent
from promoengine.core.queues import enqueue
from vouchers.models import PoolAlert


def warn_of_low_pools(event_ids: Collection[str], *, now: datetime) -> list[Message]:
    """Write the e-mails that these events call for, and queue them for sending; an event's only once."""
    if channel_for(Message.Channel.EMAIL) is None:
        return []
    events = OutboxEvent.objects.filter(pk__in=event_ids).select_related("project")
    rows = PoolAlert.objects.filter(campaign__in=[event.campaign_id for event in events])
    alerts = {alert.campaign_id: alert for alert in rows}
    drafts = [
        _message(event, address, now=now)
        for event in events
        if event.campaign_id in alerts
        for address in alerts[event.campaign_id].emails
    ]
    Message.objects.bulk_create(drafts, ignore_conflicts=True)
    made = list(Message.objects.filter(pk__in=[message.pk for message in drafts]))
    for message in made:
        enqueue("notifications.jobs.send_message", message_id=str(message.pk))
    return made


def _message(event: OutboxEvent, address: str, *, now: datetime) -> Message:
    page = reverse("admin:campaigns_campaign_change", args=[event.campaign_id])
    context = {"project": event.project, "url": f"{settings.PUBLIC_URL}{page}", **event.data}
    return Message(
        project=event.project,
        event_id=event.pk,
        channel=Message.Channel.EMAIL,
        recipient=address,
        subject=render_to_string("notifications/low_pool_subject.txt", context).strip()[:255],
        body=render_to_string("notifications/low_pool_email.txt", context).strip(),
        next_attempt_at=now,
        created_at=now,
    )
