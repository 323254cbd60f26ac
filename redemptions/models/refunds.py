"""What came back of an order, and what was paid back for it."""

from django.db import models
from django.db.models import F, Q

from promoengine.core.ids import new_id
from promoengine.core.models import ProjectModel
from promoengine.core.privacy import Privacy
from redemptions.models.orders import Order


class Refund(ProjectModel):
    """Units of an order that came back, and what was paid back for them; amounts are minor units.

    `units_amount` is what they cost before discounts. Less their discounts, the gift credits returned to
    their cards and what is held back, it is the `refund_amount` of money; `held_back_amount` is negative
    where what earlier refunds held back is paid at last. `asked` is the request, by which a retry is known.
    """

    prefix = "rfnd"

    class Mode(models.TextChoices):
        KEEP = "KEEP", "Discounts stay as shared out"
        REEVALUATE = "REEVALUATE", "Discounts judged anew"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+", db_index=False)
    source_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent, unlike ""
    mode = models.CharField(max_length=10, choices=Mode.choices)
    units_amount = models.BigIntegerField()
    discount_amount = models.BigIntegerField()
    gift_amount = models.BigIntegerField()
    held_back_amount = models.BigIntegerField()
    refund_amount = models.BigIntegerField()
    discounts = models.JSONField(default=list, help_text="What of each redemption's discount is taken back.")
    gift_credits = models.JSONField(default=list, help_text="What each gift card gets back.")
    asked = models.JSONField()
    reason = models.TextField(blank=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="source_id mode units_amount discount_amount gift_amount held_back_amount refund_amount"
        " discounts gift_credits asked created_at",
        personal={"reason": "", "metadata": {}},
        person="order__customer",
        retention="Details of refunds",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source_id"], name="refund_source_id_unique"),
            models.CheckConstraint(
                condition=Q(
                    refund_amount__gte=0,
                    gift_amount__gte=0,
                    units_amount=F("refund_amount")
                    + F("discount_amount")
                    + F("gift_amount")
                    + F("held_back_amount"),
                ),
                name="refund_adds_up",
            ),
        ]
        indexes = [models.Index(fields=["order", "-id"], name="refund_of_order")]

    def __str__(self) -> str:
        return self.source_id or self.public_id


class RefundedUnits(models.Model):
    """Units of one line that a refund took: `quantity` of its `sold_quantity`, from `first_unit` on.

    Units come back in their order, so each can be the first of one refund only: two requests at once can't
    take the same. `line` counts from 0; what is on no line stands under `OFF_LINES` as one unit.
    """

    OFF_LINES = -1

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, related_name="units")
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+", db_index=False)
    line = models.IntegerField()
    first_unit = models.BigIntegerField()
    quantity = models.BigIntegerField()
    sold_quantity = models.BigIntegerField()
    units_amount = models.BigIntegerField()
    discount_amount = models.BigIntegerField()
    gift_amount = models.BigIntegerField()
    refund_amount = models.BigIntegerField()
    discounts = models.JSONField(default=list, help_text="The units' share of each redemption's discount.")

    privacy = Privacy(
        free="line first_unit quantity sold_quantity units_amount discount_amount gift_amount refund_amount"
        " discounts"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "line", "first_unit"], name="refunded_units_once"),
            models.CheckConstraint(
                condition=Q(
                    first_unit__gte=0, quantity__gte=1, sold_quantity__gte=F("first_unit") + F("quantity")
                ),
                name="refunded_units_were_sold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of line {self.line}"

    @property
    def held_back_amount(self) -> int:
        """What of the units' share is kept, in minor units; negative where more than it is paid."""
        return self.units_amount - self.discount_amount - self.gift_amount - self.refund_amount
