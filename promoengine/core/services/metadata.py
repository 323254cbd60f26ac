"""Holding metadata to the project's schemas: the one place that does, whatever door they come by.

Who knows the version of the definitions in force asks for the schemas of that version, which the process
keeps; who does not, reads them, in one statement.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promoengine.core.errors import DomainError
from promoengine.core.metadata import Schema, Schemas, Violation, parse_schema
from promoengine.core.models import MetadataSchema, Project

PROJECTS_KEPT = 1000
SAID_MAX = 10  # violations named in one refusal


class MetadataRefused(DomainError):
    """Metadata break their schema; the details name each attribute, what it must be and what it is."""

    key = "metadata_validation_failed"
    message = "Metadata validation failed"


@dataclass(frozen=True, slots=True)
class _Kept:
    version: int
    schemas: Schemas


_kept: dict[uuid.UUID, _Kept] = {}


def schemas_now(project: Project) -> Schemas:
    """Return the project's schemas as they are at this moment, in one statement."""
    objects: dict[str, Schema] = {}
    events: dict[str, Schema] = {}
    rows = MetadataSchema.objects.filter(project=project)
    for kind, name, properties, defined_only in rows.values_list(
        "kind", "name", "properties", "allow_defined_only"
    ):
        found = objects if kind == MetadataSchema.Kind.OBJECT else events
        found[name] = parse_schema(name, properties, allow_defined_only=bool(defined_only))
    return Schemas(objects, events)


def schemas_at(project: Project, version: int) -> Schemas:
    """Return the project's schemas at a version of its definitions: no statement where they are kept."""
    kept = _kept.get(project.pk)
    if kept is None or kept.version != version:
        if len(_kept) >= PROJECTS_KEPT:
            _kept.clear()
        kept = _kept[project.pk] = _Kept(version, schemas_now(project))
    return kept.schemas


def check_metadata(
    schemas: Schemas, resource: str, metadata: Mapping[str, Any] | None, *, is_new: bool, where: str = ""
) -> None:
    """Refuse metadata that break the schema of a resource, as in `customer`.

    Of an object that `is_new` all that is required must be there; of another one, what is sent is judged.
    `where` stands before the names of attributes in the refusal, as in `order.metadata.`.

    Raises:
        MetadataRefused: an attribute is missing, wrong or not defined; the details name it.
    """
    schema = schemas.objects.get(resource)
    if schema is not None and (metadata or is_new):
        _refuse(list(schemas.violations(schema, metadata or {}, is_new=is_new, where=where)))


def check_event(project: Project, name: str, metadata: Mapping[str, Any], *, version: int) -> None:
    """Refuse the metadata of a custom event that break its schema; an event without one may have any.

    The version may be old, for those who write only under the one in force: nothing is refused by an old
    schema.

    Raises:
        MetadataRefused: an attribute is missing or wrong; the details name it.
    """
    if _of_event(schemas_at(project, version), name, metadata):
        _refuse(_of_event(schemas_now(project), name, metadata))


def _of_event(schemas: Schemas, name: str, metadata: Mapping[str, Any]) -> list[Violation]:
    schema = schemas.events.get(name)
    return list(schemas.violations(schema, metadata, is_new=True)) if schema else []


def _refuse(violations: list[Violation]) -> None:
    if violations:
        raise MetadataRefused("; ".join(map(str, violations[:SAID_MAX])))
