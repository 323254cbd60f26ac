"""Our own contract: what the API's description, at `/api/docs/`, says of answers that are not published."""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator


def problems(method: str, path: str, status: int, data: Any) -> list[str]:
    """Return what in an answer is not as it is described: types, what is missing, what nobody told of."""
    operation = _operation(method, path)
    if str(status) not in operation["responses"]:
        return [f"{method} {path} is not described to answer {status}"]
    content = operation["responses"][str(status)].get("content")
    if content is None:
        return [] if data is None else [f"{method} {path} is described to answer nothing"]
    schema = content["application/json"]["schema"]
    found = Draft202012Validator(schema | {"components": _components()}).iter_errors(data)
    return [f"{error.json_path}: {error.message}" for error in found]


def fields_of(name: str) -> set[str]:
    """Return the properties that a component of the description has."""
    return set(_components()["schemas"][name]["properties"])


def _operation(method: str, path: str) -> dict[str, Any]:
    described = _description()["paths"]
    route = next(one for one in described if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path))
    return dict(described[route][method])


@cache
def _components() -> dict[str, Any]:
    return dict(_strict(_description()["components"]))


@cache
def _description() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))


def _strict(schema: Any) -> Any:
    """Return a schema as JSON schema has it: null is a type, and there is no property that is not told of."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _strict(value) for name, value in schema.items()}
    if found.pop("nullable", False) is True:
        found = {"anyOf": [found, {"type": "null"}]}
    if found.get("type") == "object" and isinstance(found.get("properties"), dict):
        found.setdefault("additionalProperties", False)
    return found
