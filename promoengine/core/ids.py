"""Public ids: an object's prefix and the hexadecimal digits of its UUIDv7 key, computed and never stored."""

import secrets
import uuid
from datetime import datetime

import uuid_utils

BODY_LENGTH = 32


def new_id() -> uuid.UUID:
    """Return a new UUIDv7: ordered by time, so that indexes grow at their end."""
    return uuid.UUID(int=uuid_utils.uuid7().int)


def id_of(moment: datetime) -> uuid.UUID:
    """Return a new UUIDv7 that stands, among others, where the moment does."""
    milliseconds = int(moment.timestamp() * 1000)
    random = secrets.randbits(74)
    return uuid.UUID(
        int=milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & ((1 << 62) - 1)
    )


def public_id(prefix: str, key: uuid.UUID) -> str:
    """Return the id that the API shows for the row with primary key `key`, as in `camp_0192…`."""
    return f"{prefix}_{key.hex}"


def new_public_ids(prefix: str, count: int) -> list[str]:
    """Return new ids of things that have no rows, in a row, which takes a fraction of one by one."""
    # What follows a random number is as free as the number is.
    first = new_id().int
    return [f"{prefix}_{first + place:032x}" for place in range(count)]


def parse_public_id(prefix: str, text: str) -> uuid.UUID | None:
    """Return the primary key behind a public id, or None where `text` is not such an id."""
    head, _, body = text.partition("_")
    if head != prefix or len(body) != BODY_LENGTH:
        return None
    try:
        key = uuid.UUID(hex=body)
    except ValueError:
        return None
    # Digits have other spellings, and an id has one.
    return key if key.hex == body else None


def parse_key(text: str) -> uuid.UUID | None:
    """Return the primary key that a text is, as the dashboard's addresses have it, or None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def new_request_id() -> str:
    """Return a new id for one request, as error bodies and async actions show it."""
    return f"v-{secrets.token_hex(9)}"
