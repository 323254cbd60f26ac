"""Categories: the labels by which stacking rules tell offers apart."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from campaigns.models import Category
from campaigns.selectors import category_by_id
from campaigns.services.stacking import forget_category
from promoengine.core.errors import Duplicate, InvalidPayload
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed


@transaction.atomic
def create_category(project: Project, *, data: Mapping[str, Any], now: datetime) -> Category:
    """Make a category of the published `name` and `hierarchy` and return it.

    Raises:
        InvalidPayload: one of the two is missing.
        Duplicate: another category has that name.
    """
    category = Category(project=project, created_at=now, **_columns(data))
    definitions_changed(project)
    _save(category)
    return category


@transaction.atomic
def update_category(
    project: Project, category_id: str, *, data: Mapping[str, Any], now: datetime
) -> Category:
    """Give a category another name and hierarchy and return it.

    Raises:
        NotFound: the project has no such category.
        InvalidPayload: one of the two is missing.
        Duplicate: another category has that name.
    """
    columns = _columns(data)
    definitions_changed(project)
    category = category_by_id(project, category_id)
    category.name, category.hierarchy, category.updated_at = columns["name"], columns["hierarchy"], now
    _save(category)
    return category


@transaction.atomic
def delete_category(project: Project, category_id: str) -> None:
    """Delete a category; what carried it is without one, and the stacking rules name it no longer.

    Raises:
        NotFound: the project has no such category.
    """
    definitions_changed(project)
    category = category_by_id(project, category_id)
    forget_category(project, category)
    category.delete()


def _columns(data: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("name", "hierarchy"):
        if name not in data:
            raise InvalidPayload(f"Payload must have required property '{name}'")
    return {"name": data["name"], "hierarchy": data["hierarchy"]}


def _save(category: Category) -> None:
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError as error:
        raise Duplicate(
            f"Duplicated category exists with name {category.name}",
            resource_id=category.name,
            resource_type="category",
        ) from error
