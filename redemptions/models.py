import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from campaigns.models import Campaign, PromotionTier
from customers.models import Customer
from promoengine.core.ids import new_id
from promoengine.core.models import Project, ProjectModel
from promoengine.core.privacy import Privacy, without_metadata
from vouchers.models import Voucher


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
        Project, on_delete=models.CASCADE, related_name="+", db_constraint=False, editable=False
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
        free="source_id status amount calculated refunded_amount created_at updated_at",
        personal={"items": without_metadata, "metadata": {}},
        person="customer",
        retention="Details of orders",
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source_id"], name="order_source_id_unique")
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="order_newest"),
            models.Index(
                F("project"), F("updated_at").desc(nulls_last=True), F("id").desc(), name="order_updated"
            ),
        ]

    def __str__(self) -> str:
        return self.source_id or self.public_id


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
        " refunded_credits discount_amount order_amount allocation units channel_id channel_type failure_code"
        " created_at",
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
            models.Index(fields=["voucher", "-id"], name="redemption_of_voucher"),
            models.Index(fields=["campaign", "-id"], name="redemption_of_campaign"),
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


class Export(ProjectModel):
    """A CSV file of a list's rows, made by a job and downloaded by a signed link."""

    prefix = "exp"

    class Status(models.TextChoices):
        SCHEDULED = "SCHEDULED"
        IN_PROGRESS = "IN_PROGRESS"
        DONE = "DONE"
        ERROR = "ERROR"

    exported_object = models.CharField(max_length=32)
    parameters = models.JSONField(
        default=dict, help_text="Order, fields and filters, as they were asked for."
    )
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.SCHEDULED)
    channel = models.CharField(max_length=64, default="API")
    is_lapsed = models.BooleanField(default=False, help_text="Its file has been deleted after its time.")
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="exported_object status channel created_at",
        personal={"parameters": {}},
        lapses="filters may name a customer; the row is the shop's own question",
    )

    class Meta:
        indexes = [models.Index(fields=["project", "created_at", "id"], name="export_created")]

    def __str__(self) -> str:
        return f"{self.exported_object} {self.status}"


class ExportPart(models.Model):
    """Some lines of an export's file, in the order of `number`, so that nobody has to hold all of it."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    privacy = Privacy(
        free="number", personal={"content": b""}, lapses="files of exports are deleted after a week"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="export_part_unique")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.export_id}"


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
