"""Files of exports: the database writes the rows, each cell as its kind is written in the format."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from tempfile import TemporaryFile
from typing import IO, Any

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from promoengine.core.xlsx_writing import Style, write_xlsx
from redemptions.export_cells import CsvCell, Kind, Line, array, record
from redemptions.export_columns import Column

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


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a file: the name of its field, its title, and where its cells come from."""

    name: str
    title: str
    cells: Column


LINE = "line"
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
    write = _write_csv if format == Format.CSV else _write_json_lines
    said(0, write(file, columns, rows))


def _write_csv(file: IO[bytes], columns: Sequence[FileColumn], rows: Rows) -> int:
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow([column.title for column in columns])
    file.write(head.getvalue().encode())
    cells = {f"cell_{place}": CsvCell(column.cells) for place, column in enumerate(columns)}
    return _copy(file, rows.annotate(**cells).values_list(*cells), "FORMAT csv")


def _write_json_lines(file: IO[bytes], columns: Sequence[FileColumn], rows: Rows) -> int:
    return _copy(file, _lines(rows, record({column.name: column.cells for column in columns})), AS_IT_IS)


def _write_xlsx(file: IO[bytes], name: str, columns: Sequence[FileColumn], rows: Rows, said: Said) -> None:
    found = _lines(rows, array([column.cells for column in columns]))
    with TemporaryFile() as lines:
        count = _copy(lines, found, AS_IT_IS)
        lines.seek(0)
        cells = found.query.annotations[LINE].source_expressions
        styles = [STYLES.get(cell.kind, Style.PLAIN) for cell in cells]
        titles = [column.title for column in columns]
        write_xlsx(file, name, titles, styles, _told(lines, count, said))


def _lines(rows: Rows, line: Line) -> Rows:
    return rows.annotate(**{LINE: line}).values_list(LINE)


def _told(lines: IO[bytes], count: int, said: Said) -> Iterator[list[Any]]:
    """Yield the rows of lines of JSON, and say so."""
    for number, line in enumerate(lines):
        if number % ROWS_A_STEP == 0:
            said(number, count)
        yield orjson.loads(line)
    said(count, count)


def _copy(file: IO[bytes], rows: Rows, options: str) -> int:
    """Write rows by one statement and return how many there are."""
    try:
        found, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return 0
    # Django wraps the errors of what it knows, and COPY is not of that.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        with cursor.copy(f"COPY ({found}) TO STDOUT ({options})", params) as copy:
            for part in copy:
                file.write(part)
        return int(cursor.rowcount)
