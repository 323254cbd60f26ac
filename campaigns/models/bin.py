import uuid

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from promoengine.core.ids import parse_public_id
from promoengine.core.models import ProjectModel
from promoengine.core.privacy import Privacy


class BinEntry(ProjectModel):
    """Something deleted that can still be brought back.

    A campaign or a code is a row marked as deleted, which keeps its name to itself. A product or SKU is gone
    from the catalogue, and `kept` has the rows to make it of anew.
    """

    prefix = "tbe"

    class ResourceType(models.TextChoices):
        CAMPAIGN = "campaign", "Campaign"
        VOUCHER = "voucher", "Code"
        PRODUCT = "product", "Product"
        SKU = "sku", "SKU"

    resource_type = models.CharField(max_length=8, choices=ResourceType.choices)
    resource_id = models.CharField(max_length=64, help_text="Its public id.")
    resource_name = models.CharField(max_length=255, blank=True)
    resource_parent_id = models.CharField(max_length=64, null=True)  # noqa: DJ001 - absent, unlike ""
    deleted_by = models.CharField(max_length=64, null=True)  # noqa: DJ001
    kept = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField()

    privacy = Privacy(
        free="resource_type resource_id resource_name resource_parent_id deleted_by kept created_at"
    )

    class Meta:
        verbose_name, verbose_name_plural = "bin entry", "trash"
        constraints = [
            models.UniqueConstraint(fields=["project", "resource_id"], name="bin_entry_unique"),
        ]
        indexes = [
            models.Index(fields=["project", "id"], name="bin_entry_newest"),
            models.Index(fields=["project", "created_at"], name="bin_entry_oldest"),
        ]

    @property
    def resource_key(self) -> uuid.UUID:
        """The primary key of what was deleted."""
        return _key_of(self.resource_id)

    @property
    def parent_key(self) -> uuid.UUID | None:
        """The primary key of the campaign of a code, or of the product of a SKU."""
        return _key_of(self.resource_parent_id) if self.resource_parent_id else None

    def __str__(self) -> str:
        return self.resource_name or self.resource_id


def _key_of(public_id: str) -> uuid.UUID:
    key = parse_public_id(public_id.partition("_")[0], public_id)
    assert key is not None, f"{public_id} is an id of ours"
    return key
