"""Tables as people upload them: CSV of any make, and workbooks."""

import contextlib
import io
import re
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from promoengine.core import csv_reading, tables, xlsx_reading
from promoengine.core.csv_reading import UnreadableFile
from promoengine.core.tables import read_rows, read_table

TYPE_OF_TEXTS = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHARED_STRINGS}"/>'


def rows_of(content):
    return [(row.number, row.cells) for row in read_rows(io.BytesIO(content))]


def workbook(*rows):
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        "Code,Name\nA,Zoë\n".encode(),
        "\ufeffCode,Name\nA,Zoë\n".encode(),
        "Code;Name\r\nA;Zoë\r\n".encode("cp1252"),
        "Code\tName\nA\tZoë".encode("latin-1"),
        "Code|Name\nA|Zoë\n".encode("utf-16"),
        "\ufeffCode,Name\nA,Zoë\n".encode("utf-16-le"),
        "\ufeffCode,Name\nA,Zoë\n".encode("utf-16-be"),
        workbook(["Code", "Name"], ["A", "Zoë"]),
    ],
)
def test_any_common_encoding_delimiter_and_end_of_line(content):
    assert rows_of(content) == [(2, {"Code": "A", "Name": "Zoë"})]


def test_rows_have_the_numbers_a_spreadsheet_shows():
    content = b'Code,Note\n\nA,"two\nlines, and a ""quote"""\n,\n  ,\nB,;\n'

    assert rows_of(content) == [
        (3, {"Code": "A", "Note": 'two\nlines, and a "quote"'}),
        (6, {"Code": "B", "Note": ";"}),
    ]


def test_a_late_character_beyond_utf8_makes_the_whole_file_western(monkeypatch):
    monkeypatch.setattr(csv_reading, "CHUNK", 16)
    content = b"Code,Name\n" + b"A,x\n" * 50 + "B,Zoë\n".encode("cp1252")

    assert rows_of(content)[-1] == (52, {"Code": "B", "Name": "Zoë"})


def test_a_character_cut_by_the_end_of_a_chunk_is_read_whole(monkeypatch):
    for size in range(10, 20):
        monkeypatch.setattr(csv_reading, "CHUNK", size)
        assert rows_of("Code,Name\nA,ZoëZoë\n".encode()) == [(2, {"Code": "A", "Name": "ZoëZoë"})]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The first line must name the columns"),
        (b"\n\nA\n", "The first line must name the columns"),
        (b" , \nA,B\n", "The first line must name the columns"),
        (b"Code,Code\nA,B\n", "Columns named twice: Code"),
        (b"\x89PNG\x00\x00", "The file is not text"),
        (b'Code\n"A\nB\nC\n', "unexpected end of data"),
        (b'Code\n"A"x\n', "expected after"),
        (b"x" * (1 << 20), "longer than a million characters"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or protected workbook"),
        (b"PK\x03\x04 no workbook", "The workbook is damaged"),
        (",".join(f"c{number}" for number in range(501)).encode(), "up to 500 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(content, says):
    with pytest.raises(UnreadableFile, match=says):
        rows_of(content)


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(tables, "ROWS_MAX", 3)

    assert len(rows_of(b"Code\nA\nB\nC\n")) == 3
    with pytest.raises(UnreadableFile, match="up to 3 rows"):
        rows_of(b"Code\nA\nB\nC\nD\n")


def test_a_header_alone_has_no_rows():
    assert rows_of(b"Code,Name\n") == []


def test_short_and_long_records_and_nameless_columns():
    table = read_table(io.BytesIO(b"Code,,Name,\nA\nB,x,y,z,w\n"))

    assert table.columns == ["Code", "", "Name"]
    assert [line.cells for line in table.lines] == [["A"], ["B", "x", "y", "z", "w"]]


def test_cells_of_a_workbook_read_as_people_see_them():
    # Cells have no zone.
    moments = [datetime.fromisoformat("2026-01-31T12:30"), datetime.fromisoformat("2026-01-31")]
    content = workbook(
        ["a", "b", "c", "d", "e", "f", "g"],
        [12345678901234, 12.0, 19.99, True, None, 0.1 + 0.2, "=1+1"],
        [*moments, date(2026, 2, 1), "00123", "", " x ", -3],
    )

    first, second = (list(cells.values()) for _, cells in rows_of(content))

    # A formula that no spreadsheet has worked out has no value.
    assert first == ["12345678901234", "12", "19.99", "true", "", "0.3", ""]
    assert second == ["2026-01-31T12:30:00", "2026-01-31", "2026-02-01", "00123", "", " x ", "-3"]


def test_the_last_result_of_a_formula_counts():
    content = edited(workbook(["Code"], ["=1+1"]), "<v></v>", "<v>2</v>")

    assert rows_of(content) == [(2, {"Code": "2"})]


@pytest.mark.parametrize(
    ("limit", "name"), [("UNPACKED_MAX", "any.xml"), ("SURROUNDINGS_MAX", "[Content_Types].xml")]
)
def test_a_workbook_that_unfolds_into_too_much_is_refused(monkeypatch, limit, name):
    monkeypatch.setattr(xlsx_reading, limit, 1_000_000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, "A" * 1_000_001)
    content = file.getvalue()
    assert len(content) < 5000

    with pytest.raises(UnreadableFile, match="unfolds into too much"):
        rows_of(content)


@pytest.mark.parametrize(
    "damage",
    [
        ("<sheetData>", '<!DOCTYPE x [<!ENTITY a "b">]><sheetData>'),
        ("<sheetData>", "<sheetData"),
        ('r="A2"', 'r="A99999999999999999999"'),
        ('t="inlineStr"', 't="s"'),
        ('t="inlineStr"', 't="d"'),
    ],
)
def test_a_damaged_workbook_is_refused_or_read_and_never_breaks(damage):
    content = edited(workbook(["Code"], ["A"], ["B"]), *damage)

    with contextlib.suppress(UnreadableFile):
        rows_of(content)


def test_a_cell_far_below_does_not_make_millions_of_rows(monkeypatch):
    monkeypatch.setattr(tables, "ROWS_MAX", 100)
    content = edited(workbook(["Code"], ["A"]), '<row r="2"', '<row r="1000000000"')

    with pytest.raises(UnreadableFile, match="up to 100 rows"):
        rows_of(content)


def shared(texts, cells):
    """Return a workbook with shared texts, given as XML, one column of whose rows names them by number."""
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" t="s"><v>{number}</v></c></row>'
        for row, number in enumerate(cells, start=1)
    )
    content = edited(
        workbook(["Code"]), re.compile("<sheetData>.*</sheetData>"), f"<sheetData>{rows}</sheetData>"
    )
    content = edited(content, "</Types>", f"{TYPE_OF_TEXTS}</Types>", part="[Content_Types].xml")
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        items = "".join(f"<si>{text}</si>" for text in texts)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEET_MAIN_NS}">{items}</sst>')
    return file.getvalue()


def test_texts_that_cells_share_are_found_in_any_order():
    texts = [f"<t>T{number}</t>" for number in range(5000)]
    order = [0, 4999, 1, 2500, 2500, 4998, 0, 3]

    found = [cells for _, cells in rows_of(shared(texts, order))]

    assert found == [{"T0": f"T{number}"} for number in order[1:]]


def test_a_shared_text_is_all_its_runs_without_how_it_is_pronounced():
    texts = [
        "<t>Code</t>",
        '<r><rPr><b/></rPr><t>東</t></r><r><t> 京</t></r><rPh sb="0" eb="1"><t>とう</t></rPh>',
        "<t>a_x005F_x0041_</t>",
        "<t></t>",
        "<t>last</t>",
    ]

    assert rows_of(shared(texts, [0, 1, 2, 3, 4])) == [
        (2, {"Code": "東 京"}),
        (3, {"Code": "a_x0041_"}),
        (5, {"Code": "last"}),
    ]


@pytest.mark.parametrize("number", [2, -1, "x"])
def test_a_text_that_is_not_there_is_damage(number):
    with pytest.raises(UnreadableFile, match="damaged"):
        rows_of(shared(["<t>Code</t>", "<t>A</t>"], [0, number]))


def test_a_text_of_more_than_a_million_characters_is_refused():
    with pytest.raises(UnreadableFile, match="longer than a million characters"):
        rows_of(shared(["<t>Code</t>", f"<t>{'A' * 1_100_000}</t>"], [0, 1]))


def test_memory_does_not_grow_with_the_texts_of_a_workbook():
    count = 60_000
    content = shared([f"<t>CODE-{number:07}</t>" for number in range(count)], range(count))

    tracemalloc.start()
    try:
        last = None
        for row in read_rows(io.BytesIO(content)):
            last = row
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert last.cells == {"CODE-0000000": f"CODE-{count - 1:07}"}
    assert peak < 3_000_000


def edited(content, old, new, *, part="xl/worksheets/sheet1.xml"):
    """Return a workbook one part of which says something else."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            if name == part:
                text = text.decode().replace("<v />", "<v></v>").replace("<v/>", "<v></v>").encode()
                pattern = old if isinstance(old, re.Pattern) else re.compile(re.escape(old))
                said, count = pattern.subn(lambda _: new, text.decode())
                assert count, text
                text = said.encode()
            after.writestr(name, text)
    return made.getvalue()
