"""What was bought: the orders that redemptions and shops write."""

from django.db import models
from django.db.models import F
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from customers.models import Customer
from promoengine.core.models import Project, ProjectModel
from promoengine.core.privacy import Privacy, without_metadata


class OrderQuerySet(models.QuerySet["Order"]):
    def with_totals(self) -> "OrderQuerySet":
        """Return the orders with what their discounts come to and what is left to pay, in minor units."""
        return self.annotate(
            total_discount_amount=_calculated("total_discount"),
            discount_amount=_calculated("discount"),
        ).annotate(
            items_discount_amount=F("total_discount_amount") - F("discount_amount"),
            total_amount=F("amount") - F("total_discount_amount"),
        )


def _calculated(name: str) -> Coalesce:
    return Coalesce(Cast(KT(f"calculated__{name}"), models.BigIntegerField()), 0)


class Order(ProjectModel):
    """A shop's order; amounts are minor units, `items` the lines as the wire has them, each with its id.

    `calculated` keeps the discount fields of the redemptions made on it.
    """

    prefix = "ord"

    # No key in the database: checking one locks the project's row, which every checkout would share.
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
        editable=False,
    )

    class Status(models.TextChoices):
        CREATED = "CREATED", "Created"
        PAID = "PAID", "Paid"
        PROCESSING = "PROCESSING", "Processing"
        CANCELED = "CANCELED", "Canceled"
        FULFILLED = "FULFILLED", "Fulfilled"

    source_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent, unlike ""
    customer = models.ForeignKey(
        Customer, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    referrer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CREATED)
    amount = models.BigIntegerField(default=0)
    currency = models.CharField(
        max_length=3, blank=True, default="", db_default="", help_text="Empty is the project's."
    )
    items = models.JSONField(default=list)
    calculated = models.JSONField(default=dict)
    refunded_amount = models.BigIntegerField(
        null=True, help_text="Money paid back for units that came back; empty before any did."
    )
    is_refunded = models.BooleanField(null=True, help_text="Everything has come back.")
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(null=True)

    privacy = Privacy(
        free="source_id status amount currency calculated refunded_amount created_at updated_at",
        personal={"items": without_metadata, "metadata": {}},
        person="customer",
        retention="Details of orders",
        moved_by="redemptions.services.merge.move_orders",
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source_id"], name="order_source_id_unique")
        ]
        indexes = [
            # What lists are ordered by, and in dashboards narrowed by.
            models.Index(fields=["project", "created_at", "id"], name="order_created"),
            models.Index(fields=["project", "status", "created_at", "id"], name="order_of_status"),
            models.Index(
                F("project"), F("updated_at").desc(nulls_last=True), F("id").desc(), name="order_updated"
            ),
        ]

    def __str__(self) -> str:
        return self.source_id or self.public_id

    @property
    def currency_in_force(self) -> str:
        return self.currency or self.project.currency
