import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Upper
from django.utils import timezone

from promoengine.core.models import AsyncAction, Project, ProjectModel
from promoengine.core.privacy import Privacy

# The city of an address in upper case, as an index has it.
CITY = Upper(KT("address__city"))


class CustomerQuerySet(models.QuerySet["Customer"]):
    def present(self) -> "CustomerQuerySet":
        """Customers that have not been deleted."""
        return self.filter(deleted_at=None)


def _customer_and_guests(customer_id: uuid.UUID) -> Q:
    return Q(pk=customer_id) | Q(merged_into=customer_id)


class Customer(ProjectModel):
    """Someone who gets and uses codes; `source_id` is the shop's own id of them.

    `tracking_id` is what a storefront may call them in public: a hash of the source id, or what a guest came
    with. `identity_keys` are keyed hashes, as in `email:<uuid>`, of what else they are known again by.

    A deleted customer's row stays without its source id, so that what they redeemed keeps its history. A
    guest's row stays, too, once they are known to be another customer, who has all that was theirs.
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
    tracking_id = models.CharField(max_length=255, null=True, editable=False)  # noqa: DJ001
    identity_keys = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)
    stated_at = models.DateTimeField(
        null=True, editable=False, help_text="What the newest thing said about them is of."
    )
    deleted_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="guests",
        editable=False,
        db_index=False,
        help_text="Whom this guest turned out to be; the record is deleted, its tracking id leads there.",
    )

    privacy = Privacy(
        free="created_at updated_at stated_at deleted_at",
        personal={
            "source_id": None,
            "name": None,
            "email": None,
            "phone": None,
            "description": None,
            "birthdate": None,
            "address": None,
            "metadata": {},
            "tracking_id": None,
            "identity_keys": [],
        },
        person=_customer_and_guests,
        retention="Customers of whom nothing is heard",
        forgotten_by="customers.services.forget.forget_silent_customers",
    )

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source_id"], name="customer_source_id_unique"),
            models.UniqueConstraint(fields=["project", "tracking_id"], name="customer_tracking_id_unique"),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(deleted_at__isnull=False, source_id=None),
                name="customer_merged_is_deleted",
            ),
        ]
        indexes = [
            # What lists are ordered by. Not only of rows that are not deleted: until a new table is analyzed,
            # Postgres takes such an index for nearly empty, and reads all of it to find a single row.
            models.Index(fields=["project", "id"], name="customer_present"),
            models.Index(fields=["project", "created_at", "id"], name="customer_created"),
            models.Index("project", F("updated_at").asc(nulls_first=True), "id", name="customer_updated"),
            models.Index(fields=["project", "email"], name="customer_email"),
            models.Index(
                "project", CITY, "created_at", "id", name="customer_city", condition=Q(address__isnull=False)
            ),
            # As lists search them: any fragment in any letter case.
            GinIndex(
                OpClass(Upper("email"), name="gin_trgm_ops"),
                OpClass(Upper("name"), name="gin_trgm_ops"),
                name="customer_fragments",
            ),
            GinIndex(fields=["identity_keys"], name="customer_identity_keys"),
            models.Index(
                fields=["merged_into"], name="customer_merged", condition=Q(merged_into__isnull=False)
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
    products = models.JSONField(
        default=list, help_text="Ids and the shop's own ids of the products and SKUs in paid orders."
    )

    privacy = Privacy(
        free="redeemed failed succeeded rolled_back rollback_failed rollback_succeeded gift_redeemed_amount"
        " gift_amount_to_go orders_amount orders_count last_order_amount last_order_at products",
        person="customer",
        is_deleted=True,
        moved_by="customers.services.merge.drop_summary",
    )

    def __str__(self) -> str:
        return f"summary of {self.customer_id}"


class CustomEvent(ProjectModel):
    """Something the shop says a customer did, as in `cart_abandoned`.

    `source_id` is the sender's own id of it, with which it is told once however often it is sent. The key
    goes by `created_at`, when it happened, so that one that comes late is in its place.
    """

    prefix = "evcus"

    # No key in the database: checking one locks the project's row, which every event would share.
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
        editable=False,
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    type = models.CharField(max_length=300)
    source_id = models.CharField(max_length=255, null=True)  # noqa: DJ001 - absent, unlike ""
    metadata = models.JSONField(default=dict)
    referral = models.JSONField(null=True)
    loyalty = models.JSONField(null=True)
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="type created_at",
        personal={"source_id": None, "metadata": {}, "referral": None, "loyalty": None},
        person="customer",
        is_deleted=True,
        retention="Custom events",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "source_id"],
                condition=models.Q(source_id__isnull=False),
                name="custom_event_source_id_unique",
            ),
        ]
        indexes = [models.Index(fields=["customer", "type", "created_at"], name="custom_event_of_customer")]

    def __str__(self) -> str:
        return self.type


class ConsentQuerySet(models.QuerySet["Consent"]):
    def present(self) -> "ConsentQuerySet":
        """Consents that customers are still asked for."""
        return self.filter(deleted_at=None)


class Consent(ProjectModel):
    """Something customers are asked to agree to, as in news by e-mail.

    A deleted one's row stays, because what customers said of it is evidence, and who refused stays refused.
    """

    prefix = "cons"

    class Category(models.TextChoices):
        EMAIL = "EMAIL", "E-mail"
        SMS = "SMS", "SMS"
        PHONE = "PHONE", "Phone"
        POST = "POST", "Letters"
        PUSH = "PUSH", "Push messages"
        PROFILING = "PROFILING", "Profiling"
        OTHER = "OTHER", "Something else"

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    category = models.CharField("channel", max_length=9, choices=Category.choices, default=Category.EMAIL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="name description category created_at updated_at deleted_at")

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], condition=Q(deleted_at=None), name="consent_present_name_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ConsentStatement(ProjectModel):
    """That a customer gave a consent or took it back: when, and by which way. The newest one holds."""

    prefix = "cst"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    consent = models.ForeignKey(Consent, on_delete=models.RESTRICT, related_name="+")
    is_given = models.BooleanField()
    source = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    privacy = Privacy(free="source created_at", person="customer", told="consent__name consent__category")

    class Meta:
        indexes = [models.Index(fields=["customer", "consent", "-id"], name="consent_statement_newest")]

    def __str__(self) -> str:
        return f"{self.consent_id} {'given' if self.is_given else 'taken back'}"


class Segment(ProjectModel):
    """A named group of customers: listed ones, or those whom a filter matches.

    A `static` one lists its members for good. Whom an `auto-update` one matches is kept as members, too, so
    that entering and leaving are events; a `passive` one has none, and is only ever asked.
    """

    prefix = "seg"

    class Type(models.TextChoices):
        STATIC = "static", "Listed customers"
        AUTO_UPDATE = "auto-update", "By a filter, telling who enters and leaves"
        PASSIVE = "passive", "By a filter"

    class SyncStatus(models.TextChoices):
        IN_PROGRESS = "IN_PROGRESS"
        DONE = "DONE"

    name = models.CharField(max_length=255)
    type = models.CharField(max_length=11, choices=Type.choices, default=Type.PASSIVE)
    filter = models.JSONField(null=True, blank=True)
    initial_sync_status = models.CharField(
        max_length=11, choices=SyncStatus.choices, default=SyncStatus.DONE, editable=False
    )
    synced_at = models.DateTimeField(
        default=timezone.now, editable=False, help_text="When asking all customers anew was last begun."
    )
    sync = models.ForeignKey(
        AsyncAction,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The latest asking of all customers; an earlier one that still runs stops.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="name type filter initial_sync_status synced_at created_at updated_at")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(type="static") ^ models.Q(filter__isnull=False), name="segment_has_filter"
            ),
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="segment_newest")]

    def __str__(self) -> str:
        return self.name


class Location(ProjectModel):
    """An area on the map, named, so that rules can ask whether a place lies in it."""

    prefix = "loc"

    name = models.CharField(max_length=255)
    shape = models.JSONField(help_text="A circle or a polygon, as the wire has it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="name shape created_at updated_at")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="location_name_unique")]
        indexes = [models.Index(fields=["project", "created_at", "id"], name="location_created")]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """A customer in a static or auto-update segment; to make or delete the row is to enter or to leave.

    The rows of a deleted segment go later than it does, because there may be a million.
    """

    segment = models.ForeignKey(
        Segment, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)

    privacy = Privacy(
        person="customer", is_deleted=True, moved_by="customers.services.merge.move_memberships"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "customer"], name="segment_member_unique"),
        ]
        indexes = [models.Index(fields=["customer", "segment"], name="segment_member_of_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"
