"""The cells of a workbook's sheet, and the texts that its sheets share, read as a stream of XML."""

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from xml.parsers.expat import ParserCreate

from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.workbook import Workbook

from promoengine.core.csv_reading import UnreadableFile

BYTES_AT_ONCE = 1 << 16
TEXT_MAX = 1 << 20
# Texts are put away so many together, or fewer that have so many characters.
TEXTS_A_BLOCK, CHARACTERS_A_BLOCK = 256, 1 << 16
BLOCKS_AT_HAND = 32
# XML can't say it, so no text has it.
BETWEEN = "\x00"
COLUMN = re.compile("[A-Z]{1,3}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which styles show a number as a moment, or as a duration, and the day from which days are counted."""

    epoch: datetime
    moments: frozenset[int]
    durations: frozenset[int]

    @classmethod
    def of(cls, book: Workbook) -> "Calendar":
        """Return the calendar of a workbook whose styles have been read."""
        durations = getattr(book, "_timedelta_formats", ())
        return cls(book.epoch, frozenset(book._date_formats), frozenset(durations))

    def value(self, number: float, style: int) -> Any:
        """Return what a spreadsheet shows for a number, which is an error where there is no such day."""
        if style not in self.moments:
            return number
        try:
            return from_excel(number, self.epoch, timedelta=style in self.durations)
        except (OverflowError, ValueError):
            return "#VALUE!"


class Texts:
    """The texts that cells name by their number: read as far as they are asked for, and kept in `file`."""

    def __init__(self, part: IO[bytes], file: IO[bytes]) -> None:
        self._part, self._parser = part, ParserCreate(namespace_separator=" ")
        self._spelling = _Spelling(self._parser)
        self._parser.EndElementHandler = self._end
        self._file = file
        self._firsts, self._places = [0], [0]
        self._open: list[str] = []
        self._open_size = self._count = 0
        self._at_hand: OrderedDict[int, list[str]] = OrderedDict()

    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise IndexError("There is no such text")
        while number >= self._count:
            self._read_on()
        first = self._firsts[-1]
        if number >= first:
            return self._open[number - first]
        block = bisect_right(self._firsts, number) - 1
        return self._block(block)[number - self._firsts[block]]

    def _read_on(self) -> None:
        part = self._part.read(BYTES_AT_ONCE)
        self._parser.Parse(part, not part)
        if not part:
            raise IndexError("There is no such text")

    def _end(self, name: str) -> None:
        self._spelling.end(name)
        if _local(name) != "si":
            return
        # What a workbook writes for _ before an x and four digits.
        text = self._spelling.take().replace("x005F_", "")
        self._open.append(text)
        self._open_size += len(text)
        self._count += 1
        if len(self._open) == TEXTS_A_BLOCK or self._open_size >= CHARACTERS_A_BLOCK:
            self._put_away()

    def _put_away(self) -> None:
        self._file.seek(self._places[-1])
        size = self._file.write(BETWEEN.join(self._open).encode("utf-8", "surrogatepass"))
        self._places.append(self._places[-1] + size)
        self._firsts.append(self._count)
        self._remember(len(self._firsts) - 2, self._open)
        self._open, self._open_size = [], 0

    def _block(self, block: int) -> list[str]:
        if block in self._at_hand:
            self._at_hand.move_to_end(block)
            return self._at_hand[block]
        start, end = self._places[block : block + 2]
        self._file.seek(start)
        texts = self._file.read(end - start).decode("utf-8", "surrogatepass").split(BETWEEN)
        self._remember(block, texts)
        return texts

    def _remember(self, block: int, texts: list[str]) -> None:
        self._at_hand[block] = texts
        if len(self._at_hand) > BLOCKS_AT_HAND:
            self._at_hand.popitem(last=False)


def cells_of(
    sheet: IO[bytes], texts: Texts | None, calendar: Calendar, *, columns_max: int
) -> Iterator[list[Any]]:
    """Yield the rows of a sheet, each as far as it has cells; those that are left out are empty.

    Raises:
        UnreadableFile: a cell is far too long.
        ExpatError, ValueError, IndexError, OverflowError, TypeError: the sheet is damaged.
    """
    reader = _SheetReader(texts, calendar, columns_max)
    number = 0
    while part := sheet.read(BYTES_AT_ONCE):
        reader.feed(part)
        for place, cells in reader.take():
            if place <= number:
                raise ValueError("Rows are out of order")
            for _ in range(number + 1, place):
                yield []
            yield cells
            number = place
    reader.feed(b"", is_last=True)


class _Spelling:
    """The text of the `t` elements of one item, but for what says how it is pronounced."""

    def __init__(self, parser: Any) -> None:
        self._said: list[str] = []
        self._size = self._aside = 0
        self._is_text = False
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.CharacterDataHandler = self.read
        parser.StartDoctypeDeclHandler = _refuse_doctype

    def start(self, name: str, _: Any = None) -> None:
        local = _local(name)
        if local == "rPh":
            self._aside += 1
        self._is_text = local in ("t", "v") and not self._aside

    def end(self, name: str) -> None:
        if _local(name) == "rPh":
            self._aside -= 1
        self._is_text = False

    def read(self, characters: str) -> None:
        if not self._is_text:
            return
        self._size += len(characters)
        if self._size > TEXT_MAX:
            raise UnreadableFile("A cell is longer than a million characters")
        self._said.append(characters)

    def take(self) -> str:
        """Return what was said since the last time."""
        text = "".join(self._said)
        self._said.clear()
        self._size = 0
        return text


class _SheetReader:
    """Takes a sheet's XML bit by bit and gives the rows that are whole."""

    def __init__(self, texts: Texts | None, calendar: Calendar, columns_max: int) -> None:
        self._texts, self._calendar, self._columns_max = texts, calendar, columns_max
        self._parser = ParserCreate(namespace_separator=" ")
        self._spelling = _Spelling(self._parser)
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._rows: list[tuple[int, list[Any]]] = []
        self._cells: list[Any] = []
        self._row = self._column = 0
        self._cell: dict[str, str] = {}

    def feed(self, part: bytes, *, is_last: bool = False) -> None:
        self._parser.Parse(part, is_last)

    def take(self) -> list[tuple[int, list[Any]]]:
        """Return the rows that came to an end since the last time, each with its number."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local == "c":
            self._cell = attributes
            place = attributes.get("r")
            self._column = _column(place) if place else self._column + 1
        elif local == "row":
            self._row = int(float(attributes["r"])) if "r" in attributes else self._row + 1
            self._cells, self._column = [], 0
        self._spelling.start(name)

    def _end(self, name: str) -> None:
        self._spelling.end(name)
        local = _local(name)
        if local == "c":
            self._put(self._spelling.take())
        elif local == "row":
            self._rows.append((self._row, self._cells))

    def _put(self, said: str) -> None:
        if not said or self._column > self._columns_max:
            return
        missing = self._column - 1 - len(self._cells)
        if missing < 0:
            raise ValueError("Cells are out of order")
        self._cells += [None] * missing
        self._cells.append(self._value(said))

    def _value(self, said: str) -> Any:
        match self._cell.get("t", "n"):
            case "n":
                number = float(said) if {".", "e", "E"} & set(said) else int(said)
                return self._calendar.value(number, int(self._cell.get("s", 0)))
            case "s":
                if self._texts is None:
                    raise IndexError("There are no texts")
                return self._texts[int(said)]
            case "b":
                return said in ("1", "true")
            case "d":
                return from_ISO8601(said)
        return said


def _column(place: str) -> int:
    letters = COLUMN.match(place)
    if letters is None:
        raise ValueError(f"There is no cell {place}")
    return int(column_index_from_string(letters.group()))


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse_doctype(*_: Any) -> None:
    raise UnreadableFile("The workbook is damaged: save it anew, or as CSV")
