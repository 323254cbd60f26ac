"""Patterns: how codes are made, how many there can be, and how hard one is to guess."""

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from vouchers.check_characters import check_character
from vouchers.codes import CODE_MAX, InvalidCode, check_code
from vouchers.words import holds_word

DEFAULT_LENGTH = 8
DEFAULT_CHARSET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Without 0/O, 1/I/L and vowels that could spell words: for people who read codes from paper.
LEGIBLE_CHARSET = "23456789BCDFGHJKMNPQRSTVWXYZ"
PLACE = "#"
# How often codes may be made anew because all of them hold a word.
WORDY_ROUNDS = 20


class InvalidCodeConfig(DomainError):
    key = "invalid_code_config"
    message = "Invalid code config"


@dataclass(frozen=True)
class CodePattern:
    """How codes are made: each `#` of `pattern` becomes a random character, the rest stays.

    With `has_check`, a character follows that tells most slips of the pen; with `avoids_words`, no code holds
    a word that nobody wants to read on their voucher.
    """

    pattern: str
    charset: str
    prefix: str = ""
    postfix: str = ""
    has_check: bool = False
    avoids_words: bool = False

    @property
    def places(self) -> int:
        """How many characters of a code are random."""
        return self.pattern.count(PLACE)

    def capacity(self, project: Project) -> int:
        """Return how many codes there can be that the project tells apart."""
        told_apart = self.charset if project.case_sensitive_codes else self.charset.upper()
        return len(set(told_apart)) ** self.places

    def guess_bits(self, project: Project, count: int) -> float:
        """Return how hard it is to hit any of `count` codes by one guess: 1 in 2 to the power of this."""
        return max(0.0, math.log2(self.capacity(project)) - math.log2(max(count, 1)))

    def generate(self, count: int) -> list[str]:
        """Return `count` random codes; two of them may be equal.

        Raises:
            InvalidCodeConfig: hardly any code is without a word to avoid.
        """
        if not self.avoids_words:
            return list(self._codes(count))
        found: list[str] = []
        for _ in range(WORDY_ROUNDS):
            found += [code for code in self._codes(count - len(found)) if not holds_word(code)]
            if len(found) == count:
                return found
        raise InvalidCodeConfig(f"Hardly any code of {self.pattern} is free of words to avoid")

    def to_wire(self) -> dict[str, Any]:
        """Return the published `code_config`; our own two properties stand there only where they are set."""
        wire: dict[str, Any] = {"length": self.places, "charset": self.charset, "pattern": self.pattern}
        said = {
            "prefix": self.prefix,
            "postfix": self.postfix,
            "check_character": self.has_check,
            "avoid_words": self.avoids_words,
        }
        return wire | {name: value for name, value in said.items() if value}

    def _codes(self, count: int) -> Iterator[str]:
        runs = [_slices(random_characters(self.charset, count * length), length) for length in self._runs]
        if not self.has_check:
            return map(self._template.__mod__, zip(*runs, strict=True))
        return (
            self._template % (*parts, check_character(self.charset, "".join(parts)))
            for parts in zip(*runs, strict=True)
        )

    @cached_property
    def _runs(self) -> list[int]:
        """How many places follow each other without anything fixed between them."""
        return [len(run) for run in re.findall(f"{PLACE}+", self.pattern)]

    @cached_property
    def _template(self) -> str:
        prefix, pattern, postfix = (
            text.replace("%", "%%") for text in (self.prefix, self.pattern, self.postfix)
        )
        filled = re.sub(f"{PLACE}+", "%s", pattern)
        return f"{prefix}{filled}{'%s' if self.has_check else ''}{postfix}"


def parse_code_config(wire: Any) -> CodePattern:
    """Read the wire's `code_config`: `pattern` overrides `length`, prefix and postfix go around.

    Raises:
        InvalidCodeConfig: no random place, an empty or doubled charset, or codes that would be too long.
    """
    if not isinstance(wire or {}, Mapping):
        raise InvalidCodeConfig("Property .code_config should be object")
    wire = {key: value for key, value in (wire or {}).items() if value is not None}
    pattern = CodePattern(
        pattern=_text(wire, "pattern", "") or PLACE * _length(wire),
        charset=_text(wire, "charset", DEFAULT_CHARSET),
        prefix=_text(wire, "prefix", ""),
        postfix=_text(wire, "postfix", ""),
        has_check=_flag(wire, "check_character"),
        avoids_words=_flag(wire, "avoid_words"),
    )
    _check(pattern)
    return pattern


def random_characters(charset: str, count: int) -> str:
    """Return `count` characters of `charset` from the system's cryptographic randomness, all as likely."""
    size = len(charset)
    # Bytes beyond the last whole multiple would make the first characters likelier than the others.
    unfair = bytes(range(256 - 256 % size, 256))
    indexes = bytes(byte % size for byte in range(256))
    found = b""
    while len(found) < count:
        found += os.urandom(count - len(found)).translate(indexes, unfair)
    return found.decode("latin-1").translate(dict(enumerate(charset)))


def _check(pattern: CodePattern) -> None:
    charset = pattern.charset
    if not charset or len(set(charset)) != len(charset):
        raise InvalidCodeConfig("Property .code_config.charset needs at least one character, each once")
    if len(charset) > 256:
        raise InvalidCodeConfig("Property .code_config.charset may have up to 256 characters")
    if PLACE not in pattern.pattern:
        raise InvalidCodeConfig(f"Property .code_config.pattern needs at least one {PLACE}")
    if pattern.has_check and len(charset) % 2:
        raise InvalidCodeConfig(
            "Property .code_config.check_character needs a charset with an even number of characters; "
            f"this one has {len(charset)}"
        )
    try:
        check_code(pattern.generate(1)[0])
        check_code("x".join(charset) + "x")
    except InvalidCode as error:
        raise InvalidCodeConfig(error.details) from error


def _text(wire: Mapping[str, Any], name: str, default: str) -> str:
    text = wire.get(name, default)
    if not isinstance(text, str):
        raise InvalidCodeConfig(f"Property .code_config.{name} should be string")
    return text


def _flag(wire: Mapping[str, Any], name: str) -> bool:
    flag = wire.get(name, False)
    if not isinstance(flag, bool):
        raise InvalidCodeConfig(f"Property .code_config.{name} should be boolean")
    return flag


def _length(wire: Mapping[str, Any]) -> int:
    length = wire.get("length", DEFAULT_LENGTH)
    if isinstance(length, bool) or not isinstance(length, int | float) or int(length) != length:
        raise InvalidCodeConfig("Property .code_config.length should be a whole number")
    if not 1 <= length <= CODE_MAX:
        raise InvalidCodeConfig(f"Property .code_config.length should be between 1 and {CODE_MAX}")
    return int(length)


def _slices(text: str, length: int) -> Iterable[str]:
    if length == 1:
        return text
    return (text[at : at + length] for at in range(0, len(text), length))
