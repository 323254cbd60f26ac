import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.lookups import GreaterThan
from django.utils.timezone import now

from promoengine.core.action_types import ACTION_TYPES
from promoengine.core.ids import new_id, public_id
from promoengine.core.privacy import Privacy, retained_models


class PublicModel(models.Model):
    """A row with a UUIDv7 key; `prefix` makes the public id of it."""

    prefix = ""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True

    @property
    def public_id(self) -> str:
        return public_id(self.prefix, self.pk)


class Project(PublicModel):
    """A tenant: one shop's currency, zone, settings and everything it owns."""

    prefix = "proj"

    class WeekStart(models.IntegerChoices):
        SUNDAY = 0, "Sunday"
        MONDAY = 1, "Monday"
        SATURDAY = 6, "Saturday"

    class ClientRefusals(models.TextChoices):
        ALL = "ALL", "Why, whatever it is: expired, used up, no such code"
        CART = "CART", "What the cart lacks, and of anything else only that it can't be used"
        NONE = "NONE", "Only that it can't be used"

    key = models.SlugField(unique=True, help_text="Short name used in commands.")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217, as in EUR.")
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name, as in Europe/Warsaw.")
    case_sensitive_codes = models.BooleanField(default=True)
    week_start = models.SmallIntegerField(choices=WeekStart.choices, default=WeekStart.MONDAY)
    client_trusted_domains = ArrayField(
        models.CharField(max_length=255),
        default=list,
        blank=True,
        help_text="Origins that may call the client-side API, separated by commas; * allows any.",
    )
    client_redeem_enabled = models.BooleanField(default=False)
    client_publish_enabled = models.BooleanField(default=False)
    client_list_vouchers_enabled = models.BooleanField(default=False)
    client_create_customer_enabled = models.BooleanField(default=False)
    client_refusals = models.CharField(
        "visitors are told of a refused code",
        max_length=4,
        choices=ClientRefusals.choices,
        default=ClientRefusals.ALL,
        db_default=ClientRefusals.ALL,
        help_text="The less they are told, the less those learn who try codes out. Whom a code was given"
        " to is told why in any case, and so is your own server.",
    )
    guessed_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When so many unknown codes were tried that somebody guessed.",
    )
    guesses = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How many were tried then."
    )
    stacking_rules = models.JSONField(
        default=dict, blank=True, help_text="What differs from the default stacking rules."
    )
    stacking_rules_created_at = models.DateTimeField(null=True, editable=False)
    stacking_rules_updated_at = models.DateTimeField(null=True, editable=False)
    definitions_version = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Grows with each change of campaigns, promotions and rules."
    )
    other_settings = models.JSONField(
        default=dict, editable=False, help_text="Published settings that clients keep here, without effect."
    )
    made_by = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        help_text="The project whose management key made this one, and so may manage it, too.",
    )
    bin_days = models.PositiveSmallIntegerField(
        "days in the trash",
        null=True,
        blank=True,
        default=90,
        help_text="How long what is deleted can be brought back; empty is for ever.",
    )
    created_at = models.DateTimeField(default=now, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(
        free="key name description currency timezone week_start client_trusted_domains client_refusals"
        " guessed_at guesses stacking_rules"
        " stacking_rules_created_at stacking_rules_updated_at definitions_version bin_days created_at"
        " deleted_at",
        personal={"other_settings": {}},
        lapses="has e-mail addresses of staff, whom an administrator takes out",
    )

    def __str__(self) -> str:
        return self.name


class ProjectModel(PublicModel):
    """A row that belongs to one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", editable=False)

    class Meta:
        abstract = True


class MetadataSchema(ProjectModel):
    """Which attributes the metadata of one kind of object, or of a custom event, may have.

    `name` is that of the object, as in `customer`, of an object nested in others, or of the event.
    `properties` are the published definitions by attribute; those marked `deleted` define nothing.
    """

    prefix = "ms"

    class Kind(models.TextChoices):
        OBJECT = "object"
        EVENT = "event"

    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.OBJECT)
    name = models.CharField(max_length=255)
    properties = models.JSONField(default=dict)
    allow_defined_only = models.BooleanField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(null=True)

    privacy = Privacy(free="kind name properties created_at updated_at")

    class Meta:
        verbose_name = "attribute schema"
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "name"], name="metadata_schema_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class SeenAttribute(ProjectModel):
    """An attribute that came in somewhere, whether a schema defines it or not.

    `resource` is what has it, as in `customer`, or a custom event, as in `event:review`.
    `times` counts the events that had it; `example` is a value of it as JSON text, cut short, and
    `customer_id` whom that was said of.
    """

    resource = models.CharField(max_length=300)
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=12)
    example = models.TextField(blank=True)
    customer_id = models.UUIDField(null=True)
    times = models.PositiveBigIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    privacy = Privacy(
        free="resource name kind customer_id times first_seen_at last_seen_at",
        personal={"example": ""},
        person="customer_id",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "resource", "name"], name="seen_attribute_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.resource}.{self.name}"


class AttributeScan(models.Model):
    """How far the outbox has been read for attributes; there is one row."""

    id = models.BooleanField(primary_key=True, default=True)
    event_id = models.UUIDField()

    privacy = Privacy(free="event_id")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=True), name="attribute_scan_is_one")]

    def __str__(self) -> str:
        return str(self.event_id)


class ApiKey(ProjectModel):
    """A pair of id and secret that opens the API; the secret itself is shown once and never stored."""

    class Kind(models.TextChoices):
        SERVER = "server", "Server-side"
        CLIENT = "client", "Client-side"
        MANAGEMENT = "management", "Management"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SERVER)
    name = models.CharField(max_length=200)
    app_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    privacy = Privacy(free="kind name app_id token_hash created_at revoked_at")

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class OAuthToken(ProjectModel):
    """A bearer token made from an API key, good for fifteen minutes."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=64))
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=now)

    privacy = Privacy(free="token_hash scopes expires_at created_at")

    def __str__(self) -> str:
        return f"token of {self.api_key_id}"


class OutboxEvent(PublicModel):
    """Something that happened, written in the transaction that made it happen.

    The relay hands undelivered rows to the jobs that `promoengine/subscribers.py` names; delivered rows
    stay as the activity log. `data` is the published JSON of what happened.
    """

    prefix = "ev"

    project = models.ForeignKey(
        Project, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    type = models.CharField(max_length=64)
    entity_id = models.CharField(max_length=64, blank=True)
    customer_id = models.UUIDField(null=True)
    campaign_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    channel = models.CharField(max_length=64, default="API")
    created_at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True)

    privacy = Privacy(
        free="type entity_id customer_id campaign_id channel created_at relayed_at",
        personal={"data": {}},
        person="customer_id",
        is_deleted=True,
        retention="What happened to customers and offers",
        settled=models.Q(relayed_at__isnull=False),
    )

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="outbox_waiting", condition=models.Q(relayed_at=None)),
            models.Index(
                fields=["customer_id", "-id"],
                name="outbox_of_customer",
                condition=models.Q(customer_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.entity_id}"


class AsyncAction(ProjectModel):
    """A background job a client may watch: its progress and its outcome."""

    prefix = "aa"

    class Status(models.TextChoices):
        ENQUEUED = "ENQUEUED"
        IN_PROGRESS = "IN_PROGRESS"
        PAUSED = "PAUSED"
        DONE = "DONE"
        FAILED = "FAILED"
        CANCELED = "CANCELED"

    class Stop(models.TextChoices):
        PAUSE = "PAUSE"
        CANCEL = "CANCEL"

    type = models.CharField(max_length=40)
    job = models.CharField(max_length=100, help_text="Dotted name of the function that does the work.")
    params = models.JSONField(default=dict)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.ENQUEUED)
    is_stoppable = models.BooleanField(
        default=False, db_default=False, help_text="Whether the job looks after each step if it shall stop."
    )
    undo_job = models.CharField(
        max_length=100, blank=True, db_default="", help_text="Dotted name of what takes it back; once it may."
    )
    stop = models.CharField(
        max_length=6, choices=Stop.choices, blank=True, db_default="", help_text="What somebody asked for."
    )
    total_count = models.PositiveIntegerField(default=0)
    read_count = models.PositiveIntegerField(
        null=True, help_text="Rows read so far, where all are read before anything is done."
    )
    done_count = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(
        default=0, db_default=0, help_text="What was as it should be already."
    )
    failed_count = models.PositiveIntegerField(default=0)
    failed = models.JSONField(default=list, help_text="The first failures, each with its row and reason.")
    message = models.TextField(blank=True)
    request_id = models.CharField(max_length=20)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True)

    privacy = Privacy(
        free="type job undo_job status stop total_count read_count done_count skipped_count failed_count"
        " message request_id attempts created_at updated_at finished_at",
        personal={"params": {}, "failed": []},
        lapses="is let go of once the work is done, and reported rows after a time",
        is_deleted=True,
        retention="Reports of background work",
        settled=models.Q(finished_at__isnull=False),
    )

    class Meta:
        verbose_name, verbose_name_plural = "background job", "background work"
        indexes = [
            models.Index(
                fields=["updated_at"],
                name="async_action_unfinished",
                condition=models.Q(status__in=["ENQUEUED", "IN_PROGRESS"]),
            ),
            models.Index(fields=["project", "-id"], name="async_action_newest"),
        ]

    def __str__(self) -> str:
        return str(ACTION_TYPES.get(self.type, self.type))

    @property
    def progress(self) -> int:
        """Whole percent of the work done so far; reading all rows first is half of it."""
        if self.status == self.Status.DONE or not self.total_count:
            return 100 if self.status == self.Status.DONE else 0
        if self.read_count is None:
            return min(100, 100 * (self.done_count + self.failed_count) // self.total_count)
        if self.read_count < self.total_count:
            return 50 * self.read_count // self.total_count
        settled = self.done_count + self.skipped_count + self.failed_count
        return min(100, 50 + 50 * settled // self.total_count)


class ReportedRow(models.Model):
    """A row that background work could not do, and why; there may be a million of them."""

    action = models.ForeignKey(AsyncAction, on_delete=models.CASCADE, related_name="+", db_index=False)
    row = models.PositiveIntegerField(help_text="Its number, as a spreadsheet shows it.")
    name = models.CharField(max_length=255, blank=True, help_text="What it is called, as its code.")
    reason = models.TextField()

    privacy = Privacy(
        free="row",
        personal={"name": "", "reason": ""},
        lapses="goes with the report of the work it is of",
        is_deleted=True,
    )

    class Meta:
        indexes = [models.Index(fields=["action", "row"], name="reported_row_of_action")]

    def __str__(self) -> str:
        return f"{self.row}: {self.reason}"


class UploadedFile(ProjectModel):
    """A table that somebody uploaded, kept until its import is done, so that any worker can read it."""

    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(default=0, db_default=0, help_text="In bytes.")
    created_at = models.DateTimeField(default=now)

    privacy = Privacy(free="name size created_at")

    def __str__(self) -> str:
        return self.name


class UploadedPart(models.Model):
    """A part of an upload's bytes; all but the last have the same length."""

    file = models.ForeignKey(UploadedFile, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    privacy = Privacy(free="number", personal={"content": b""}, lapses="is deleted once the file is imported")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="uploaded_part_unique")]

    def __str__(self) -> str:
        return f"{self.file_id} {self.number}"


def _answers_naming(customer_id: uuid.UUID) -> models.Q:
    """Return the condition of the kept answers in which a customer's id stands."""
    named = models.Value(public_id("cust", customer_id).encode(), models.BinaryField())
    place = models.Func(
        named,
        models.F("body"),
        template="position(%(expressions)s)",
        arg_joiner=" IN ",
        output_field=models.IntegerField(),
    )
    return models.Q(GreaterThan(place, 0))


class IdempotentAnswer(ProjectModel):
    """The first answer given to an `Idempotency-Key`, to be given again byte for byte."""

    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request it answers.")
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField(default=now, db_index=True)

    privacy = Privacy(
        free="key fingerprint status created_at",
        personal={"body": b""},
        person=_answers_naming,
        is_copy=True,
        is_deleted=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="idempotent_answer_unique")]

    def __str__(self) -> str:
        return self.key


class RetentionPeriod(ProjectModel):
    """How long a project keeps the rows of a table, or what is personal in them."""

    prefix = "ret"

    table = models.CharField("what", max_length=100)
    days = models.PositiveIntegerField(
        "days it is kept", validators=[MinValueValidator(1), MaxValueValidator(36_500)]
    )
    done_until = models.UUIDField(
        null=True, editable=False, help_text="The key up to which what is personal is gone."
    )
    created_at = models.DateTimeField(default=now, editable=False)

    privacy = Privacy(free="table days done_until created_at")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "table"], name="retention_period_unique"),
            models.CheckConstraint(condition=models.Q(days__gte=1), name="retention_period_positive"),
        ]

    def __str__(self) -> str:
        found = retained_models().get(self.table)
        return f"{found[1].retention if found else self.table}: {self.days} days"
