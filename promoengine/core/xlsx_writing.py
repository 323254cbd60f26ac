"""Writing XLSX files row by row: however many rows there are, only one of them is held."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import IO
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

# What a sheet may hold.
ROWS_A_SHEET = 1_048_576
# A sheet of 2 GiB would need an extension of ZIP files that spreadsheets complain about.
BYTES_A_SHEET = 3 << 29
CHARACTERS_A_CELL = 32_767
ROWS_AT_ONCE = 500

Value = str | int | float | bool | None

# XML has no way to say them.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What spreadsheets read as one character, by its number.
NUMBERED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class Style(StrEnum):
    """How the numbers of a column are shown: as they are, or as days since 1899-12-30."""

    PLAIN = "0"
    MOMENT = "1"
    DAY = "2"


def write_xlsx(
    file: IO[bytes],
    name: str,
    titles: Sequence[str],
    styles: Sequence[Style],
    rows: Iterable[Sequence[Value]],
) -> None:
    """Write rows below a line of titles; what does not fit on a sheet goes on another, below the same titles.

    What follows the 32,767th character of a cell, and characters that XML does not know, are left out.
    """
    numbers = [f'<c s="{style}"><v>' if style != Style.PLAIN else "<c><v>" for style in styles]
    left, count = iter(rows), 0
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        first: list[Sequence[Value]] = []
        while first or not count:
            count += 1
            with archive.open(f"xl/worksheets/sheet{count}.xml", "w") as sheet:
                _write_sheet(sheet, titles, numbers, chain(first, left))
            first = [row for row in [next(left, None)] if row is not None]
        for path, text in _surroundings(name, count):
            archive.writestr(path, DECLARATION + text)


def _write_sheet(
    sheet: IO[bytes], titles: Sequence[str], numbers: Sequence[str], rows: Iterator[Sequence[Value]]
) -> None:
    sheet.write(f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
    waiting, written, size = [_row(titles, numbers)], 1, 0
    while written < ROWS_A_SHEET and size < BYTES_A_SHEET and (row := next(rows, None)) is not None:
        waiting.append(_row(row, numbers))
        written += 1
        if len(waiting) == ROWS_AT_ONCE:
            size += sheet.write("".join(waiting).encode())
            waiting.clear()
    sheet.write("".join([*waiting, "</sheetData></worksheet>"]).encode())


def _row(values: Sequence[Value], numbers: Sequence[str]) -> str:
    return f"<row>{''.join(map(_cell, values, numbers))}</row>"


def _cell(value: Value, number: str) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{_text(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    return f"{number}{value}</v></c>"


def _text(value: str) -> str:
    if "_x" in value:
        value = NUMBERED.sub("_x005F_", value)
    if not value.isprintable():
        value = UNSPEAKABLE.sub("", value)
    return escape(value[:CHARACTERS_A_CELL], {"\r": "&#13;"})


def _surroundings(name: str, count: int) -> Iterator[tuple[str, str]]:
    """Yield the paths and texts of what a spreadsheet's file has besides its sheets."""
    numbers = range(1, count + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(name if number == 1 else f"{name} {number}")} sheetId="{number}"'
        f' r:id="rId{number}"/>'
        for number in numbers
    )
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>',
    )
    related = "".join(
        _relationship(number, "worksheet", f"worksheets/sheet{number}.xml") for number in numbers
    )
    related += _relationship(count + 1, "styles", "styles.xml")
    yield "xl/_rels/workbook.xml.rels", _relationships(related)
    yield "_rels/.rels", _relationships(_relationship(1, "officeDocument", "xl/workbook.xml"))
    yield "xl/styles.xml", _styles()
    parts = "".join(_part(f"worksheets/sheet{number}.xml", "worksheet") for number in numbers)
    yield (
        "[Content_Types].xml",
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{_part('workbook.xml', 'sheet.main')}{_part('styles.xml', 'styles')}{parts}</Types>",
    )


def _styles() -> str:
    """Return the sheet of styles: after the plain one, of moments and of days."""
    return (
        f'<styleSheet xmlns="{MAIN}">'
        '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm:ss"/>'
        '<numFmt numFmtId="165" formatCode="yyyy-mm-dd"/></numFmts>'
        '<fonts count="1"><font/></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="3"><xf xfId="0"/><xf numFmtId="164" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="165" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _relationship(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'


def _relationships(text: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}/relationships">{text}</Relationships>'


def _part(path: str, kind: str) -> str:
    return f'<Override PartName="/xl/{path}" ContentType="{SHEET_TYPE}.{kind}+xml"/>'
