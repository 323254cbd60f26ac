"""Defining attributes: metadata schemas of objects, and schemas of custom events."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from promoengine.core.errors import Duplicate, InvalidPayload
from promoengine.core.metadata import KINDS, LIMITS, is_number
from promoengine.core.models import MetadataSchema, Project
from promoengine.core.selectors import row_by_id
from promoengine.core.services.definitions import definitions_changed, hold_off_checkouts
from promoengine.core.wire import CAMEL

DEFINITIONS_MAX = 100
NAME_MAX = 255
VALUES_MAX = 1000
TEXT_MAX = 1000
LENGTH_MAX = 100_000
# The storefront's API spells some words of a definition otherwise than the management API, as stored.
SNAKE = {camel: snake for snake, camel in CAMEL.items()}
OBJECT, EVENT = MetadataSchema.Kind.OBJECT, MetadataSchema.Kind.EVENT
SAID = {OBJECT: ("metadata schema", "related_object"), EVENT: ("custom_event_schema", "name")}

ReadDefinition = Callable[[Any, str], dict[str, Any]]


@transaction.atomic
def create_metadata_schema(project: Project, *, data: Any, now: datetime) -> MetadataSchema:
    """Define the attributes of the object that `related_object` names, and return the schema.

    Raises:
        InvalidPayload: a definition is wrong; the details name the property.
        Duplicate: that object has a schema already.
    """
    data = _mapping(data)
    columns = _columns(data, {})
    columns["allow_defined_only"] = columns.get("allow_defined_only", False)
    return _create(project, OBJECT, _name(data, "related_object"), columns, now=now)


@transaction.atomic
def update_metadata_schema(project: Project, schema_id: str, *, data: Any, now: datetime) -> MetadataSchema:
    """Add the definitions that `data` has, each in place of the one there was, and return the schema.

    A definition is taken as sent, what it does not say by default; its type stays, and `deleted` takes it out
    of use. Definitions that are not sent stay as they are.

    Raises:
        NotFound: the project has no such schema.
        InvalidPayload: a definition is wrong or changes its type; the details name the property.
    """
    data = _mapping(data)
    definitions_changed(project)
    schema = metadata_schema(project, OBJECT, schema_id)
    columns = _columns(data, schema.properties)
    for name, definition in columns["properties"].items():
        before = schema.properties.get(name, definition)
        if before["type"] != definition["type"]:
            raise InvalidPayload(
                f"Property .properties.{name}.type must be {before['type']}, as a type can't be changed"
            )
    return _change(schema, columns, now=now)


@transaction.atomic
def create_event_schema(project: Project, *, data: Any, now: datetime) -> MetadataSchema:
    """Define the attributes of the custom event that `name` names, and return the schema.

    Raises:
        InvalidPayload: a definition is wrong; the details name the property.
        Duplicate: that event has a schema already.
    """
    data = _mapping(data)
    name = _name(data, "name")
    columns = {"properties": _event_properties(data, {}), "allow_defined_only": None}
    return _create(project, EVENT, name, columns, now=now)


@transaction.atomic
def update_event_schema(project: Project, schema_id: str, *, data: Any, now: datetime) -> MetadataSchema:
    """Add the definitions that `data` has, each in place of the one there was, and return the schema.

    Raises:
        NotFound: the project has no such schema.
        InvalidPayload: a definition is wrong; the details name the property.
    """
    data = _mapping(data)
    definitions_changed(project)
    schema = metadata_schema(project, EVENT, schema_id)
    return _change(schema, {"properties": _event_properties(data, schema.properties)}, now=now)


@transaction.atomic
def delete_schema(project: Project, kind: MetadataSchema.Kind, schema_id: str) -> None:
    """Delete a schema for good; the metadata that objects have stay as they are.

    Raises:
        NotFound: the project has no such schema.
    """
    definitions_changed(project)
    metadata_schema(project, kind, schema_id).delete()


@transaction.atomic
def define_attribute(
    project: Project,
    resource: str,
    name: str,
    *,
    definition: Mapping[str, Any],
    kind: MetadataSchema.Kind = OBJECT,
    now: datetime,
) -> MetadataSchema:
    """Add one attribute to the schema of an object or event, or change it; a new schema is made.

    Raises:
        InvalidPayload: the definition is wrong or changes its type.
    """
    hold_off_checkouts(project)
    found = MetadataSchema.objects.filter(project=project, kind=kind, name=resource).first()
    properties = {name: dict(definition)}
    data = {"properties": properties} if kind == OBJECT else {"schema": {"properties": properties}}
    create, update = (
        (create_metadata_schema, update_metadata_schema)
        if kind == OBJECT
        else (create_event_schema, update_event_schema)
    )
    if found is not None:
        return update(project, found.public_id, data=data, now=now)
    return create(project, data={SAID[kind][1]: resource, **data}, now=now)


@transaction.atomic
def name_schema(project: Project, kind: MetadataSchema.Kind, name: str, *, now: datetime) -> None:
    """Begin a schema without definitions.

    Raises:
        Duplicate: there is one of that name already.
    """
    if kind == OBJECT:
        create_metadata_schema(project, data={"related_object": name, "properties": {}}, now=now)
    else:
        create_event_schema(project, data={"name": name, "schema": {"properties": {}}}, now=now)


@transaction.atomic
def set_defined_only(project: Project, name: str, *, defined_only: bool, now: datetime) -> None:
    """Refuse attributes of an object that its schema does not define, or keep them again."""
    hold_off_checkouts(project)
    data = {"properties": {}, "allow_defined_only": defined_only}
    found = MetadataSchema.objects.filter(project=project, kind=OBJECT, name=name).first()
    if found is None:
        create_metadata_schema(project, data={"related_object": name, **data}, now=now)
    else:
        update_metadata_schema(project, found.public_id, data=data, now=now)


def metadata_schema(project: Project, kind: MetadataSchema.Kind, schema_id: str) -> MetadataSchema:
    """Return the project's schema of that kind and id.

    Raises:
        NotFound: there is none.
    """
    return row_by_id(MetadataSchema.objects.filter(project=project, kind=kind), schema_id, SAID[kind][0])


def _create(
    project: Project, kind: MetadataSchema.Kind, name: str, columns: dict[str, Any], *, now: datetime
) -> MetadataSchema:
    definitions_changed(project)
    # Whoever defines something waits above, so nobody else makes it between this look and the insert.
    if MetadataSchema.objects.filter(project=project, kind=kind, name=name).exists():
        resource, named_by = SAID[kind]
        raise Duplicate(
            f"Duplicated {resource} exists with {named_by} {name}", resource_id=name, resource_type=resource
        )
    return MetadataSchema.objects.create(project=project, kind=kind, name=name, created_at=now, **columns)


def _change(schema: MetadataSchema, columns: dict[str, Any], *, now: datetime) -> MetadataSchema:
    columns["properties"] = schema.properties | columns["properties"]
    if all(getattr(schema, name) == value for name, value in columns.items()):
        return schema
    for name, value in columns.items():
        setattr(schema, name, value)
    schema.updated_at = now
    schema.save(update_fields=[*columns, "updated_at"])
    return schema


def _columns(data: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {"properties": _properties(data, "", before, _definition)}
    if data.get("allow_defined_only") is not None:
        columns["allow_defined_only"] = _boolean(data, "allow_defined_only", "", default=False)
    return columns


def _event_properties(data: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    if "schema" not in data:
        raise InvalidPayload("Payload must have required property 'schema'")
    return _properties(_mapping(data["schema"], ".schema"), ".schema", before, _event_definition)


def _properties(
    data: Mapping[str, Any], where: str, before: Mapping[str, Any], read: ReadDefinition
) -> dict[str, Any]:
    if "properties" not in data:
        raise InvalidPayload(f"{_subject(where)} must have required property 'properties'")
    sent = _mapping(data["properties"], f"{where}.properties")
    if len(before.keys() | sent.keys()) > DEFINITIONS_MAX:
        raise InvalidPayload(
            f"Property {where}.properties must have up to {DEFINITIONS_MAX} definitions, with removed ones"
        )
    for name in sent:
        if not name.strip() or len(name) > NAME_MAX:
            raise InvalidPayload(f"Property {where}.properties must have names of 1 to {NAME_MAX} characters")
    return {name: read(sent[name], f"{where}.properties.{name}") for name in sent}


def _definition(data: Any, where: str) -> dict[str, Any]:
    """Return a definition as it is stored: the words of the management API, what is not said by default."""
    data = {SNAKE.get(name, name): value for name, value in _mapping(data, where).items()}
    type = _type(data, where)
    made: dict[str, Any] = {
        "type": type,
        "array": _boolean(data, "array", where, default=False),
        "optional": _boolean(data, "optional", where, default=True),
        "object_type": _object_type(data, where),
    }
    made |= {name: _values(data, name, type, where) for name in ("eq", "ne") if data.get(name)}
    made |= {name: _bound(data, name, type, where) for name in LIMITS if data.get(name) is not None}
    return made | ({"deleted": True} if _boolean(data, "deleted", where, default=False) else {})


def _event_definition(data: Any, where: str) -> dict[str, Any]:
    """Return a definition of an event's attribute; what is not published of one stands where it says more."""
    made = _definition(data, where)
    return {
        name: value
        for name, value in made.items()
        if name in ("type", "optional") or (value is not None and value is not False)
    }


def _type(data: Mapping[str, Any], where: str) -> str:
    if "type" not in data:
        raise InvalidPayload(f"Property {where} must have required property 'type'")
    if not isinstance(data["type"], str) or data["type"] not in KINDS:
        raise InvalidPayload(f"Property {where}.type must be equal to one of {', '.join(KINDS)}")
    return data["type"]


def _object_type(data: Mapping[str, Any], where: str) -> str | None:
    name = data.get("object_type")
    if data["type"] != "object" or name in (None, ""):
        return None
    if not isinstance(name, str) or len(name) > NAME_MAX:
        raise InvalidPayload(f"Property {where}.object_type must be string,null")
    return name


def _values(data: Mapping[str, Any], name: str, type: str, where: str) -> list[Any]:
    if type not in ("string", "number") or (name == "ne" and type != "number"):
        raise InvalidPayload(f"Property {where}.{name} is not for attributes of type {type}")
    values = data[name]
    if not isinstance(values, list) or len(values) > VALUES_MAX:
        raise InvalidPayload(f"Property {where}.{name} must be an array of up to {VALUES_MAX} values")
    for index, value in enumerate(values):
        if not KINDS[type].has(value) or (type == "string" and len(value) > TEXT_MAX):
            raise InvalidPayload(f"Property {where}.{name}.{index} must be {type}")
    return values


def _bound(data: Mapping[str, Any], name: str, type: str, where: str) -> int | float:
    bound, of = data[name], LIMITS[name].type
    if type != of:
        raise InvalidPayload(f"Property {where}.{name} is not for attributes of type {type}")
    if of == "number" and not is_number(bound):
        raise InvalidPayload(f"Property {where}.{name} must be number")
    if of == "string" and (isinstance(bound, bool) or not isinstance(bound, int)):
        raise InvalidPayload(f"Property {where}.{name} must be integer")
    if of == "string" and not 0 <= bound <= LENGTH_MAX:
        raise InvalidPayload(f"Property {where}.{name} must be between 0 and {LENGTH_MAX}")
    return bound  # type: ignore[no-any-return]


def _boolean(data: Mapping[str, Any], name: str, where: str, *, default: bool) -> bool:
    value = data.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidPayload(f"Property {where}.{name} must be boolean")
    return value


def _name(data: Mapping[str, Any], field: str) -> str:
    name = data.get(field)
    if field not in data:
        raise InvalidPayload(f"Payload must have required property '{field}'")
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_MAX:
        raise InvalidPayload(f"Property .{field} must be a name of 1 to {NAME_MAX} characters")
    return name


def _mapping(value: Any, where: str = "") -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidPayload(f"{_subject(where)} must be object")
    return value


def _subject(where: str) -> str:
    return f"Property {where}" if where else "Payload"
