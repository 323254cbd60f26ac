"""Metadata schemas: which attributes an object may have, of what kind, and what is wrong with a value.

Pure: a schema is read from the stored JSON of its definitions, and says of each value it refuses why.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

ARRAY = "must be an array, and every element: "
DEPTH_MAX = 10
SHOWN_MAX = 100
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
TIME = r"[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}(:?\d{2})?)?"
DATETIME = re.compile(DATE.pattern + TIME, re.ASCII)
NUMBER = r"[+-]?\d{1,3}(?:\.\d{1,20})?"
GEOPOINT = re.compile(rf"({NUMBER})\s*,\s*({NUMBER})", re.ASCII)
IMAGES = (".jpg", ".jpeg", ".png")
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_date(value: Any) -> bool:
    """Return whether it is an ISO 8601 date; a date-time has one, and clients send it for a date, too."""
    if not isinstance(value, str) or not DATE.fullmatch(value):
        return is_datetime(value)
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_datetime(value: Any) -> bool:
    """Return whether it is an ISO 8601 date-time, with or without a zone."""
    if not isinstance(value, str) or not DATETIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper().replace(",", "."))
    except ValueError:
        return False
    return True


def is_image_url(value: Any) -> bool:
    if not isinstance(value, str) or value != value.strip():
        return False
    try:
        url = urlsplit(value)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.netloc) and url.path.lower().endswith(IMAGES)


def is_geopoint(value: Any) -> bool:
    """Return whether it is text of latitude and longitude, as in `37.786971, -122.399677`."""
    found = GEOPOINT.fullmatch(value) if isinstance(value, str) else None
    return found is not None and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180


@dataclass(frozen=True, slots=True)
class Kind:
    """What the values of a type look like, and how a refusal says so."""

    says: str
    has: Callable[[Any], bool]


KINDS: dict[str, Kind] = {
    "string": Kind("must be a string", lambda value: isinstance(value, str)),
    "number": Kind("must be a number", is_number),
    "boolean": Kind("must be a boolean", lambda value: isinstance(value, bool)),
    "date": Kind("must be a date in ISO 8601 format", is_date),
    "datetime": Kind("must be a date and time in ISO 8601 format", is_datetime),
    "image_url": Kind("must be a URL pointing to JPG/JPEG or PNG resource", is_image_url),
    "geopoint": Kind("must be a geopoint: latitude, longitude", is_geopoint),
    "object": Kind("must be an object", lambda value: isinstance(value, Mapping)),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound that definitions may set on the values of one type; `says` has a place for the bound."""

    type: str
    says: str
    holds: Callable[[Any, Any], bool]


LIMITS: dict[str, Limit] = {
    "min_length": Limit("string", "must have at least {} characters", lambda v, n: len(v) >= n),
    "max_length": Limit("string", "must have at most {} characters", lambda v, n: len(v) <= n),
    "exact_length": Limit("string", "must have exactly {} characters", lambda v, n: len(v) == n),
    "lt": Limit("number", "must be less than {}", lambda v, n: v < n),
    "lte": Limit("number", "must be less than or equal to {}", lambda v, n: v <= n),
    "gt": Limit("number", "must be greater than {}", lambda v, n: v > n),
    "gte": Limit("number", "must be greater than or equal to {}", lambda v, n: v >= n),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute: its type, whether it has several values, and which values are allowed."""

    type: str
    array: bool = False
    optional: bool = True
    object_type: str | None = None
    eq: tuple[Any, ...] = ()
    ne: tuple[Any, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say what a value must be, as refusals do."""
        parts = [KINDS[self.type].says]
        if self.eq:
            parts.append(f"must be equal to one of {','.join(map(str, self.eq))}")
        if self.ne:
            parts.append(f"must not be equal to any of {','.join(map(str, self.ne))}")
        parts += [LIMITS[name].says.format(bound) for name, bound in self.limits.items()]
        if not self.optional:
            parts.append("property is required")
        return (ARRAY if self.array else "") + ", ".join(parts)

    def allows(self, value: Any) -> bool:
        """Return whether a single value is of the type and within its bounds."""
        return (
            KINDS[self.type].has(value)
            and (not self.eq or value in self.eq)
            and value not in self.ne
            and all(LIMITS[name].holds(value, bound) for name, bound in self.limits.items())
        )

    def read_text(self, text: str) -> Any:
        """Return what the cell of a CSV file means; several values are separated by commas, or are JSON.

        What can't be meant stays text, for the check to refuse it.
        """
        if self.array:
            parts = _json(text, list) if text.startswith("[") else text.split(",")
            return [self.read_one(one.strip()) if isinstance(one, str) else one for one in parts or [text]]
        return self.read_one(text)

    def read_one(self, text: str) -> Any:
        """Return the single value that a text means."""
        if self.type == "number":
            return _number(text)
        if self.type == "boolean" and text.lower() in (*TRUE, *FALSE):
            return text.lower() in TRUE
        return (_json(text, dict) or text) if self.type == "object" else text


@dataclass(frozen=True, slots=True)
class Schema:
    """The attributes of one kind of object; where only defined ones are allowed, others are refused."""

    name: str
    properties: Mapping[str, Definition] = field(default_factory=dict)
    allow_defined_only: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that a schema refuses: where it stands, what it should be and what it is."""

    path: str
    says: str

    def __str__(self) -> str:
        return f"{self.path}: {self.says}"


@dataclass(frozen=True, slots=True)
class Schemas:
    """All schemas of a project: of objects and of what is nested in them, by name, and of custom events."""

    objects: Mapping[str, Schema] = field(default_factory=dict)
    events: Mapping[str, Schema] = field(default_factory=dict)

    def violations(
        self, schema: Schema, metadata: Mapping[str, Any], *, is_new: bool, where: str = "", depth: int = 0
    ) -> Iterator[Violation]:
        """Yield what in the metadata of an object breaks its schema.

        A required attribute must be there in an object that `is_new`; of another one, what is sent is judged.
        """
        for name, definition in schema.properties.items():
            if name in metadata:
                yield from self._of_value(definition, metadata[name], f"{where}{name}", depth)
            elif is_new and not definition.optional:
                yield Violation(f"{where}{name}", f"{definition} (actual value is undefined)")
        if schema.allow_defined_only:
            for name in metadata:
                if name not in schema.properties:
                    yield Violation(
                        f"{where}{name}", f"is not defined in the metadata schema '{schema.name}'"
                    )

    def read_cells(self, resource: str, cells: Mapping[str, str]) -> dict[str, Any]:
        """Return metadata of the cells of a CSV file, as their attributes are defined, else as text."""
        schema = self.objects.get(resource)
        known = schema.properties if schema else {}
        return {name: known[name].read_text(text) if name in known else text for name, text in cells.items()}

    def _of_value(self, definition: Definition, value: Any, path: str, depth: int) -> Iterator[Violation]:
        if value is None and definition.optional:
            return
        elements = value if definition.array else [value]
        if not isinstance(elements, list) or not all(map(definition.allows, elements)):
            yield Violation(path, f"{definition} (actual value is {_shown(value)})")
        elif nested := self.objects.get(definition.object_type or ""):
            for index, element in enumerate(elements):
                inside = f"{path}[{index}]." if definition.array else f"{path}."
                if depth == DEPTH_MAX:
                    yield Violation(path, f"must not be nested in more than {DEPTH_MAX} objects")
                else:
                    yield from self.violations(nested, element, is_new=True, where=inside, depth=depth + 1)


def parse_schema(name: str, properties: Mapping[str, Any], *, allow_defined_only: bool = False) -> Schema:
    """Read a schema from its stored definitions; those that were removed define nothing."""
    known = {key: parse_definition(stored) for key, stored in properties.items() if not stored.get("deleted")}
    return Schema(name, known, allow_defined_only)


def parse_definition(stored: Mapping[str, Any]) -> Definition:
    """Read one stored definition."""
    return Definition(
        stored["type"],
        array=stored.get("array", False),
        optional=stored.get("optional", True),
        object_type=stored.get("object_type"),
        eq=tuple(stored.get("eq") or ()),
        ne=tuple(stored.get("ne") or ()),
        limits={limit: stored[limit] for limit in LIMITS if stored.get(limit) is not None},
    )


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = f"'{value}'"
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
        except RecursionError:
            text = "nested too deep to be shown"
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def _number(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number) or "_" in text:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _json(text: str, kind: type) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, kind) else None
