"""Codes: how they are compared, and what may stand in one."""

import unicodedata

from promoengine.core.errors import InvalidPayload
from promoengine.core.models import Project

CODE_MAX = 255
# Controls, surrogates, private use, unassigned, separators, pictographs and their modifiers: what a shopper
# can't type, a till can't print or two people can't compare.
UNFIT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "So", "Mn", "Me"})


class InvalidCode(InvalidPayload):
    key = "invalid_voucher"
    message = "Invalid Voucher"


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
