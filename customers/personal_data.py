"""All that is held on a customer, as one JSON document that is written as it is read."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from customers.models import Customer
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.services.privacy import personal_data


def personal_data_json(customer: Customer, *, now: datetime) -> Iterator[bytes]:
    """Yield the pieces of the document: rows by kind, each with its columns, however many there are."""
    head = {"object": "personal_data", "customer_id": customer.public_id, "created_at": wire_datetime(now)}
    yield orjson.dumps(head)[:-1] + b',"data":{'
    for place, (name, rows) in enumerate(personal_data(customer.pk)):
        yield (b"," if place else b"") + orjson.dumps(name) + b":["
        for number, row in enumerate(rows):
            yield (b"," if number else b"") + orjson.dumps(row, default=_plain)
        yield b"]"
    yield b"}}"


def _plain(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
