"""Codes: how they are compared, and what may stand in one."""

import unicodedata

from django.db.models.functions import Upper

from promoengine.core.errors import InvalidPayload
from promoengine.core.models import Project

CODE_MAX = 255
# Controls, surrogates, private use, unassigned, separators, pictographs and their modifiers: what a shopper
# can't type, a till can't print or two people can't compare.
UNFIT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "So", "Mn", "Me"})


class BareCode(Upper):
    """A code in upper case, without blanks and dashes, as the index of fragments has it.

    The signs to leave out stand in the SQL itself: a parameter would keep the index from being recognized.
    """

    template = "translate(upper(%(expressions)s), '- ', '')"


class InvalidCode(InvalidPayload):
    key = "invalid_voucher"
    message = "Invalid Voucher"


def code_key(project: Project, code: str) -> str:
    """Return the form of a code that look-ups compare: without blanks around, in the project's case."""
    trimmed = code.strip()
    return trimmed if project.case_sensitive_codes else trimmed.upper()


def bare_fragment(text: str) -> str:
    """Return what was typed without blanks and dashes of any kind, to be held against `BareCode`."""
    return "".join(sign for sign in text if unicodedata.category(sign) not in ("Zs", "Pd", "Cc", "Cf", "Cs"))


def typed_keys(project: Project, text: str) -> list[str]:
    """Return the keys of all codes that `text`, typed from paper, may be the whole of."""
    spaced = " ".join(text.split())
    dashed = "".join("-" if unicodedata.category(sign) in ("Zs", "Pd") else sign for sign in spaced)
    typed = [spaced, dashed, bare_fragment(spaced)]
    cased = [*typed, *(one.upper() for one in typed), *(one.lower() for one in typed)]
    return list(dict.fromkeys(code_key(project, one) for one in cased))


def check_code(code: str) -> str:
    """Return a code as it is stored, without blanks around it.

    Raises:
        InvalidCode: it is empty, too long, or holds control characters, pictographs or line breaks.
    """
    trimmed = code.strip()
    if not trimmed:
        raise InvalidCode("A code may not be empty")
    # What is compared may be longer than what is shown: the upper case of ß is SS.
    if max(len(trimmed), len(trimmed.upper())) > CODE_MAX:
        raise InvalidCode(f"A code may have up to {CODE_MAX} characters")
    for character in trimmed:
        if character != " " and unicodedata.category(character) in UNFIT:
            raise InvalidCode(f"A code may not contain the character {character!r}")
    return trimmed
