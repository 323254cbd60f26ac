"""Bodies that change many objects at once, named by what they are known by, as in `source_id`."""

from collections.abc import Mapping
from typing import Any

from promoengine.core.errors import InvalidPayload


def check_rows(rows: Any, name: str) -> None:
    """Refuse a body that is no array of objects with a `name` each.

    Raises:
        InvalidPayload: the details say which is wrong.
    """
    if not isinstance(rows, list):
        raise InvalidPayload("Payload should be array")
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping) or not row.get(name):
            raise InvalidPayload(f"Property [{index}] should have required property '{name}'")


def metadata_rows(data: Any, name: str) -> list[dict[str, Any]]:
    """Return a row for each object that a body names, with the one `metadata` that is meant for all.

    With `source_id`, the names are the array `source_ids`, and each row has a `source_id`.

    Raises:
        InvalidPayload: one of the two is missing or of the wrong type.
    """
    refs = data.get(f"{name}s") if isinstance(data, Mapping) else None
    metadata = data.get("metadata") if isinstance(data, Mapping) else None
    if not isinstance(refs, list) or any(not isinstance(ref, str) or not ref for ref in refs):
        raise InvalidPayload(f"Property .{name}s should be an array of strings")
    if not isinstance(metadata, Mapping):
        raise InvalidPayload("Property .metadata should be object")
    return [{name: ref, "metadata": metadata} for ref in refs]
