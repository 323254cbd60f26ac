"""Locations in rules and filters: ids become the areas they stand for before one is read."""

import uuid
from collections.abc import Iterator
from typing import Any

from customers.models import Location
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.selectors import row_by_id

OPERATOR = "$in_location"
LOCATION = "location"


def location_by_id(project: Project, ref: str) -> Location:
    """Return a location by its public id.

    Raises:
        NotFound: the project has none of it.
    """
    return row_by_id(Location.objects.filter(project=project), ref, LOCATION)


def with_shapes(project_id: uuid.UUID, rules: Any) -> Any:
    """Return rules, their ids of locations replaced by the areas with their ids; else as they are."""
    found = {row.public_id: row.shape | {"id": row.public_id} for row in _named(project_id, rules)}
    return _replaced(rules, found) if found else rules


def with_names(project_id: uuid.UUID, rules: Any) -> Any:
    """Return rules, their ids of locations replaced by what people call these."""
    return _replaced(rules, {row.public_id: row.name for row in _named(project_id, rules)})


def check_locations(project: Project, rules: Any) -> None:
    """Refuse rules that ask about a location that the project does not have.

    Raises:
        NotFound: the details name it.
    """
    for ref in locations_in(rules):
        location_by_id(project, ref)


def locations_in(rules: Any) -> Iterator[str]:
    """Yield the ids of locations that rules ask about, however deep."""
    if isinstance(rules, list):
        for inner in rules:
            yield from locations_in(inner)
    elif isinstance(rules, dict):
        for name, inner in rules.items():
            if name == OPERATOR:
                values = inner if isinstance(inner, list) else [inner]
                yield from (value for value in values if isinstance(value, str))
            else:
                yield from locations_in(inner)


def _named(project_id: uuid.UUID, rules: Any) -> list[Location]:
    """Return the locations that rules ask about; no query where there are none."""
    refs = set(locations_in(rules))
    keys = [key for ref in refs if (key := parse_public_id(Location.prefix, ref))]
    return list(Location.objects.filter(project=project_id, pk__in=keys)) if keys else []


def _replaced(rules: Any, shown: dict[str, Any]) -> Any:
    if isinstance(rules, list):
        return [_replaced(inner, shown) for inner in rules]
    if not isinstance(rules, dict):
        return rules
    made = {}
    for name, inner in rules.items():
        if name == OPERATOR:
            values = inner if isinstance(inner, list) else [inner]
            made[name] = [shown.get(value, value) if isinstance(value, str) else value for value in values]
        else:
            made[name] = _replaced(inner, shown)
    return made
