"""The ledger: each use of an offer, each attempt at one, and each rollback."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from campaigns.models import Campaign, PromotionTier
from customers.models import Customer
from promoengine.core.models import Project, ProjectModel
from promoengine.core.privacy import Privacy, without_metadata
from redemptions.models.orders import Order
from vouchers.models import Voucher


class Redemption(ProjectModel):
    """One use of a redeemable, an attempt that failed, or the rollback of a use.

    Its keys to its project, campaign, voucher and customer are held by the services and not by the database:
    checking a foreign key takes a lock on the row it points to, and a popular one is pointed to all the time.
    """

    class Kind(models.TextChoices):
        REDEMPTION = "redemption", "Redemption"
        ROLLBACK = "redemption_rollback", "Rollback"

    class Result(models.TextChoices):
        SUCCESS = "SUCCESS", "Success"
        FAILURE = "FAILURE", "Failure"

    class Status(models.TextChoices):
        SUCCEEDED = "SUCCEEDED", "Succeeded"
        FAILED = "FAILED", "Failed"
        ROLLED_BACK = "ROLLED_BACK", "Rolled back"

    class RelatedObject(models.TextChoices):
        VOUCHER = "voucher", "Code"
        PROMOTION_TIER = "promotion_tier", "Promotion"
        REDEMPTION = "redemption", "Several"

    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
        editable=False,
    )
    kind = models.CharField(max_length=19, choices=Kind.choices, default=Kind.REDEMPTION)
    result = models.CharField(max_length=7, choices=Result.choices, default=Result.SUCCESS)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.SUCCEEDED)
    related_object_type = models.CharField(
        max_length=14, choices=RelatedObject.choices, default=RelatedObject.VOUCHER
    )
    parent_id = models.UUIDField(null=True, help_text="The redemption of several redeemables it is part of.")
    redemption_id = models.UUIDField(null=True, help_text="What a rollback undoes.")
    voucher = models.ForeignKey(
        Voucher, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    promotion_tier = models.ForeignKey(
        PromotionTier,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    campaign = models.ForeignKey(
        Campaign,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    customer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    order = models.ForeignKey(
        Order, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    voucher_code = models.CharField(max_length=255, blank=True, help_text="The code as it was sent.")
    amount = models.BigIntegerField(
        null=True, help_text="Gift credits used, in minor units; negative in a rollback."
    )
    discount_amount = models.BigIntegerField(default=0, help_text="What it took off, in minor units.")
    order_amount = models.BigIntegerField(
        default=0, help_text="What the order cost before discounts, in minor units."
    )
    currency = models.CharField(
        max_length=3, blank=True, default="", db_default="", help_text="Of the order; empty is the project's."
    )
    refunded_credits = models.BigIntegerField(
        null=True, help_text="Gift credits that refunds of the order gave back, in minor units."
    )
    allocation = models.JSONField(
        null=True,
        help_text="What it took off each line of the order, and last off what is on no line; minor units.",
    )
    units = models.JSONField(
        default=dict, help_text="Discounted units by the limit of the campaign that counts them."
    )
    order_snapshot = models.JSONField(null=True, help_text="The order as this redeemable left it.")
    tracking_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent, unlike ""
    identity_keys = ArrayField(
        models.CharField(max_length=64),
        null=True,
        help_text="What the customer was known by, besides the record.",
    )
    session_key = models.CharField(max_length=255, blank=True)
    channel_id = models.CharField(max_length=64, blank=True)
    channel_type = models.CharField(max_length=11, default="API")
    reason = models.TextField(blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.TextField(blank=True)
    metadata = models.JSONField(null=True)
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="kind result status related_object_type parent_id redemption_id voucher_code amount"
        " currency refunded_credits discount_amount order_amount allocation units channel_id channel_type"
        " failure_code created_at",
        personal={
            "order_snapshot": without_metadata,
            "tracking_id": None,
            "identity_keys": None,
            "session_key": "",
            "reason": "",
            "failure_message": "",
            "metadata": {},
        },
        person="customer",
        lasting="identity_keys",
        retention="Details of redemptions",
    )

    class Meta:
        indexes = [
            # What lists are ordered by.
            models.Index(fields=["project", "created_at", "id"], name="redemption_created"),
            models.Index(fields=["project", "voucher_code", "id"], name="redemption_code"),
            models.Index(fields=["project", "tracking_id", "id"], name="redemption_tracking"),
            # Few fail or are undone, and those are asked for.
            models.Index(
                fields=["project", "created_at", "id"],
                name="redemption_failed",
                condition=Q(result="FAILURE"),
            ),
            models.Index(
                fields=["project", "created_at", "id"],
                name="rollback_created",
                condition=Q(kind="redemption_rollback"),
            ),
            models.Index(
                fields=["project", "created_at", "id"],
                name="redemption_rolled_back",
                condition=Q(status="ROLLED_BACK"),
            ),
            # A campaign or code of last year may have millions, behind millions of others.
            models.Index(fields=["voucher", "created_at", "id"], name="redemption_voucher_created"),
            models.Index(fields=["campaign", "created_at", "id"], name="redemption_campaign_created"),
            models.Index(
                fields=["promotion_tier", "-id"], name="redemption_of_tier", condition=~Q(promotion_tier=None)
            ),
            models.Index(fields=["customer", "-id"], name="redemption_of_customer"),
            models.Index(fields=["order"], name="redemption_of_order"),
            models.Index(fields=["parent_id"], name="redemption_of_parent", condition=~Q(parent_id=None)),
            models.Index(
                fields=["redemption_id"], name="rollback_of_redemption", condition=~Q(redemption_id=None)
            ),
            GinIndex(
                fields=["identity_keys"], name="redemption_identity_keys", condition=~Q(identity_keys=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def prefix(self) -> str:  # type: ignore[override]
        """Tells from the id what it is: `r`, `rf` a failed one, `rr` a rollback, `rrf` a failed rollback."""
        kind = "rr" if self.kind == self.Kind.ROLLBACK else "r"
        return kind + ("f" if self.result == self.Result.FAILURE else "")

    @property
    def credits_left(self) -> int | None:
        """The gift credits used and not given back by refunds, in minor units; None without a gift card."""
        return None if self.amount is None else self.amount - (self.refunded_credits or 0)
