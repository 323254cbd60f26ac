"""The ways a message leaves: one small class each, all of one shape."""

from typing import Protocol

from django.conf import settings

from notifications.channels.email import EmailChannel
from notifications.channels.outcome import Outcome, Receipt
from notifications.channels.sendgrid import SendGridChannel
from notifications.channels.twilio import TwilioChannel
from notifications.models import Message

__all__ = ["Channel", "Outcome", "Receipt", "channel_for"]


class Channel(Protocol):
    """Sends one message to one person."""

    vendor: str

    def send(self, message: Message) -> Receipt:
        """Hand the message over and say what became of it; a vendor's refusal is an answer, no exception."""


def channel_for(kind: str) -> Channel | None:
    """Return what the settings have for a kind of message, or None where it can't be sent."""
    if kind == Message.Channel.EMAIL:
        return SendGridChannel() if settings.SENDGRID_API_KEY else EmailChannel()
    if settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN and settings.TWILIO_FROM:
        return TwilioChannel()
    return None
