"""Files of lists."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from promoengine.core.models import AsyncAction, ProjectModel
from promoengine.core.privacy import Privacy

NAMES = {
    "voucher": _("Codes"),
    "redemption": _("Redemptions"),
    "customer": _("Customers"),
    "publication": _("Publications"),
    "order": _("Orders"),
}


class Export(ProjectModel):
    """A file of a list's rows, made by a job and downloaded by a signed link."""

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
    listed = models.TextField(
        blank=True, db_default="", help_text="The address's query of the dashboard's list that it is of."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Whose list it is of; nobody's where the API asked for it.",
    )
    action = models.ForeignKey(
        AsyncAction, null=True, on_delete=models.SET_NULL, related_name="+", help_text="What makes it."
    )
    row_count = models.PositiveBigIntegerField(null=True, help_text="Rows of the file, once it is there.")
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.SCHEDULED)
    channel = models.CharField(max_length=64, default="API")
    is_lapsed = models.BooleanField(default=False, help_text="Its file has been deleted after its time.")
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="exported_object status channel row_count created_at",
        personal={"parameters": {}, "listed": ""},
        lapses="filters may name a customer; the row is the shop's own question",
    )

    class Meta:
        indexes = [models.Index(fields=["project", "created_at", "id"], name="export_created")]

    def __str__(self) -> str:
        name = NAMES.get(self.exported_object, self.exported_object)
        return f"{name}, {self.parameters.get('format') or 'CSV'}"


class ExportPart(models.Model):
    """Some bytes of an export's file, in the order of `number`, so that nobody has to hold all of it."""

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
