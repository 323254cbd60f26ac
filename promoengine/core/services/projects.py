import re
import zoneinfo
from collections.abc import Collection

from django.db import transaction
from django.utils.text import slugify

from promoengine.core.errors import Duplicate, InvalidPayload
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed


def create_project(name: str, *, key: str = "", currency: str = "EUR", timezone: str = "UTC") -> Project:
    """Create a project and return it.

    Raises:
        InvalidPayload: the currency is no ISO 4217 code or the zone no IANA name.
        Duplicate: another project has that key.
    """
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InvalidPayload(f"{currency!r} is not an ISO 4217 currency code")
    if timezone not in zoneinfo.available_timezones():
        raise InvalidPayload(f"{timezone!r} is not an IANA time zone")
    key = key or slugify(name)
    project, created = Project.objects.get_or_create(
        key=key, defaults={"name": name, "currency": currency, "timezone": timezone}
    )
    if not created:
        raise Duplicate(f"Duplicated project exists with key {key}")
    return project


@transaction.atomic
def update_project(project: Project, *, changed: Collection[str]) -> None:
    """Write the fields named, and no others: checkouts are decided by its calendar, and caches kept by it."""
    definitions_changed(project)
    project.save(update_fields=[*changed])
