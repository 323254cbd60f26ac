"""Reading the CSV files people really have: any common delimiter and encoding, quoted line breaks, a BOM."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from promoengine.core.errors import DomainError

DELIMITERS = ",;\t|"
SAMPLE = 64 * 1024
ROWS_MAX = 1_000_000


class UnreadableCsv(DomainError):
    key = "invalid_csv"
    message = "Invalid CSV"


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its line number as a spreadsheet shows it, and its cells by column name."""

    number: int
    cells: dict[str, str]


def read_rows(content: bytes) -> Iterator[Row]:
    """Yield the records of a CSV file whose first line names the columns; blank records are left out.

    Raises:
        UnreadableCsv: there is no header, a column stands there twice, or it is no CSV at all.
    """
    text = _decoded(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise UnreadableCsv("The first line must name the columns")
        doubles = {name for name in header if name and header.count(name) > 1}
        if doubles:
            raise UnreadableCsv(f"Columns named twice: {', '.join(sorted(doubles))}")
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                yield Row(number, dict(zip(header, cells, strict=False)))
    except csv.Error as error:
        raise UnreadableCsv(f"Line {reader.line_num}: {error}") from error


def _decoded(content: bytes) -> str:
    """Return the text: UTF-8 with or without a BOM, else what Western spreadsheets write."""
    if b"\x00" in content[:SAMPLE] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableCsv("The file is not text")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace").replace("\x00", "")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _delimiter(text: str) -> str:
    """Return the delimiter that the header line has most of."""
    header = text.partition("\n")[0]
    return max(DELIMITERS, key=header.count)
