"""The logic of numbered conditions, as in `(1 and 2) or not 3`, with unknowns."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from promoengine.engine.checks import UNKNOWN, Truth, negation

TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)*)|((?:and|or|not)(?![a-z])|&&|\|\||!)|([()]))", re.IGNORECASE)
WORDS = {"&&": "and", "||": "or", "!": "not"}
LENGTH_MAX, DEPTH_MAX = 5000, 50

# It answers for a condition, and is told which answer would help the whole to hold.
TruthOf = Callable[[str, bool], Truth]


class InvalidLogic(ValueError):
    """A logic string that can't be read; the text says where."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The condition of that number."""

    key: str

    def judge(self, truth_of: TruthOf, *, wanted: bool = True) -> Truth:
        return truth_of(self.key, wanted)

    def blamed(self, truth_of: TruthOf, *, wanted: bool = True) -> Iterator[tuple[str, bool]]:
        """Yield the conditions that keep it from being `wanted`, each with what it ought to be."""
        if self.judge(truth_of, wanted=wanted) is not wanted:
            yield self.key, wanted

    def leaves(self) -> Iterator[str]:
        yield self.key


@dataclass(frozen=True, slots=True)
class Negation:
    part: "Logic"

    def judge(self, truth_of: TruthOf, *, wanted: bool = True) -> Truth:
        return negation(self.part.judge(truth_of, wanted=not wanted))

    def blamed(self, truth_of: TruthOf, *, wanted: bool = True) -> Iterator[tuple[str, bool]]:
        yield from self.part.blamed(truth_of, wanted=not wanted)

    def leaves(self) -> Iterator[str]:
        yield from self.part.leaves()


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts of which all must hold, or one; a part that is unknown decides nothing (Kleene's logic)."""

    is_and: bool
    parts: tuple["Logic", ...]

    def judge(self, truth_of: TruthOf, *, wanted: bool = True) -> Truth:
        found: Truth = self.is_and
        for part in self.parts:
            truth = part.judge(truth_of, wanted=wanted)
            if truth is UNKNOWN:
                found = UNKNOWN
            elif truth is not self.is_and:
                return truth
        return found

    def blamed(self, truth_of: TruthOf, *, wanted: bool = True) -> Iterator[tuple[str, bool]]:
        for part in self.parts:
            if part.judge(truth_of, wanted=wanted) is not wanted:
                yield from part.blamed(truth_of, wanted=wanted)

    def leaves(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.leaves()


Logic = Leaf | Negation | Junction


def all_of(keys: list[str]) -> Logic:
    """Return the logic of conditions that must all hold."""
    return Junction(True, tuple(Leaf(key) for key in keys))


def parse_logic(text: str, known: set[str]) -> Logic:
    """Read a logic string; `and` binds more tightly than `or`.

    Raises:
        InvalidLogic: it can't be read, or names a condition that is not among `known`.
    """
    if len(text) > LENGTH_MAX:
        raise InvalidLogic(f" may have up to {LENGTH_MAX} characters")
    reader = _Reader(list(_tokens(text)), known)
    logic = reader.alternatives(0)
    if reader.next is not None:
        raise InvalidLogic(f" is not clear at '{reader.next}'")
    return logic


class _Reader:
    def __init__(self, tokens: list[str], known: set[str]) -> None:
        self.tokens, self.known, self.at = tokens, known, 0

    @property
    def next(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def alternatives(self, depth: int) -> Logic:
        return self._joined("or", self._conjunction, depth)

    def _conjunction(self, depth: int) -> Logic:
        return self._joined("and", self._term, depth)

    def _joined(self, word: str, read: Callable[[int], Logic], depth: int) -> Logic:
        parts = [read(depth)]
        while self.next == word:
            self.at += 1
            parts.append(read(depth))
        return parts[0] if len(parts) == 1 else Junction(word == "and", tuple(parts))

    def _term(self, depth: int) -> Logic:
        if depth > DEPTH_MAX:
            raise InvalidLogic(f" is nested more than {DEPTH_MAX} deep")
        token = self.next
        self.at += 1
        if token == "not":
            return Negation(self._term(depth + 1))
        if token == "(":
            inner = self.alternatives(depth + 1)
            if self.next != ")":
                raise InvalidLogic(" has a bracket that is not closed")
            self.at += 1
            return inner
        if token is None or not token[0].isdigit():
            where = f"before {token!r}" if token else "at its end"
            raise InvalidLogic(f" lacks a condition's number {where}")
        if token not in self.known:
            raise InvalidLogic(f" names condition {token}, which is not among the rules")
        return Leaf(token)


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if found is None:
            raise InvalidLogic(f" can't be read at '{text[at : at + 20].strip()}'")
        number, word, bracket = found.groups()
        yield number or bracket or WORDS.get(word, word.lower())
        at = found.end()
