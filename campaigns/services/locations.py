"""Deleting locations, which validation rules may ask about."""

from django.db import transaction

from campaigns.services.in_use import refuse_if_in_use
from customers.places import LOCATION, location_by_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed


@transaction.atomic
def delete_location(project: Project, ref: str) -> None:
    """Delete a location that no rule asks about.

    Raises:
        NotFound: the project has no such location.
        ResourceInUse: a validation rule asks about it.
    """
    definitions_changed(project)
    location = location_by_id(project, ref)
    refuse_if_in_use(project, LOCATION, location.public_id)
    location.delete()
