"""Codes: how they are compared, what may stand in one, and how they are made."""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.models import Project

DEFAULT_LENGTH = 8
DEFAULT_CHARSET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Without 0/O, 1/I/L and vowels that could spell words: for people who read codes from paper.
LEGIBLE_CHARSET = "23456789BCDFGHJKMNPQRSTVWXYZ"
CODE_MAX = 255
PLACE = "#"
# Controls, surrogates, private use, unassigned, separators, pictographs and their modifiers: what a shopper
# can't type, a till can't print or two people can't compare.
UNFIT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "So", "Mn", "Me"})


class InvalidCode(InvalidPayload):
    key = "invalid_voucher"
    message = "Invalid Voucher"


class InvalidCodeConfig(DomainError):
    key = "invalid_code_config"
    message = "Invalid code config"


def code_key(project: Project, code: str) -> str:
    """Return the form of a code that look-ups compare: without blanks around, in the project's case."""
    trimmed = code.strip()
    return trimmed if project.case_sensitive_codes else trimmed.upper()


def check_code(code: str) -> str:
    """Return a code as it is stored, without blanks around it.

    Raises:
        InvalidCode: it is empty, too long, or holds control characters, pictographs or line breaks.
    """
    trimmed = code.strip()
    if not trimmed:
        raise InvalidCode("A code may not be empty")
    if len(trimmed) > CODE_MAX:
        raise InvalidCode(f"A code may have up to {CODE_MAX} characters")
    for character in trimmed:
        if character != " " and unicodedata.category(character) in UNFIT:
            raise InvalidCode(f"A code may not contain the character {character!r}")
    return trimmed


@dataclass(frozen=True, slots=True)
class CodePattern:
    """How codes are made: each `#` of `pattern` becomes a random character, the rest stays."""

    pattern: str
    charset: str
    prefix: str = ""
    postfix: str = ""

    @property
    def capacity(self) -> int:
        """How many different codes there can be."""
        return len(self.charset) ** self.pattern.count(PLACE)

    def generate(self, count: int) -> list[str]:
        """Return `count` random codes; two of them may be equal."""
        places = self.pattern.count(PLACE)
        characters = random_characters(self.charset, count * places)
        return [self._fill(characters[at : at + places]) for at in range(0, count * places, places)]

    def _fill(self, characters: str) -> str:
        rest = iter(characters)
        filled = "".join(next(rest) if character == PLACE else character for character in self.pattern)
        return f"{self.prefix}{filled}{self.postfix}"

    def to_wire(self) -> dict[str, Any]:
        wire = {"length": self.pattern.count(PLACE), "charset": self.charset, "pattern": self.pattern}
        if self.prefix:
            wire["prefix"] = self.prefix
        if self.postfix:
            wire["postfix"] = self.postfix
        return wire


def parse_code_config(wire: Any) -> CodePattern:
    """Read the wire's `code_config`: `pattern` overrides `length`, prefix and postfix go around.

    Raises:
        InvalidCodeConfig: no random place, an empty or doubled charset, or codes that would be too long.
    """
    if not isinstance(wire or {}, Mapping):
        raise InvalidCodeConfig("Property .code_config should be object")
    wire = {key: value for key, value in (wire or {}).items() if value is not None}
    charset = wire.get("charset", DEFAULT_CHARSET)
    pattern = wire.get("pattern") or PLACE * _length(wire)
    prefix, postfix = wire.get("prefix", ""), wire.get("postfix", "")
    for name, text in (("charset", charset), ("pattern", pattern), ("prefix", prefix), ("postfix", postfix)):
        if not isinstance(text, str):
            raise InvalidCodeConfig(f"Property .code_config.{name} should be string")
    made = CodePattern(pattern, charset, prefix, postfix)
    if not charset or len(set(charset)) != len(charset):
        raise InvalidCodeConfig("Property .code_config.charset needs at least one character, each once")
    if len(charset) > 256:
        raise InvalidCodeConfig("Property .code_config.charset may have up to 256 characters")
    if PLACE not in pattern:
        raise InvalidCodeConfig(f"Property .code_config.pattern needs at least one {PLACE}")
    try:
        check_code(made.generate(1)[0])
        check_code("x".join(charset) + "x")
    except InvalidCode as error:
        raise InvalidCodeConfig(error.details) from error
    return made


def random_characters(charset: str, count: int) -> str:
    """Return `count` characters of `charset` from the system's cryptographic randomness, all as likely."""
    fair = 256 - 256 % len(charset)
    found: list[str] = []
    while len(found) < count:
        found.extend(charset[byte % len(charset)] for byte in os.urandom(count - len(found)) if byte < fair)
    return "".join(found)


def _length(wire: Mapping[str, Any]) -> int:
    length = wire.get("length", DEFAULT_LENGTH)
    if isinstance(length, bool) or not isinstance(length, int | float) or int(length) != length:
        raise InvalidCodeConfig("Property .code_config.length should be a whole number")
    if not 1 <= length <= CODE_MAX:
        raise InvalidCodeConfig(f"Property .code_config.length should be between 1 and {CODE_MAX}")
    return int(length)
