from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from campaigns.models import Campaign, Category, ValidityModel
from customers.models import Customer
from promoengine.core.models import AsyncAction, Project, ProjectModel
from promoengine.core.privacy import Privacy
from vouchers.codes import BareCode


class CodeBatch(ProjectModel):
    """Codes of a campaign that were made or imported together; `count` is how many that were.

    Before `locked_until` it gives none of them, and none that nobody has been given can be used. Where it is
    `one_per_person`, it gives each person one.
    """

    prefix = "batch"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=255, blank=True)
    count = models.PositiveIntegerField(default=0, editable=False)
    locked_until = models.DateTimeField(null=True, blank=True)
    one_per_person = models.BooleanField(default=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="name count locked_until created_at updated_at")

    class Meta:
        verbose_name_plural = "code batches"
        indexes = [
            models.Index(fields=["campaign", "id"], name="batch_of_campaign"),
            models.Index(fields=["project"], name="batch_locked", condition=~Q(locked_until=None)),
        ]

    def __str__(self) -> str:
        return self.name or f"{timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"

    def is_locked_at(self, now: datetime) -> bool:
        """Return whether it gives no code at a moment."""
        return self.locked_until is not None and now < self.locked_until


class VoucherQuerySet(models.QuerySet["Voucher"]):
    def present(self) -> "VoucherQuerySet":
        """Vouchers that are not in the bin."""
        return self.filter(deleted_at=None)

    def with_relations(self) -> "VoucherQuerySet":
        """Load what the published JSON of a voucher needs."""
        return self.select_related("campaign__category", "category")


class Voucher(ValidityModel):
    """One code. Amounts are minor units.

    A code of a campaign is a thin row: where `discount` or `validity` is null, the campaign's holds.
    """

    prefix = "v"

    class Type(models.TextChoices):
        DISCOUNT_VOUCHER = "DISCOUNT_VOUCHER", "Discount code"
        GIFT_VOUCHER = "GIFT_VOUCHER", "Gift card"
        LOYALTY_CARD = "LOYALTY_CARD", "Loyalty card"

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", "Usable"
        USED = "USED", "Used up"
        DISABLED = "DISABLED", "Disabled"
        NOT_ACTIVE_YET = "NOT_ACTIVE_YET", "Not yet"
        EXPIRED = "EXPIRED", "Expired"
        NO_BALANCE = "NO_BALANCE", "Empty"

    # Indexes that start with these, and hold only rows that have one, are below; others would only cost.
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", editable=False, db_index=False
    )
    campaign = models.ForeignKey(
        Campaign,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    # Batches go with their campaign alone, after its codes.
    batch = models.ForeignKey(
        CodeBatch,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        editable=False,
    )
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    code = models.CharField(max_length=255)
    code_key = models.CharField(
        max_length=255, editable=False, help_text="The code as the project's letter-case setting compares it."
    )
    type = models.CharField(max_length=16, choices=Type.choices, default=Type.DISCOUNT_VOUCHER)
    discount = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    gift_amount = models.PositiveBigIntegerField(null=True, blank=True)
    gift_balance = models.PositiveBigIntegerField(null=True, blank=True)
    gift_effect = models.CharField(max_length=14, blank=True)
    active = models.BooleanField(default=True)
    quantity = models.PositiveIntegerField(
        null=True, blank=True, help_text="How often it may be used; empty is without limit."
    )
    redeemed_quantity = models.PositiveIntegerField(default=0, editable=False)
    # What the index of free codes asks: it changes with the first use alone, so that later uses of a code
    # leave all its indexes as they are.
    is_unused = models.GeneratedField(
        expression=Q(redeemed_quantity=0), output_field=models.BooleanField(), db_persist=True
    )
    redeemed_amount = models.PositiveBigIntegerField(default=0, editable=False)
    imported_quantity = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Uses before the code was imported."
    )
    imported_amount = models.PositiveBigIntegerField(
        default=0, db_default=0, editable=False, help_text="Gift credits used before it was imported."
    )
    published_count = models.PositiveIntegerField(default=0, editable=False)
    holder = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    additional_info = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent, unlike ""
    metadata = models.JSONField(default=dict, blank=True)
    is_referral_code = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    # Annotations of the selectors: uses not counted yet, what live sessions hold, whether limits of rules
    # count it or its campaign, and its batch's lock.
    pending_quantity: int
    reserved_quantity: int
    reserved_amount: int
    has_counters: bool
    locked_until: datetime | None = None

    privacy = Privacy(
        free="start_date expiration_date validity code code_key type discount gift_amount gift_balance"
        " gift_effect quantity redeemed_quantity is_unused redeemed_amount imported_quantity imported_amount"
        " published_count additional_info metadata created_at updated_at deleted_at",
        person="holder",
    )

    objects = VoucherQuerySet.as_manager()

    class Meta:
        verbose_name = "code"
        constraints = [
            models.UniqueConstraint(fields=["project", "code_key"], name="voucher_code_unique"),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(redeemed_quantity__lte=F("quantity")),
                name="voucher_not_over_redeemed",
            ),
            models.CheckConstraint(
                condition=Q(start_date=None)
                | Q(expiration_date=None)
                | Q(start_date__lt=F("expiration_date")),
                name="voucher_ends_after_start",
            ),
        ]
        indexes = [
            # What lists are ordered by. Not only of rows that are not deleted: until a new table is analyzed,
            # Postgres takes such an index for nearly empty, and reads all of it to find a single row.
            models.Index(fields=["project", "created_at", "id"], name="voucher_created"),
            models.Index("project", F("updated_at").asc(nulls_first=True), "id", name="voucher_updated"),
            models.Index(fields=["campaign", "created_at", "id"], name="voucher_campaign_created"),
            models.Index(
                fields=["campaign", "batch", "id"],
                name="voucher_free_of_batch",
                condition=Q(published_count=0, active=True, deleted_at=None, is_unused=True),
            ),
            # What anybody may use, the newest first, as a qualification asks.
            models.Index(
                fields=["project", "-created_at", "-id"],
                name="voucher_for_anybody",
                condition=Q(campaign=None, holder=None, active=True, deleted_at=None),
            ),
            # What searches narrow the list by. Most codes are in none of these, and none names a column that
            # a redemption changes, but for `is_unused`, which the first one does.
            models.Index(
                fields=["holder", "created_at", "id"], name="voucher_held", condition=Q(holder__isnull=False)
            ),
            models.Index(
                fields=["category", "created_at", "id"],
                name="voucher_of_category",
                condition=Q(category__isnull=False),
            ),
            models.Index(
                fields=["project", "created_at", "id"], name="voucher_disabled", condition=Q(active=False)
            ),
            models.Index(
                fields=["project", "created_at", "id"],
                name="voucher_not_unused",
                condition=Q(is_unused=False),
            ),
            models.Index(
                fields=["project", "created_at", "id"],
                name="voucher_referral",
                condition=Q(is_referral_code=True),
            ),
            models.Index(
                fields=["project", "created_at", "id"],
                name="voucher_with_balance",
                condition=Q(gift_amount__isnull=False),
            ),
            models.Index(
                fields=["project", "start_date", "id"],
                name="voucher_start",
                condition=Q(start_date__isnull=False),
            ),
            models.Index(
                fields=["project", "expiration_date", "id"],
                name="voucher_expiration",
                condition=Q(expiration_date__isnull=False),
            ),
            # Any fragment in any letter case, with or without the separators that paper has.
            GinIndex(OpClass(BareCode("code_key"), name="gin_trgm_ops"), name="voucher_code_fragments"),
            GinIndex(fields=["metadata"], name="voucher_metadata"),
        ]

    def __str__(self) -> str:
        return self.code

    def state_at(self, now: datetime) -> State:
        """Return what a voucher that came from the selectors is good for at a moment."""
        if not self.active or (self.campaign is not None and not self.campaign.active):
            return self.State.DISABLED
        if self.opens_at is not None and self.opens_at > now:
            return self.State.NOT_ACTIVE_YET
        if self.expiration_date is not None and self.expiration_date <= now:
            return self.State.EXPIRED
        if self.quantity is not None and self.redeemed_quantity + self.pending_quantity >= self.quantity:
            return self.State.USED
        return self.State.NO_BALANCE if self.gift_balance == 0 else self.State.ACTIVE

    @property
    def opens_at(self) -> datetime | None:
        """From when on it may be used: a lock of its batch holds as long as nobody has been given it."""
        if self.locked_until is None or self.published_count:
            return self.start_date
        return max(self.locked_until, self.start_date or self.locked_until)

    @property
    def discount_in_force(self) -> dict[str, Any] | None:
        """Its own discount, or its campaign's."""
        if self.discount is None and self.campaign and self.type == self.Type.DISCOUNT_VOUCHER:
            return self.campaign.discount
        return self.discount

    @property
    def validity_in_force(self) -> dict[str, Any] | None:
        """Its own time windows, or its campaign's."""
        if self.validity is None and self.campaign:
            return self.campaign.validity
        return self.validity

    @property
    def category_in_force(self) -> Category | None:
        """Its own category, or its campaign's."""
        if self.category is None and self.campaign:
            return self.campaign.category
        return self.category


class UsageEntry(models.Model):
    """A use of a code without limit that `Voucher.redeemed_quantity` does not count yet.

    Redeeming such a code only inserts here, so carts never wait for each other on its row; a job adds the
    entries to the voucher and deletes them, in one transaction, so that their sum is exact at any time.
    """

    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    quantity = models.IntegerField()

    privacy = Privacy(free="quantity")

    def __str__(self) -> str:
        return f"{self.voucher_id} {self.quantity:+d}"


class ChangedVoucher(models.Model):
    """A code that a bulk change enabled or disabled, by which that is undone."""

    privacy = Privacy(free="voucher_id")

    action = models.ForeignKey(AsyncAction, on_delete=models.CASCADE, related_name="+")
    voucher_id = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["action", "id"], name="changed_voucher_of_action")]

    def __str__(self) -> str:
        return f"{self.action_id} {self.voucher_id}"


class VoucherTransaction(ProjectModel):
    """A change of a gift card's balance; `amount` is in minor units, negative when taken away."""

    prefix = "vtx"

    class Type(models.TextChoices):
        CREDITS_ADDITION = "CREDITS_ADDITION"
        CREDITS_REMOVAL = "CREDITS_REMOVAL"
        CREDITS_REDEMPTION = "CREDITS_REDEMPTION"
        CREDITS_REFUND = "CREDITS_REFUND"

    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    campaign_id = models.UUIDField(null=True)
    type = models.CharField(max_length=20, choices=Type.choices)
    amount = models.BigIntegerField()
    balance = models.PositiveBigIntegerField(help_text="What was left on the card afterwards.")
    source_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent, unlike ""
    source = models.CharField(max_length=64, default="API")
    reason = models.TextField(null=True)  # noqa: DJ001
    related_transaction_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="campaign_id type amount balance source_id source related_transaction_id created_at",
        personal={"reason": None},
        person="voucher__holder",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["voucher", "source_id"], name="voucher_transaction_source_unique")
        ]
        indexes = [models.Index(fields=["voucher", "-id"], name="voucher_transaction_newest")]

    def __str__(self) -> str:
        return f"{self.type} {self.amount}"


class Publication(ProjectModel):
    """Codes given to a customer, or the attempt at it."""

    prefix = "pub"

    class Result(models.TextChoices):
        SUCCESS = "SUCCESS"
        FAILURE = "FAILURE"

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", editable=False, db_index=False
    )
    customer = models.ForeignKey(
        Customer,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    campaign = models.ForeignKey(
        Campaign,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    voucher_ids = ArrayField(models.UUIDField(), default=list)
    voucher_code = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The first of its codes."
    )
    voucher_type = models.CharField(
        max_length=16,
        choices=Voucher.Type.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Of its codes; where none could be given, of those its campaign has.",
    )
    source_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent, unlike ""
    tracking_id = models.CharField(max_length=255, null=True)  # noqa: DJ001
    channel = models.CharField(max_length=64, default="API")
    metadata = models.JSONField(default=dict)
    result = models.CharField(max_length=7, choices=Result.choices, default=Result.SUCCESS)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.TextField(blank=True)
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="voucher_ids voucher_code voucher_type channel result failure_code created_at",
        personal={"source_id": None, "tracking_id": None, "metadata": {}, "failure_message": ""},
        person="customer",
        retention="Details of publications",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "source_id"],
                condition=Q(result="SUCCESS"),
                name="publication_source_id_unique",
            )
        ]
        indexes = [
            # What lists are ordered by.
            models.Index(fields=["project", "created_at", "id"], name="publication_created"),
            models.Index(fields=["project", "channel", "id"], name="publication_channel"),
            models.Index(fields=["project", "tracking_id", "id"], name="publication_tracking"),
            models.Index(fields=["project", "voucher_code", "id"], name="publication_code"),
            models.Index(fields=["campaign", "created_at", "id"], name="publication_of_campaign"),
            models.Index(fields=["project", "voucher_type", "created_at", "id"], name="publication_of_type"),
            models.Index(
                fields=["project", "source_id"], name="publication_source", condition=~Q(source_id=None)
            ),
            # Few fail, and those are asked for.
            models.Index(
                fields=["project", "created_at", "id"],
                name="publication_failed",
                condition=Q(result="FAILURE"),
            ),
            models.Index(fields=["customer", "campaign"], name="publication_of_customer"),
            GinIndex(name="publication_of_voucher", fields=["voucher_ids"]),
        ]

    def __str__(self) -> str:
        return self.public_id


class ServedPerson(models.Model):
    """That a person has got the one code which a campaign, or one batch of it, gives each.

    `person` is the key of the customer or, where the campaign counts by more, a hash they are known by.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    batch = models.ForeignKey(
        CodeBatch,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    person = models.UUIDField()

    privacy = Privacy(personal={"person": None}, person="customer", is_deleted=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "batch", "person"], nulls_distinct=False, name="person_served_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} of {self.batch_id or self.campaign_id}"


class PoolAlert(ProjectModel):
    """At how few free codes a campaign's people are told; `low_since` is when they were, while it holds."""

    prefix = "pool"

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="+")
    threshold = models.PositiveIntegerField()
    emails = ArrayField(models.EmailField(max_length=320), default=list, blank=True)
    low_since = models.DateTimeField(null=True, editable=False)
    free_count = models.PositiveIntegerField(null=True, editable=False, help_text="When it was found low.")

    privacy = Privacy(
        free="threshold low_since free_count",
        personal={"emails": []},
        lapses="has e-mail addresses of staff, who take them out on the campaign's page",
    )

    def __str__(self) -> str:
        return f"{self.campaign_id} at {self.threshold}"
