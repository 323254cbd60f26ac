"""Files of exports: the database writes the rows, each cell as its kind is written in the format."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from tempfile import TemporaryFile
from typing import IO, Any

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from promoengine.core.spreadsheets import HARMLESS
from promoengine.core.xlsx_writing import Style, write_xlsx
from redemptions.export_columns import Column, OwnText

# Between two looks whether somebody wants the work to stop.
ROWS_A_STEP = 10_000

Rows = models.QuerySet[Any]
Said = Callable[[int, int], None]


class Format(StrEnum):
    """What a file may be. A spreadsheet takes no text of the first two for a formula."""

    CSV = "CSV"
    XLSX = "XLSX"
    JSONL = "JSONL"

    @property
    def extension(self) -> str:
        return self.value.lower()

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self]


CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSONL: "application/jsonl; charset=utf-8",
}


class Kind(Enum):
    TEXT = auto()
    OWN_TEXT = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    MOMENT = auto()
    DAY = auto()
    JSON = auto()


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a file: the name of its field, its title, and where its cells come from."""

    name: str
    title: str
    cells: Column


MOMENT = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
DAY = "to_char({0}, 'YYYY-MM-DD')"
JSON_TEXT = (
    "CASE jsonb_typeof({0}) WHEN 'null' THEN NULL WHEN 'string' THEN "
    + HARMLESS.format("({0} #>> '{{}}')")
    + " ELSE nullif(nullif({0}::text, '{{}}'), '[]') END"
)
CSV_CELLS = {
    Kind.TEXT: HARMLESS,
    Kind.OWN_TEXT: "{0}",
    Kind.NUMBER: "{0}",
    Kind.BOOLEAN: "{0}::text",
    Kind.MOMENT: MOMENT,
    Kind.DAY: DAY,
    Kind.JSON: JSON_TEXT,
}
# Moments and days are days since 1899-12-30 there.
XLSX_CELLS = {
    Kind.TEXT: f"to_json({HARMLESS})::text",
    Kind.OWN_TEXT: "to_json({0})::text",
    Kind.NUMBER: "{0}::text",
    Kind.BOOLEAN: "{0}::text",
    Kind.MOMENT: "(extract(epoch FROM date_trunc('milliseconds', {0})) / 86400 + 25569)::float8::text",
    Kind.DAY: "({0} - '1899-12-30'::date)::text",
    Kind.JSON: "CASE WHEN jsonb_typeof({0}) IN ('number', 'boolean') THEN {0}::text"
    f" ELSE to_json({JSON_TEXT})::text END",
}
JSON_CELLS = {
    Kind.TEXT: "to_json({0})::text",
    Kind.OWN_TEXT: "to_json({0})::text",
    Kind.NUMBER: "{0}::text",
    Kind.BOOLEAN: "{0}::text",
    Kind.MOMENT: f"to_json({MOMENT})::text",
    Kind.DAY: f"to_json({DAY})::text",
    Kind.JSON: "{0}::text",
}
CELLS = {Format.CSV: CSV_CELLS, Format.XLSX: XLSX_CELLS, Format.JSONL: JSON_CELLS}
COMMA = " || ',' || "
STYLES = {Kind.MOMENT: Style.MOMENT, Kind.DAY: Style.DAY}
# JSON escapes what is below a blank, so that these quote nothing, and each row is a line as it is.
AS_IT_IS = "FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02', ESCAPE E'\\x02'"


def write_file(
    file: IO[bytes], format: Format, name: str, columns: Sequence[FileColumn], rows: Rows, said: Said
) -> None:
    """Write rows into a file, all as they are at one moment; none but a few are held.

    `said` is told now and then how many rows are done, of how many, and may raise to stop the work.
    """
    if format == Format.XLSX:
        _write_xlsx(file, name, columns, rows, said)
        return
    if format == Format.CSV:
        head = io.StringIO()
        csv.writer(head, lineterminator="\n").writerow([column.title for column in columns])
        file.write(head.getvalue().encode())
    said(0, _copy(file, format, columns, rows))


def _write_xlsx(file: IO[bytes], name: str, columns: Sequence[FileColumn], rows: Rows, said: Said) -> None:
    with TemporaryFile() as lines:
        count = _copy(lines, Format.XLSX, columns, rows)
        lines.seek(0)
        styles = [STYLES.get(kind, Style.PLAIN) for kind in _kinds(_with_cells(rows, columns), columns)]
        titles = [column.title for column in columns]
        write_xlsx(file, name, titles, styles, _told(lines, count, said))


def _told(lines: IO[bytes], count: int, said: Said) -> Iterator[list[Any]]:
    """Yield the rows of lines of JSON, and say so."""
    for number, line in enumerate(lines):
        if number % ROWS_A_STEP == 0:
            said(number, count)
        yield orjson.loads(line)
    said(count, count)


def _copy(file: IO[bytes], format: Format, columns: Sequence[FileColumn], rows: Rows) -> int:
    """Write rows by one statement and return how many there are."""
    try:
        statement, params = _statement(format, columns, _with_cells(rows, columns))
    except EmptyResultSet:
        return 0
    # Django wraps the errors of what it knows, and COPY is not of that.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        with cursor.copy(statement, params) as copy:
            for part in copy:
                file.write(part)
        return int(cursor.rowcount)


def _with_cells(rows: Rows, columns: Sequence[FileColumn]) -> Rows:
    cells = {_name(place): column.cells for place, column in enumerate(columns)}
    return rows.annotate(**cells).values_list(*cells)


def _kinds(rows: Rows, columns: Sequence[FileColumn]) -> list[Kind]:
    return [_kind(rows.query.annotations[_name(place)].output_field) for place in range(len(columns))]


def _name(place: int) -> str:
    return f"cell_{place}"


def _kind(field: Any) -> Kind:
    if isinstance(field, OwnText) or field.choices:
        return Kind.OWN_TEXT
    kinds: Mapping[type, Kind] = {
        models.CharField: Kind.TEXT,
        models.TextField: Kind.TEXT,
        models.BooleanField: Kind.BOOLEAN,
        models.DateTimeField: Kind.MOMENT,
        models.DateField: Kind.DAY,
        models.JSONField: Kind.JSON,
    }
    return next((kind for type_, kind in kinds.items() if isinstance(field, type_)), Kind.NUMBER)


def _statement(format: Format, columns: Sequence[FileColumn], rows: Rows) -> tuple[str, list[Any]]:
    found, params = rows.query.sql_with_params()
    names = [_name(place) for place in range(len(columns))]
    source = f"FROM ({found}) AS found ({', '.join(names)})"
    templates = CELLS[format]
    cells = [templates[kind].format(name) for kind, name in zip(_kinds(rows, columns), names, strict=True)]
    if format == Format.CSV:
        return f"COPY (SELECT {', '.join(cells)} {source}) TO STDOUT (FORMAT csv)", [*params]
    cells = [f"coalesce({cell}, 'null')" for cell in cells]
    start, end, keys = "[", "]", []
    if format == Format.JSONL:
        start, end, keys = "{", "}", [_key(column.name) for column in columns]
        cells = [f"%s || {cell}" for cell in cells]
    line = f"'{start}' || {COMMA.join(cells)} || '{end}'"
    return f"COPY (SELECT {line} {source}) TO STDOUT ({AS_IT_IS})", [*keys, *params]


def _key(name: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}:"
