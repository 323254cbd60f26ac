"""Locations in rules: ids become the areas they stand for before a rule is read."""

import uuid
from collections.abc import Iterator
from typing import Any

from customers.models import Location
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project

OPERATOR = "$in_location"


def with_shapes(project_id: uuid.UUID, rules: Any) -> Any:
    """Return rules, their ids of locations replaced by the areas; as they are where they name none."""
    named = set(locations_in(rules))
    if not named:
        return rules
    keys = [key for ref in named if (key := parse_public_id(Location.prefix, ref))]
    rows = Location.objects.filter(project=project_id, pk__in=keys)
    return _replaced(rules, {row.public_id: row.shape for row in rows})


def check_locations(project: Project, rules: Any) -> None:
    """Refuse rules that ask about a location that the project does not have.

    Raises:
        NotFound: the details name it.
    """
    for ref in locations_in(rules):
        key = parse_public_id(Location.prefix, ref)
        if not key or not Location.objects.filter(project=project, pk=key).exists():
            raise NotFound("location", ref)


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


def _replaced(rules: Any, shapes: dict[str, Any]) -> Any:
    if isinstance(rules, list):
        return [_replaced(inner, shapes) for inner in rules]
    if not isinstance(rules, dict):
        return rules
    made = {}
    for name, inner in rules.items():
        if name == OPERATOR:
            values = inner if isinstance(inner, list) else [inner]
            made[name] = [shapes.get(value, value) if isinstance(value, str) else value for value in values]
        else:
            made[name] = _replaced(inner, shapes)
    return made
