"""Reading the first sheet of an XLSX file row by row, its cells as they would stand in a CSV file."""

import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO

from openpyxl import load_workbook

from promoengine.core.csv_reading import UnreadableFile

# A file is packed: a few kilobytes may unfold into anything.
UNPACKED_MAX = 1 << 30
# The texts of a workbook stand in one table, which has to be in memory.
TEXTS_MAX = 1 << 28
TEXTS = "xl/sharedStrings.xml"


def read_xlsx(stream: BinaryIO, *, columns_max: int) -> Iterator[list[str]]:
    """Yield the rows of the first sheet as lists of cells, the header first; a formula gives its last result.

    Raises:
        UnreadableFile: it is no workbook, a protected one, or unfolds into far too much.
    """
    _check_size(stream)
    stream.seek(0)
    # What openpyxl warns of are styles and links, of which nothing is read.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = _rows(stream, columns_max)
        try:
            for row in rows:
                yield [_text(value) for value in row]
        except UnreadableFile:
            raise
        except Exception as error:
            # openpyxl lets out whatever zip, XML and its own parsers say of a broken file.
            raise UnreadableFile("The workbook is damaged: save it anew, or as CSV") from error


def _rows(stream: BinaryIO, columns_max: int) -> Iterator[tuple[Any, ...]]:
    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    try:
        if not book.worksheets:
            raise UnreadableFile("The workbook has no sheet of cells")
        sheet = book.worksheets[0]
        # Some programs write down too small a size, which would cut rows off.
        sheet.reset_dimensions()
        yield from sheet.iter_rows(max_col=columns_max, values_only=True)
    finally:
        book.close()


def _check_size(stream: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    except zipfile.BadZipFile as error:
        raise UnreadableFile("The workbook is damaged: save it anew, or as CSV") from error
    # What is read of an entry never exceeds the size it states.
    if sum(sizes.values()) > UNPACKED_MAX or sizes.get(TEXTS, 0) > TEXTS_MAX:
        raise UnreadableFile("The workbook unfolds into too much: save it as CSV")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Spreadsheets count with fifteen digits, and their files may have 19.989999999999998 for 19.99.
        return str(int(value)) if value.is_integer() else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
