"""JSON in and out by orjson: the wire's dates, no NUL bytes, ten megabytes at most."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from promoengine.core.errors import InvalidPayload, QueryTooLarge
from promoengine.core.json_text import to_json

BODY_LIMIT = 10 * 1024 * 1024


def wire_datetime(moment: datetime | None) -> str | None:
    """Return a datetime as the wire writes it, `2026-01-31T12:00:00.000Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        return data if isinstance(data, bytes) else to_json(data)


class JsonParser(BaseParser):
    """Reads a JSON body; an empty one is `{}`."""

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(BODY_LIMIT + 1)
        if len(raw) > BODY_LIMIT:
            raise QueryTooLarge("The body may have up to 10 MB")
        if not raw.strip():
            return {}
        try:
            data = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise InvalidPayload(f"Payload is not valid JSON: {error}") from error
        if b"\\u0000" in raw:
            refuse_nul(data)
        return data


def refuse_nul(value: Any) -> None:
    """Raise InvalidPayload where any string in `value` holds a NUL byte, which Postgres can't store."""
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidPayload("A text may not contain a NUL byte")
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_nul(key)
            refuse_nul(item)
    elif isinstance(value, list):
        for item in value:
            refuse_nul(item)
