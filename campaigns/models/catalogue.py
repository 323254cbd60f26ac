from django.db import models
from django.db.models import Q
from django.utils import timezone

from promoengine.core.models import ProjectModel
from promoengine.core.privacy import Privacy


class Product(ProjectModel):
    """Something the shop sells; `source_id` is the shop's own id of it, `price` in minor units."""

    prefix = "prod"

    source_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - absent, unlike ""
    name = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    price = models.PositiveBigIntegerField(null=True, blank=True)
    attributes = models.JSONField(default=list, blank=True, help_text="Names of what its SKUs differ in.")
    metadata = models.JSONField(default=dict, blank=True)
    image_url = models.TextField(null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="source_id name price attributes metadata image_url created_at updated_at")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source_id"], name="product_source_id_unique")
        ]
        indexes = [models.Index(fields=["project", "-id"], name="product_newest")]

    def __str__(self) -> str:
        return self.name or self.source_id or self.public_id


class Sku(ProjectModel):
    """One variant of a product; its own price, where it has one, counts."""

    prefix = "sku"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    source_id = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - absent, unlike ""
    sku = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    price = models.PositiveBigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, null=True, blank=True)  # noqa: DJ001
    attributes = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    image_url = models.TextField(null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="source_id sku price currency attributes metadata image_url created_at updated_at")

    class Meta:
        verbose_name, verbose_name_plural = "SKU", "SKUs"
        constraints = [models.UniqueConstraint(fields=["project", "source_id"], name="sku_source_id_unique")]

    def __str__(self) -> str:
        return self.sku or self.source_id or self.public_id


class ProductCollection(ProjectModel):
    """Products and SKUs under one name: listed one by one, or all that a filter matches."""

    prefix = "pc"

    class Type(models.TextChoices):
        STATIC = "STATIC", "Listed"
        AUTO_UPDATE = "AUTO_UPDATE", "By filter"

    name = models.CharField(max_length=255)
    type = models.CharField(max_length=11, choices=Type.choices)
    filter = models.JSONField(
        null=True, blank=True, help_text="Conditions on products, as the wire has them."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(free="name type filter created_at updated_at")

    def __str__(self) -> str:
        return self.name


class ProductCollectionMember(models.Model):
    """A product, with all its SKUs, or one SKU that is listed in a collection."""

    collection = models.ForeignKey(ProductCollection, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, null=True, on_delete=models.CASCADE, related_name="+")
    sku = models.ForeignKey(Sku, null=True, on_delete=models.CASCADE, related_name="+")

    privacy = Privacy()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(product=None) ^ Q(sku=None), name="collection_member_is_product_or_sku"
            ),
            models.UniqueConstraint(fields=["collection", "product"], name="collection_product_unique"),
            models.UniqueConstraint(fields=["collection", "sku"], name="collection_sku_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.collection_id}: {self.product_id or self.sku_id}"
