"""Sending messages: each is claimed before it is sent, so that two workers never send it both."""

import uuid
from datetime import datetime, timedelta

from django.db.models import F, Q

from notifications.channels import Outcome, Receipt, channel_for
from notifications.models import Message
from promoengine.core.models import Project
from promoengine.core.queues import enqueue

ATTEMPTS = 8
CLAIM = timedelta(minutes=2)
BACKOFF = timedelta(seconds=30)
STATUS = {
    Outcome.SENT: Message.Status.SENT,
    Outcome.FAILED: Message.Status.FAILED,
    Outcome.UNKNOWN: Message.Status.UNKNOWN,
}


def send_message(message_id: uuid.UUID, *, now: datetime) -> None:
    """Send a waiting message and keep what became of it; does nothing if another worker has it.

    The claim runs out by itself, so that a message whose worker died before sending is sent later.
    """
    claimed = Message.objects.filter(
        pk=message_id, status=Message.Status.WAITING, next_attempt_at__lte=now
    ).update(attempts=F("attempts") + 1, next_attempt_at=now + CLAIM)
    if not claimed:
        return
    message = Message.objects.get(pk=message_id)
    channel = channel_for(message.channel)
    if channel is None:
        _keep(message, Receipt(Outcome.FAILED, detail="No channel is set up for it"), "", now=now)
        return
    _keep(message, channel.send(message), channel.vendor, now=now)


def send_waiting(*, now: datetime) -> int:
    """Queue the messages whose time has come, and return how many."""
    due = Message.objects.filter(status=Message.Status.WAITING, next_attempt_at__lte=now)
    keys = list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:1000])
    for key in keys:
        enqueue("notifications.jobs.send_message", message_id=str(key))
    return len(keys)


def send_again(project: Project, *, message_ids: list[uuid.UUID], now: datetime) -> int:
    """Queue messages again that failed, and return how many those are."""
    failed = Q(status__in=[Message.Status.FAILED, Message.Status.UNKNOWN])
    rows = Message.objects.filter(failed, project=project, pk__in=message_ids)
    keys = list(rows.values_list("pk", flat=True))
    count = rows.update(status=Message.Status.WAITING, attempts=0, error="", next_attempt_at=now)
    for key in keys:
        enqueue("notifications.jobs.send_message", message_id=str(key))
    return count


def _keep(message: Message, receipt: Receipt, vendor: str, *, now: datetime) -> None:
    message.vendor, message.vendor_id, message.error = vendor, receipt.vendor_id, receipt.detail
    if receipt.outcome == Outcome.RETRY and message.attempts < ATTEMPTS:
        wait = (
            timedelta(seconds=receipt.retry_after) if receipt.retry_after else BACKOFF * 2**message.attempts
        )
        message.next_attempt_at = now + wait
    else:
        message.status = STATUS.get(receipt.outcome, Message.Status.FAILED)
        message.next_attempt_at = None
        message.sent_at = now if receipt.outcome == Outcome.SENT else None
    message.save(update_fields=["vendor", "vendor_id", "error", "status", "next_attempt_at", "sent_at"])
