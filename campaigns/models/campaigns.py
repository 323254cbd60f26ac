from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from campaigns.models.rules import ValidationRuleAssignment
from customers.identities import KINDS
from promoengine.core.models import Project, ProjectModel
from promoengine.core.privacy import Privacy


class Category(ProjectModel):
    """A label that campaigns and codes carry; the lower its hierarchy, the earlier it applies."""

    prefix = "cat"

    name = models.CharField(max_length=255)
    hierarchy = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="name hierarchy created_at updated_at")

    class Meta:
        verbose_name_plural = "categories"
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="category_name_unique")]

    def __str__(self) -> str:
        return self.name


class ValidityModel(ProjectModel):
    """When something may be used: `start_date <= now < expiration_date`, and then only at the times of
    `validity`: `timeframe` (`interval` and `duration`, ISO 8601), `day_of_week` (0 is Sunday), `hours`.
    """

    start_date = models.DateTimeField(null=True, blank=True)
    expiration_date = models.DateTimeField(null=True, blank=True)
    validity = models.JSONField(null=True, blank=True, editable=False)

    # The validation rules on it, where `load_assignments` has loaded them; empty where not.
    rule_assignments: Sequence[ValidationRuleAssignment] = ()

    class Meta:
        abstract = True


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def present(self) -> "CampaignQuerySet":
        """Campaigns that are not in the bin."""
        return self.filter(deleted_at=None)


class Campaign(ValidityModel):
    """An offer and its codes. Amounts in `discount` and `gift` are minor units, as the wire has them."""

    prefix = "camp"

    class CampaignType(models.TextChoices):
        DISCOUNT_COUPONS = "DISCOUNT_COUPONS", "Discount codes"
        GIFT_VOUCHERS = "GIFT_VOUCHERS", "Gift cards"
        PROMOTION = "PROMOTION", "Cart promotion"
        LOYALTY_PROGRAM = "LOYALTY_PROGRAM", "Loyalty programme"
        REFERRAL_PROGRAM = "REFERRAL_PROGRAM", "Referral programme"

    class Type(models.TextChoices):
        AUTO_UPDATE = "AUTO_UPDATE", "Grows on demand"
        STATIC = "STATIC", "Fixed number of codes"
        STANDALONE = "STANDALONE", "One code for everybody"

    class GenerationStatus(models.TextChoices):
        DRAFT = "DRAFT"
        IN_PROGRESS = "IN_PROGRESS"
        DONE = "DONE"
        FAILED = "FAILED"
        MODIFYING = "MODIFYING"

    class Guests(models.TextChoices):
        UNLESS_LIMITED = "UNLESS_LIMITED", "Yes, but not where uses by each customer are limited"
        ALLOWED = "ALLOWED", "Yes, as often as they like"
        COUNTED = "COUNTED", "Only with a device or address that their uses are counted by"
        REFUSED = "REFUSED", "No, they have to sign in"

    class Rollbacks(models.TextChoices):
        ALWAYS = "ALWAYS", "Yes"
        UNLESS_PAID = "UNLESS_PAID", "Not once the order is paid"
        NEVER = "NEVER", "No"

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    campaign_type = models.CharField(
        max_length=20, choices=CampaignType.choices, default=CampaignType.DISCOUNT_COUPONS
    )
    type = models.CharField(max_length=11, choices=Type.choices, default=Type.AUTO_UPDATE)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    active = models.BooleanField(default=True)
    auto_join = models.BooleanField(default=False)
    join_once = models.BooleanField(default=False)
    use_voucher_metadata_schema = models.BooleanField(default=True)
    protected = models.BooleanField(default=False)
    one_customer_by = ArrayField(
        models.CharField(max_length=7),
        default=list,
        blank=True,
        help_text="Identity keys by which limits count customers together; none counts each record alone.",
    )
    guests = models.CharField(
        max_length=14,
        choices=Guests.choices,
        default=Guests.UNLESS_LIMITED,
        help_text="Whether people may use it of whom nothing is known.",
    )
    rollbacks = models.CharField(
        max_length=11,
        choices=Rollbacks.choices,
        default=Rollbacks.ALWAYS,
        db_default=Rollbacks.ALWAYS,
        help_text="Whether a use may be taken back, after which the code can be used again.",
    )
    rollbacks_until = models.DateTimeField(
        null=True, blank=True, help_text="No use is taken back after that; empty is without end."
    )
    discount = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    gift = models.JSONField(null=True, blank=True)
    quantity = models.PositiveIntegerField(
        null=True, blank=True, help_text="How often each code may be used; empty is without limit."
    )
    code_config = models.JSONField(default=dict, blank=True)
    activity_duration_after_publishing = models.CharField(max_length=64, blank=True)
    vouchers_count = models.PositiveIntegerField(default=0, editable=False)
    generation_status = models.CharField(
        max_length=11,
        choices=GenerationStatus.choices,
        default=GenerationStatus.DONE,
        editable=False,
    )
    failed_change = models.UUIDField(
        null=True, editable=False, help_text="The background job that gave up bringing a change to its codes."
    )
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(
        free="start_date expiration_date validity name description campaign_type type discount gift quantity"
        " code_config activity_duration_after_publishing vouchers_count generation_status failed_change"
        " metadata one_customer_by guests rollbacks rollbacks_until created_at updated_at deleted_at"
    )

    objects = CampaignQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="campaign_name_unique"),
            models.CheckConstraint(
                condition=Q(start_date=None)
                | Q(expiration_date=None)
                | Q(start_date__lt=F("expiration_date")),
                name="campaign_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(one_customer_by__contained_by=list(KINDS)), name="campaign_known_identities"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def voucher_type(self) -> str | None:
        """The type of its vouchers, or None for a promotion, which has none."""
        return {
            self.CampaignType.DISCOUNT_COUPONS: "DISCOUNT_VOUCHER",
            self.CampaignType.REFERRAL_PROGRAM: "DISCOUNT_VOUCHER",
            self.CampaignType.GIFT_VOUCHERS: "GIFT_VOUCHER",
            self.CampaignType.LOYALTY_PROGRAM: "LOYALTY_CARD",
        }.get(self.CampaignType(self.campaign_type))

    def terms(self) -> dict[str, Any]:
        """What its codes copy when they are made."""
        return {
            "quantity": self.quantity,
            "start_date": self.start_date,
            "expiration_date": self.expiration_date,
        }


class PromotionTier(ValidityModel):
    """An offer of a promotion campaign that needs no code.

    The counts are of its redemptions that were not rolled back, kept by a job a while after them; amounts are
    minor units: what those orders cost before discounts, and what it took off them.
    """

    prefix = "promo"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    banner = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent, unlike ""
    discount = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    hierarchy = models.PositiveIntegerField(default=1)
    active = models.BooleanField(default=True)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    redeemed_count = models.PositiveBigIntegerField(default=0, editable=False)
    redeemed_orders_amount = models.BigIntegerField(default=0, editable=False)
    redeemed_discount_amount = models.BigIntegerField(default=0, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(
        free="start_date expiration_date validity name banner discount hierarchy redeemed_count"
        " redeemed_orders_amount redeemed_discount_amount metadata created_at updated_at"
    )

    def __str__(self) -> str:
        return self.name


class PromotionStack(ProjectModel):
    """Tiers of one promotion campaign that are used together, in the order of `tier_ids`."""

    prefix = "stack"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    tier_ids = ArrayField(models.UUIDField())
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="name tier_ids created_at updated_at")

    def __str__(self) -> str:
        return self.name


class ProjectStacking(Project):
    """A project as the page of its stacking rules shows it."""

    class Meta:
        proxy = True
        verbose_name = "stacking rules"
        verbose_name_plural = "stacking rules"

    def __str__(self) -> str:
        return self.name
