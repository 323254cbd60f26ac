"""Uploaded tables, CSV or XLSX: a header that names the columns, and rows, read one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from promoengine.core.csv_reading import UnreadableFile, read_csv
from promoengine.core.xlsx_reading import read_xlsx

ROWS_MAX = 2_000_000
COLUMNS_MAX = 500
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number as a spreadsheet shows it, and its cells in the order of the columns."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row by the names of its columns."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The columns' names, of which some may be empty, and the rows that are not blank, to be read once."""

    columns: list[str]
    lines: Iterator[Line]


def read_table(stream: BinaryIO) -> Table:
    """Open a CSV or XLSX file, told apart by its first bytes.

    Raises:
        UnreadableFile: it is neither, has no header, or a column is named twice; reading on may raise it.
    """
    stream.seek(0)
    start = stream.read(4)
    if start == OLE:
        raise UnreadableFile("This is an old or protected workbook: save it as XLSX or CSV")
    records = read_xlsx(stream, columns_max=COLUMNS_MAX + 1) if start == ZIP else read_csv(stream)
    columns = [name.strip() for name in next(records, [])]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise UnreadableFile("The first line must name the columns")
    if len(columns) > COLUMNS_MAX:
        raise UnreadableFile(f"There may be up to {COLUMNS_MAX} columns")
    doubles = {name for name in columns if name and columns.count(name) > 1}
    if doubles:
        raise UnreadableFile(f"Columns named twice: {', '.join(sorted(doubles))}")
    return Table(columns, _lines(records))


def read_rows(stream: BinaryIO) -> Iterator[Row]:
    """Yield the rows of a CSV or XLSX file by the names of their columns.

    Raises:
        UnreadableFile: as `read_table` says.
    """
    table = read_table(stream)
    for line in table.lines:
        yield Row(line.number, dict(zip(table.columns, line.cells, strict=False)))


def _lines(records: Iterator[list[str]]) -> Iterator[Line]:
    for number, cells in enumerate(islice(records, ROWS_MAX), start=2):
        if any(cells) and any(map(str.strip, cells)):
            yield Line(number, cells)
    if next(records, None) is not None:
        raise UnreadableFile(f"There may be up to {ROWS_MAX:,} rows: part the file")
