"""Cells of exports' files: how the database writes a value of each kind, by what the file is."""

import json
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, ClassVar

from django.db import models
from django.db.models import Func

from promoengine.core.spreadsheets import HARMLESS
from redemptions.export_columns import Column, OwnText

# A function takes a hundred arguments at most, and a cell has two.
CELLS_AT_ONCE = 45


class Kind(Enum):
    TEXT = auto()
    OWN_TEXT = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    MOMENT = auto()
    DAY = auto()
    JSON = auto()


KINDS: Mapping[type, Kind] = {
    models.CharField: Kind.TEXT,
    models.TextField: Kind.TEXT,
    models.BooleanField: Kind.BOOLEAN,
    models.DateTimeField: Kind.MOMENT,
    models.DateField: Kind.DAY,
    models.JSONField: Kind.JSON,
}
MOMENT = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
DAY = "to_char({0}, 'YYYY-MM-DD')"
JSON_TEXT = (
    "CASE jsonb_typeof({0}) WHEN 'null' THEN NULL WHEN 'string' THEN "
    + HARMLESS.format("({0} #>> '{{}}')")
    + " ELSE nullif(nullif({0}::text, '{{}}'), '[]') END"
)


class Cell(Func):
    """A column's value as text, null where there is none; `{0}` of a template is the value's SQL.

    A value that a template names twice is computed twice, which is cheaper than a subquery that the database
    could not share among its workers.
    """

    arity = 1
    output_field = OwnText()
    templates: ClassVar[Mapping[Kind, str]]

    @property
    def kind(self) -> Kind:
        """What the column has."""
        field = self.source_expressions[0].output_field
        if isinstance(field, OwnText) or field.choices:
            return Kind.OWN_TEXT
        return next((kind for type_, kind in KINDS.items() if isinstance(field, type_)), Kind.NUMBER)

    def as_sql(self, compiler: Any, *args: Any, **kwargs: Any) -> tuple[str, list[Any]]:
        sql, params = compiler.compile(self.source_expressions[0])
        template = self.templates[self.kind]
        return template.format(sql), [*params] * template.count("{0}")


class CsvCell(Cell):
    """A cell that no spreadsheet takes for a formula."""

    templates: ClassVar = {
        Kind.TEXT: HARMLESS,
        Kind.OWN_TEXT: "{0}",
        Kind.NUMBER: "{0}",
        Kind.BOOLEAN: "{0}::text",
        Kind.MOMENT: MOMENT,
        Kind.DAY: DAY,
        Kind.JSON: JSON_TEXT,
    }


class SheetCell(Cell):
    """A cell as JSON, for a spreadsheet; moments and days are days since 1899-12-30 there."""

    templates: ClassVar = {
        Kind.TEXT: f"to_json(({HARMLESS})::text)",
        Kind.OWN_TEXT: "to_json({0}::text)",
        Kind.NUMBER: "{0}::text",
        Kind.BOOLEAN: "{0}::text",
        Kind.MOMENT: "(extract(epoch FROM date_trunc('milliseconds', {0})) / 86400 + 25569)::float8::text",
        Kind.DAY: "({0} - '1899-12-30'::date)::text",
        Kind.JSON: "CASE WHEN jsonb_typeof({0}) IN ('number', 'boolean') THEN {0}::text"
        f" ELSE to_json({JSON_TEXT})::text END",
    }


class JsonCell(Cell):
    """A value as JSON."""

    templates: ClassVar = {
        Kind.TEXT: "to_json({0}::text)",
        Kind.OWN_TEXT: "to_json({0}::text)",
        Kind.NUMBER: "{0}::text",
        Kind.BOOLEAN: "{0}::text",
        Kind.MOMENT: f"to_json({MOMENT})",
        Kind.DAY: f"to_json({DAY})",
        Kind.JSON: "{0}",
    }


class Line(Func):
    """A row as one text of JSON: before each cell what stands there, and an end."""

    output_field = OwnText()

    def __init__(self, *cells: Cell, before: Sequence[str], end: str) -> None:
        super().__init__(*cells)
        self.before, self.end = tuple(before), end

    def as_sql(self, compiler: Any, *args: Any, **kwargs: Any) -> tuple[str, list[Any]]:
        pieces, params = [], []
        for before, cell in zip(self.before, self.source_expressions, strict=True):
            sql, own = compiler.compile(cell)
            pieces.append(f"%s::text, coalesce({sql}, 'null')")
            params += [before, *own]
        parts = [pieces[at : at + CELLS_AT_ONCE] for at in range(0, len(pieces), CELLS_AT_ONCE)]
        return " || ".join([f"concat({', '.join(part)})" for part in parts] + ["%s"]), [*params, self.end]


def array(columns: Sequence[Column]) -> Line:
    """Return the line of a spreadsheet's row, a JSON array."""
    before = ["[", *[","] * (len(columns) - 1)]
    return Line(*map(SheetCell, columns), before=before, end="]")


def record(columns: Mapping[str, Column]) -> Line:
    """Return the line of a row whose cells have names, a JSON object."""
    keys = [f"{json.dumps(name, ensure_ascii=False)}:" for name in columns]
    before = [f"{start}{key}" for start, key in zip(["{", *[","] * (len(keys) - 1)], keys, strict=True)]
    return Line(*map(JsonCell, columns.values()), before=before, end="}")
