"""Putting what is deleted into the bin, and bringing goods back out of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core import serializers
from django.db import IntegrityError, transaction
from django.db.models import Model

from campaigns.models import BinEntry, Product, ProductCollection, ProductCollectionMember, Sku
from promoengine.core.errors import DomainError, Duplicate
from promoengine.core.models import Project, PublicModel
from promoengine.core.services.definitions import definitions_changed


class NotRestorable(DomainError):
    key = "resource_not_restorable"
    status = 409
    message = "Resource can't be restored"


def put_in_bin(
    project: Project,
    resource_type: str,
    row: PublicModel,
    *,
    name: str,
    parent_id: str | None = None,
    kept: Any = None,
    deleted_by: str | None = None,
    now: datetime,
) -> BinEntry:
    """Write down that a row has been deleted, in the caller's transaction, and return the entry."""
    return BinEntry.objects.create(
        project=project,
        resource_type=resource_type,
        resource_id=row.public_id,
        resource_name=name[:255],
        resource_parent_id=parent_id,
        deleted_by=deleted_by,
        kept=kept or {},
        created_at=now,
    )


def put_codes_in_bin(
    project: Project, codes: Iterable[tuple[str, str, str | None]], *, now: datetime
) -> None:
    """Write down that codes have been deleted, each by its public id, name and campaign's public id."""
    BinEntry.objects.bulk_create(
        [
            BinEntry(
                project=project,
                resource_type=BinEntry.ResourceType.VOUCHER,
                resource_id=resource_id,
                resource_name=name,
                resource_parent_id=parent_id,
                created_at=now,
            )
            for resource_id, name, parent_id in codes
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )


def rows_to_keep(rows: Iterable[Model]) -> dict[str, Any]:
    """Return rows as the bin keeps them, those that others point to first."""
    return {"rows": serializers.serialize("python", rows)}


def goods_to_keep(product: Product | None, skus: list[Sku]) -> dict[str, Any]:
    """Return what the bin keeps of a product or a SKU: the rows, and the collections that list them."""
    members = ProductCollectionMember.objects.filter(sku__in=skus)
    if product is not None:
        members |= ProductCollectionMember.objects.filter(product=product)
    return rows_to_keep([*([product] if product else []), *skus, *members])


def restore_goods(project: Project, entry: BinEntry) -> None:
    """Make a product with its SKUs, or a SKU, anew in the caller's transaction, in the collections there are.

    Raises:
        NotRestorable: the product of a SKU is not there.
        Duplicate: the shop's own id of it, or of one of its SKUs, is another one's by now.
    """
    definitions_changed(project)
    _check_product(project, entry)
    collections = set(ProductCollection.objects.filter(project=project).values_list("pk", flat=True))
    try:
        with transaction.atomic():
            for made in serializers.deserialize("python", entry.kept["rows"], ignorenonexistent=True):
                row = made.object
                if not isinstance(row, ProductCollectionMember) or row.collection_id in collections:
                    made.save(force_insert=True)
    except IntegrityError as error:
        raise Duplicate(
            f"Another product or SKU has taken the source id of {entry}, or of one of its SKUs, by now",
            resource_id=entry.resource_id,
            resource_type=entry.resource_type,
        ) from error


def _check_product(project: Project, entry: BinEntry) -> None:
    if entry.resource_type != BinEntry.ResourceType.SKU:
        return
    if not entry.parent_key or not Product.objects.filter(project=project, pk=entry.parent_key).exists():
        raise NotRestorable(
            f"The product of {entry} is not there; restore it first",
            resource_id=entry.resource_id,
            resource_type=entry.resource_type,
        )
