"""JSON written by orjson, and by Python's own where a number is beyond the 64 bits that orjson knows.

Such numbers come in with what others send, as 1e300, and Postgres keeps and gives them back.
"""

import json
from collections.abc import Callable
from typing import Any

import orjson


def to_json(value: Any, *, default: Callable[[Any], Any] = str, sort_keys: bool = False) -> bytes:
    """Return compact JSON; `default` says what stands for what is neither JSON, a UUID nor a datetime.

    Raises:
        TypeError: `default` does, of something.
    """
    option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_SORT_KEYS if sort_keys else 0)
    try:
        return orjson.dumps(value, default=default, option=option)
    except TypeError:
        return json.dumps(value, default=default, sort_keys=sort_keys, separators=(",", ":")).encode()
