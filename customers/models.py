from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone

from promoengine.core.models import ProjectModel


class CustomerQuerySet(models.QuerySet["Customer"]):
    def present(self) -> "CustomerQuerySet":
        """Customers that have not been deleted."""
        return self.filter(deleted_at=None)


class Customer(ProjectModel):
    """Someone who gets and uses codes; `source_id` is the shop's own id of them.

    A deleted customer's row stays without its source id, so that what they redeemed keeps its history.
    """

    prefix = "cust"

    source_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - absent, unlike ""
    name = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    email = models.CharField(max_length=320, null=True, blank=True)  # noqa: DJ001
    phone = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    description = models.TextField(null=True, blank=True)  # noqa: DJ001
    birthdate = models.DateField(null=True, blank=True)
    address = models.JSONField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source_id"], name="customer_source_id_unique"),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="customer_newest"),
            models.Index(fields=["project", "email"], name="customer_email"),
            GinIndex(
                name="customer_search",
                fields=["email", "name"],
                opclasses=["gin_trgm_ops", "gin_trgm_ops"],
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.source_id or self.public_id


class CustomerSummary(models.Model):
    """What a customer's redemptions and orders add up to, amounts in minor units; a job keeps it up."""

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.CASCADE, related_name="summary"
    )
    redeemed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    succeeded = models.PositiveIntegerField(default=0)
    rolled_back = models.PositiveIntegerField(default=0)
    rollback_failed = models.PositiveIntegerField(default=0)
    rollback_succeeded = models.PositiveIntegerField(default=0)
    gift_redeemed_amount = models.BigIntegerField(default=0)
    gift_amount_to_go = models.BigIntegerField(default=0)
    orders_amount = models.BigIntegerField(default=0)
    orders_count = models.PositiveIntegerField(default=0)
    last_order_amount = models.BigIntegerField(default=0)
    last_order_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"summary of {self.customer_id}"


class CustomEvent(ProjectModel):
    """Something the shop says a customer did, as in `cart_abandoned`."""

    prefix = "evcus"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    type = models.CharField(max_length=255)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.type
