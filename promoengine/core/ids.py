"""Public ids: an object's prefix and the base62 form of its UUIDv7 key, computed and never stored."""

import secrets
import uuid
from datetime import datetime
from functools import lru_cache

import uuid_utils

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
VALUES = {character: value for value, character in enumerate(ALPHABET)}
BODY_LENGTH = 22  # 62 ** 22 > 2 ** 128
# Two characters at once: an answer has dozens of ids.
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


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


# One answer has the same few ids many times over, and a busy shop's answers have the same campaigns.
@lru_cache(maxsize=8192)
def public_id(prefix: str, key: uuid.UUID) -> str:
    """Return the id that the API shows for the row with primary key `key`, as in `camp_01Fd…`."""
    return f"{prefix}_{_base62(key.int, BODY_LENGTH)}"


def new_public_ids(prefix: str, count: int) -> list[str]:
    """Return new ids of things that have no rows, in a row, which takes a fraction of one by one."""
    head, tail = divmod(new_id().int, 62**4)
    body = _base62(head, BODY_LENGTH - 4)
    # What follows a random number is as free as the number is; it only may not overflow.
    tail = min(tail, 62**4 - count)
    return [f"{prefix}_{body}{_base62(tail + place, 4)}" for place in range(count)]


def _base62(number: int, length: int) -> str:
    pairs = []
    for _ in range(length // 2):
        number, value = divmod(number, len(PAIRS))
        pairs.append(PAIRS[value])
    pairs.reverse()
    return "".join(pairs)


def parse_public_id(prefix: str, text: str) -> uuid.UUID | None:
    """Return the primary key behind a public id, or None where `text` is not such an id."""
    head, _, body = text.partition("_")
    if head != prefix or len(body) != BODY_LENGTH:
        return None
    number = 0
    for character in body:
        if character not in VALUES:
            return None
        number = number * 62 + VALUES[character]
    return uuid.UUID(int=number) if number < 1 << 128 else None


def new_request_id() -> str:
    """Return a new id for one request, as error bodies and async actions show it."""
    return f"v-{secrets.token_hex(9)}"
