"""Making locations."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from customers.models import Location
from promoengine.core.errors import Duplicate, InvalidPayload
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.engine.places import InvalidShape, parse_shape, published_shape


@transaction.atomic
def create_location(project: Project, *, name: str, shape: Any, now: datetime) -> Location:
    """Make an area of a published shape, and return it. It is not changed later: rules would change with it.

    Raises:
        InvalidPayload: there is no name, or the shape is none.
        Duplicate: another location has that name.
    """
    if not name.strip():
        raise InvalidPayload("Property .name should be given")
    try:
        parse_shape(shape)
    except InvalidShape as error:
        raise InvalidPayload(f"Property .shape {error}") from error
    definitions_changed(project)
    try:
        with transaction.atomic():
            return Location.objects.create(
                project=project, name=name.strip(), shape=published_shape(shape), created_at=now
            )
    except IntegrityError as error:
        raise Duplicate(f"Another location is called {name.strip()}") from error
