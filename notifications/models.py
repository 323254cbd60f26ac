from django.db import models
from django.db.models import Q

from customers.models import Customer
from promoengine.core.models import ProjectModel
from promoengine.core.privacy import Privacy


class Message(ProjectModel):
    """One message to one person over one channel, and what became of it."""

    prefix = "msg"

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        SMS = "sms", "SMS"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"

    event_id = models.UUIDField(help_text="The outbox event it answers.")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=255, blank=True)
    body = models.TextField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    vendor = models.CharField(max_length=32, blank=True)
    vendor_id = models.CharField(max_length=255, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    privacy = Privacy(
        free="event_id channel vendor vendor_id attempts created_at sent_at",
        personal={
            "recipient": "",
            "subject": "",
            "body": "",
            "error": "",
            "next_attempt_at": None,
            # What is blank is not to be sent.
            "status": models.Case(
                models.When(status="waiting", then=models.Value("failed")), default=models.F("status")
            ),
        },
        person="customer",
        retention="Addresses and texts of messages",
        settled=~Q(status="waiting"),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event_id", "channel", "recipient"], name="message_once_an_event"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="message_waiting", condition=Q(status="waiting")),
            models.Index(fields=["project", "-id"], name="message_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient}"
