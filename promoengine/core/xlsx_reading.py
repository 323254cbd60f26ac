"""Reading the first sheet of an XLSX file row by row, its cells as they would stand in a CSV file."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime, time
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.xml.constants import SHARED_STRINGS

from promoengine.core.csv_reading import UnreadableFile
from promoengine.core.xlsx_cells import Calendar, Texts, cells_of

# A file is packed: a few kilobytes may unfold into anything.
UNPACKED_MAX = 1 << 30
# What says how the sheets are called and look is read whole.
SURROUNDINGS_MAX = 1 << 25
# Of the texts that cells share; more go to the disk.
IN_MEMORY = 1 << 20


def read_xlsx(stream: BinaryIO, *, columns_max: int) -> Iterator[list[str]]:
    """Yield the rows of the first sheet as lists of cells, the header first; a formula gives its last result.

    However many rows and texts there are, only some megabytes of them are held, and nothing is read before
    it is asked for.

    Raises:
        UnreadableFile: it is no workbook, a protected one, or unfolds into far too much.
    """
    _check_size(stream)
    stream.seek(0)
    # What openpyxl warns of are styles and links, of which nothing is read.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = _rows(stream, columns_max)
        width = 0
        try:
            for row in rows:
                # Cells at the end that are left out are empty, as those between others are.
                width = width or len(row)
                yield [*map(_text, row), *[""] * (width - len(row))]
        except UnreadableFile:
            raise
        except Exception as error:
            # Zip, XML and openpyxl's own parsers let out whatever they say of a broken file.
            raise UnreadableFile("The workbook is damaged: save it anew, or as CSV") from error


class _Archive(ZipFile):
    """A workbook's parts, of which none that is far too large is read whole."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        if self.getinfo(str(name)).file_size > SURROUNDINGS_MAX:
            raise UnreadableFile("The workbook unfolds into too much: save it as CSV")
        return super().read(name, pwd)


def _rows(stream: BinaryIO, columns_max: int) -> Iterator[list[Any]]:
    with ExitStack() as open_parts:
        book = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
        book.archive = open_parts.enter_context(_Archive(stream))
        book.read_manifest()
        book.read_workbook()
        apply_stylesheet(book.archive, book.wb)
        texts = None
        if (found := book.package.find(SHARED_STRINGS)) is not None:
            part = open_parts.enter_context(book.archive.open(found.PartName[1:]))
            texts = Texts(part, open_parts.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY)))
        sheet = open_parts.enter_context(book.archive.open(_first_sheet(book)))
        yield from cells_of(sheet, texts, Calendar.of(book.wb), columns_max=columns_max)


def _first_sheet(book: ExcelReader) -> str:
    for _, related in book.parser.find_sheets():
        if "chartsheet" not in related.Type and related.target in book.valid_files:
            return str(related.target)
    raise UnreadableFile("The workbook has no sheet of cells")


def _check_size(stream: BinaryIO) -> None:
    try:
        with ZipFile(stream) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except BadZipFile as error:
        raise UnreadableFile("The workbook is damaged: save it anew, or as CSV") from error
    # What is read of an entry never exceeds the size it states.
    if size > UNPACKED_MAX:
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
