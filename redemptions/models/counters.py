"""What limits are counted by, and what live sessions hold of them."""

import uuid

from django.db import models
from django.db.models import Q

from customers.models import Customer
from promoengine.core.models import Project, ProjectModel
from promoengine.core.privacy import Privacy
from redemptions.models.redemptions import Redemption
from vouchers.models import Voucher


def _by_keys_of(customer_id: uuid.UUID) -> Q:
    """Return the condition of the counters by anything a customer is or was known by."""
    found = [
        *Customer.objects.filter(pk=customer_id).values_list("identity_keys", flat=True),
        *Redemption.objects.filter(customer=customer_id)
        .exclude(identity_keys=None)
        .order_by()
        .values_list("identity_keys", flat=True)
        .distinct(),
    ]
    return Q(subject__in={key for keys in found for key in keys or ()})


class UsageCounter(models.Model):
    """How much of one limit of a validation rule is used, so that no limit is counted from the ledger twice.

    The key says what is counted: `measure` of the redemptions of `object_id`, a campaign, voucher or
    promotion tier, by `subject`, a customer or key, within the `window` that starts at `starts_at`, a
    midnight of the project's zone. Made from the ledger of redemptions when a rule first asks; amounts are
    minor units.
    """

    class Measure(models.TextChoices):
        COUNT = "count", "Redemptions"
        ORDERS_AMOUNT = "orders_amount", "Value of orders"
        DISCOUNT_AMOUNT = "discount_amount", "Discounts"
        GIFT_AMOUNT = "gift_amount", "Gift credits"
        UNITS = "units", "Discounted units"

    class Window(models.TextChoices):
        EVER = "ever", "Ever"
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"

    id = models.UUIDField(primary_key=True, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, editable=False
    )
    object_id = models.UUIDField()
    measure = models.CharField(max_length=15, choices=Measure.choices)
    entry = models.CharField(max_length=255, blank=True, help_text="Which discounted units are counted.")
    subject = models.CharField(max_length=100, blank=True)
    window = models.CharField(max_length=5, choices=Window.choices)
    starts_at = models.DateTimeField(null=True)
    value = models.BigIntegerField()

    # Those by a person's keys go with them, and are made anew of what others who share a key have used.
    privacy = Privacy(
        free="object_id measure entry window starts_at value",
        personal={"subject": ""},
        person=_by_keys_of,
        is_deleted=True,
        moved_by="redemptions.services.merge.forget_counters",
    )

    class Meta:
        indexes = [
            models.Index(fields=["object_id", "subject", "starts_at"], name="usage_counter_of_object"),
            models.Index(fields=["project", "id"], name="usage_counter_of_project"),
            models.Index(fields=["subject"], name="usage_counter_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} of {self.object_id}: {self.value}"


class CounterHold(models.Model):
    """What a validation session holds of a usage counter until it expires."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, editable=False
    )
    session_key = models.CharField(max_length=255)
    counter_id = models.UUIDField()
    redeemable_id = models.UUIDField()
    amount = models.BigIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    privacy = Privacy(
        free="counter_id redeemable_id amount expires_at",
        personal={"session_key": ""},
        lapses="expires with its session",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["counter_id", "redeemable_id", "session_key", "project"], name="counter_hold_unique"
            )
        ]
        indexes = [models.Index(fields=["project", "session_key"], name="counter_hold_of_session")]

    def __str__(self) -> str:
        return f"{self.session_key} holds {self.amount} of {self.counter_id}"


class Reservation(ProjectModel):
    """What a validation session holds of a code until it expires: uses, or gift credits in minor units."""

    session_key = models.CharField(max_length=255)
    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    amount = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="quantity amount expires_at created_at",
        personal={"session_key": ""},
        lapses="expires with its session",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["voucher", "session_key"], name="reservation_unique"),
        ]
        indexes = [models.Index(fields=["project", "session_key"], name="reservation_of_session")]

    def __str__(self) -> str:
        return f"{self.session_key} holds {self.voucher_id}"
