"""Single cells of a table of codes: what is written in one, or why it can't be meant."""

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime

from campaigns.services.terms import QUANTITY_MAX
from promoengine.core.errors import DomainError, InvalidPayload

BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,10})?", re.ASCII)
# In any zone, Python and Postgres can both hold them.
YEARS = range(1900, 9000)
NOTE_MAX = 10_000


class BadRow(DomainError):
    """A row that can't be imported; the details say why."""


def read_moment(text: str, column: str, zone: ZoneInfo) -> datetime:
    """Return a moment; a date is its midnight, and what names no zone is of `zone`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRow(f"{column} should be a date such as 2026-12-31, and is {text!r}") from error
    if moment.year not in YEARS:
        raise BadRow(f"{column} should be a date of our time, and is {text!r}")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def read_minor_units(text: str, column: str, places: int) -> int:
    """Return an amount that is written as on a price tag, in minor units; the currency has so many places."""
    number = read_number(text, column)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        raise BadRow(f"{column} should have up to {places} decimals, and is {text!r}")
    return int(number.scaleb(places))


def plain(number: Decimal) -> int | float:
    """Return a number as JSON has it, 10 rather than 10.0."""
    return int(number) if number == number.to_integral_value() else float(number)


def published_moment(text: str, name: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise InvalidPayload(f"Property .{name} should be an ISO 8601 date")
    if moment.year not in YEARS:
        raise InvalidPayload(f"Property .{name} should be a date of our time")
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("UTC"))


def read_boolean(text: str, column: str) -> bool:
    if text.lower() not in BOOLEANS:
        raise BadRow(f"{column} should be true or false, and is {text!r}")
    return BOOLEANS[text.lower()]


def read_limit(text: str, column: str) -> int:
    limit = read_whole(text, column, QUANTITY_MAX)
    if limit == 0:
        raise BadRow(f"{column} should be a whole number of at least 1, or empty")
    return limit


def read_count(text: str, column: str) -> int:
    return read_whole(text, column, QUANTITY_MAX)


def read_whole(text: str, column: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > most:
        raise BadRow(f"{column} should be a whole number, and is {text!r}")
    return int(text)


def read_number(text: str, column: str) -> Decimal:
    """Return a number as people write one, with a point or a comma before its decimals."""
    if not NUMBER.fullmatch(text):
        says = "0 or more" if text.startswith("-") else "a number such as 12.50"
        raise BadRow(f"{column} should be {says}, and is {text!r}")
    return Decimal(text.replace(",", "."))


def read_note(text: str, column: str) -> str:
    if len(text) > NOTE_MAX:
        raise BadRow(f"{column} may have up to {NOTE_MAX} characters")
    return text
