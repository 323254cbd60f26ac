"""Files of exports: the database writes the rows, each cell as its kind is written in the format."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from promoengine.core.xlsx_writing import Style, write_xlsx
from redemptions.export_cells import CsvCell, Kind, Line, array, record
from redemptions.export_columns import Column

# Between two looks whether somebody wants the work to stop.
ROWS_A_STEP = 10_000
ROWS_A_WORD = 50_000

Rows = models.QuerySet[Any]


class Progress(Protocol):
    """Is told how far a file is, and may raise to stop the work."""

    def read(self, count: int) -> None:
        """Hear of rows that the database has given, while it goes on with the statement that does so."""

    def counted(self, count: int) -> None:
        """Hear how many rows there are, once all have been read."""

    def written(self, count: int) -> None:
        """Hear how many of them have been put together, where they are not read as the file has them."""


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
    file: IO[bytes],
    format: Format,
    name: str,
    columns: Sequence[FileColumn],
    rows: Rows,
    progress: Progress,
) -> None:
    """Write rows into a file, all as they are at one moment; none but a few are held."""
    if format == Format.XLSX:
        _write_xlsx(file, name, columns, rows, progress)
        return
    write = _write_csv if format == Format.CSV else _write_json_lines
    write(file, columns, rows, progress)


def _write_csv(file: IO[bytes], columns: Sequence[FileColumn], rows: Rows, progress: Progress) -> None:
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow([column.title for column in columns])
    file.write(head.getvalue().encode())
    cells = {f"cell_{place}": CsvCell(column.cells) for place, column in enumerate(columns)}
    _copy(file, rows.annotate(**cells).values_list(*cells), "FORMAT csv", progress)


def _write_json_lines(file: IO[bytes], columns: Sequence[FileColumn], rows: Rows, progress: Progress) -> None:
    line = record({column.name: column.cells for column in columns})
    _copy(file, _lines(rows, line), AS_IT_IS, progress)


def _write_xlsx(
    file: IO[bytes], name: str, columns: Sequence[FileColumn], rows: Rows, progress: Progress
) -> None:
    found = _lines(rows, array([column.cells for column in columns]))
    with TemporaryFile() as lines:
        _copy(lines, found, AS_IT_IS, progress)
        lines.seek(0)
        cells = found.query.annotations[LINE].source_expressions
        styles = [STYLES.get(cell.kind, Style.PLAIN) for cell in cells]
        titles = [column.title for column in columns]
        write_xlsx(file, name, titles, styles, _told(lines, progress))


def _lines(rows: Rows, line: Line) -> Rows:
    return rows.annotate(**{LINE: line}).values_list(LINE)


def _told(lines: IO[bytes], progress: Progress) -> Iterator[list[Any]]:
    """Yield the rows of lines of JSON, and say so."""
    for number, line in enumerate(lines):
        if number % ROWS_A_STEP == 0:
            progress.written(number)
        yield orjson.loads(line)


def _copy(file: IO[bytes], rows: Rows, options: str, progress: Progress) -> None:
    """Write rows by one statement."""
    try:
        found, params = rows.query.sql_with_params()
    except EmptyResultSet:
        progress.counted(0)
        return
    # Django wraps the errors of what it knows, and COPY is not of that.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        with cursor.copy(f"COPY ({found}) TO STDOUT ({options})", params) as copy:
            # The database sends each row as a part of its own.
            for number, part in enumerate(copy, start=1):
                file.write(part)
                if number % ROWS_A_WORD == 0:
                    progress.read(number)
        count = int(cursor.rowcount)
    progress.counted(count)
