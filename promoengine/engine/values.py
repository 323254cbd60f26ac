"""What a JSON value means when it is compared: a number, a date, or a text."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

# No leading zeros: "007" and the postal code "01234" are texts.
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9][0-9:.,+Z-]*)?")
DIGITS_MAX = 400  # more than any float has; what is larger would only cost time

Scalar = Decimal | str | date


def number_of(value: Any) -> Decimal | None:
    """Return a number, or a text that spells one, as an exact decimal; None for anything else.

    Booleans are not numbers, nor are NaN and infinity.
    """
    if type(value) is int and value.bit_length() <= 64:  # most are amounts and quantities
        return Decimal(value)
    if isinstance(value, str):
        if not NUMBER.fullmatch(value):
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    # repr, because 0.1 means a tenth and not the nearest binary fraction
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > DIGITS_MAX:
        return None if number else Decimal(0)
    return number


def date_of(value: Any) -> date | None:
    """Return an ISO 8601 date or date-time as a `date` or `datetime`, None for anything else."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not DATE.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value) if len(value) > len("2026-01-31") else date.fromisoformat(value)
    except ValueError:
        return None


def scalar_of(value: Any) -> Scalar | None:
    """Return what a JSON value is compared by; an object counts by its `id`, true as the text "true".

    None for what is equal to nothing: null, NaN, lists, objects without an id.
    """
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, bool):
        return "true" if value else "false"
    number = number_of(value)
    if number is not None:
        return number
    found = date_of(value)
    if found is not None:
        return found
    return value if isinstance(value, str) else None


def moment_of(value: date, zone: ZoneInfo) -> datetime | None:
    """Return the moment in UTC that a date stands for, a bare date being midnight in `zone`.

    None at the very ends of the calendar, where a shift to another zone would leave it.
    """
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not 2 <= value.year <= 9998:
        return None
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    return value.astimezone(UTC)
