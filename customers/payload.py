"""Customers as the wire sends them, read into the fields of a row."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from customers.identities import KINDS, LONGEST
from customers.models import Customer
from promoengine.core.errors import InvalidPayload

ADDRESS_FIELDS = ("city", "state", "line_1", "line_2", "country", "postal_code")
TEXTS = ("source_id", "name", "email", "phone", "description")
METADATA_KEYS_MAX = 1000


def read_customer(data: Any, where: str = ".customer") -> dict[str, Any]:
    """Return the columns that a payload sets; what it does not mention stays out.

    A null takes away what was known, but not where the customer stands inside of something else: SDKs send
    null there for all that nobody said.

    Raises:
        InvalidPayload: a field has the wrong type or is too long; the details name it.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload(f"Property {where} should be object" if where else "Payload should be object")
    if where:
        data = {name: value for name, value in data.items() if value is not None}
    columns: dict[str, Any] = {name: _text(data[name], name, where) for name in TEXTS if name in data}
    if columns.get("source_id") is None:
        columns.pop("source_id", None)
    for name in ("birthday", "birthdate"):
        if name in data:
            columns["birthdate"] = _date(data[name], f"{where}.{name}")
    if "address" in data:
        columns["address"] = _address(data["address"], where)
    if data.get("metadata") is not None:
        columns["metadata"] = _metadata(data["metadata"], where)
    return columns


def read_identities(data: Mapping[str, Any], where: str = ".customer") -> dict[str, str | None]:
    """Return what else a payload says the customer is known by, by kinds; None is known no longer.

    Raises:
        InvalidPayload: a kind is unknown, or its value no text or too long; the details name it.
    """
    identities = data.get("identities")
    if identities is None:
        return {}
    if not isinstance(identities, Mapping):
        raise InvalidPayload(f"Property {where}.identities should be object")
    for kind, value in identities.items():
        if kind not in KINDS:
            raise InvalidPayload(f"Property {where}.identities may have {', '.join(KINDS)}, not {kind!r}")
        if value is not None and not isinstance(value, str):
            raise InvalidPayload(f"Property {where}.identities.{kind} should be string")
        if value is not None and len(value) > LONGEST:
            raise InvalidPayload(f"Property {where}.identities.{kind} may have up to {LONGEST} characters")
    return dict(identities)


def _text(value: Any, name: str, where: str) -> str | None:
    if value is None or value == "":
        return None
    if type(value) in (int, float) and name != "email":
        value = str(value)
    if not isinstance(value, str):
        raise InvalidPayload(f"Property {where}.{name} should be string")
    longest = Customer._meta.get_field(name).max_length or 10_000
    if len(value) > longest:
        raise InvalidPayload(f"Property {where}.{name} may have up to {longest} characters")
    return value


def _date(value: Any, where: str) -> date | None:
    if value is None or value == "":
        return None
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        found = moment.date() if moment else parse_date(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise InvalidPayload(f"Property {where} cannot be recognized as a ISO-8601 compliant date")
    return found


def _address(value: Any, where: str) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidPayload(f"Property {where}.address should be object,null")
    address = {}
    for name in ADDRESS_FIELDS:
        text = value.get(name)
        if text is not None and (type(text) not in (str, int) or len(str(text)) > 1000):
            raise InvalidPayload(f"Property {where}.address.{name} should be string")
        if name in value:
            address[name] = text
    return address or None


def _metadata(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or len(value) > METADATA_KEYS_MAX:
        raise InvalidPayload(f"Property {where}.metadata should be object")
    return dict(value)
