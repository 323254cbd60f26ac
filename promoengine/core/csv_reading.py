"""Reading the CSV files people really have: any common delimiter and encoding, quoted line breaks, a BOM."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from promoengine.core.errors import DomainError

DELIMITERS = ",;\t|"
CHUNK = 1 << 16
LINE_MAX = 1 << 20
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class UnreadableFile(DomainError):
    """An upload that is no table with a header; the details say why."""

    key = "invalid_csv"
    message = "Invalid CSV"


def read_csv(stream: BinaryIO) -> Iterator[list[str]]:
    """Yield the records of a CSV file as lists of cells, the header first, blank ones as empty lists.

    Only some kilobytes are held at a time. A NUL becomes a replacement character, which no code may have.

    Raises:
        UnreadableFile: it is not text, or its quotes are not closed.
    """
    text = io.TextIOWrapper(stream, encoding=_encoding(stream), errors="replace", newline="")
    try:
        delimiter = _delimiter(text.readline(LINE_MAX))
        text.seek(0)
        reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
        try:
            yield from reader
        except csv.Error as error:
            raise UnreadableFile(f"Line {reader.line_num}: {error}") from error
    finally:
        # Else the file would be closed together with its wrapper.
        if not stream.closed:
            text.detach()


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LINE_MAX):
        if len(line) == LINE_MAX:
            raise UnreadableFile("A line is longer than a million characters")
        yield line.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _encoding(stream: BinaryIO) -> str:
    """Return the encoding: what a BOM says, else UTF-8, else what Western spreadsheets write."""
    stream.seek(0)
    start = stream.read(CHUNK)
    by_bom = next((name for bom, name in BOMS.items() if start.startswith(bom)), None)
    if by_bom is None and b"\x00" in start:
        raise UnreadableFile("The file is not text")
    encoding = by_bom or ("utf-8" if _is_utf8(stream, start) else "cp1252")
    stream.seek(0)
    return encoding


def _is_utf8(stream: BinaryIO, start: bytes) -> bool:
    decoder, chunk = codecs.getincrementaldecoder("utf-8")(), start
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = stream.read(CHUNK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(header: str) -> str:
    """Return the delimiter that the header line has most of."""
    return max(DELIMITERS, key=header.count)
