"""Custom events as the wire sends them, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from customers.tracking import as_tracking_id
from promoengine.core.api.filters import as_moment
from promoengine.core.errors import InvalidPayload

NAME_MAX, TEXT_MAX, METADATA_KEYS_MAX = 300, 255, 1000
# How far a sender's clock may be ahead of ours.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SentEvent:
    """A custom event as it was sent: `customer` as the wire has one, `happened_at` never after `now`."""

    type: str
    customer: Mapping[str, Any]
    metadata: dict[str, Any]
    tracking_id: str | None
    source_id: str | None
    referral: dict[str, Any] | None
    loyalty: dict[str, Any] | None
    happened_at: datetime
    now: datetime

    @property
    def is_late(self) -> bool:
        """Whether it happened before it was sent, as its sender says."""
        return self.happened_at < self.now


def read_event(data: Any, *, now: datetime) -> SentEvent:
    """Return what was sent.

    Raises:
        InvalidPayload: a field is missing or wrong; the details name it.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    name = data.get("event")
    if not isinstance(name, str) or not name:
        raise InvalidPayload("Payload must have required property 'event'")
    if len(name) > NAME_MAX:
        raise InvalidPayload(f"Property .event may have up to {NAME_MAX} characters")
    customer = data.get("customer")
    if customer is not None and not isinstance(customer, Mapping):
        raise InvalidPayload("Property .customer should be object")
    tracking_id = _text(data.get("tracking_id"), ".tracking_id")
    if not customer and not tracking_id:
        raise InvalidPayload("Payload must have required property 'customer'")
    return SentEvent(
        name,
        customer or {},
        _metadata(data.get("metadata")),
        as_tracking_id(tracking_id) if tracking_id else None,
        _text(data.get("source_id"), ".source_id"),
        _related(data.get("referral"), ".referral", ("code", "referrer_id")),
        _related(data.get("loyalty"), ".loyalty", ("code",)),
        _happened_at(data.get("created_at"), now),
        now,
    )


def _metadata(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > METADATA_KEYS_MAX:
        raise InvalidPayload("Property .metadata should be object")
    return dict(value)


def _related(value: Any, where: str, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return a block that names a code, without what is unknown in it."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidPayload(f"Property {where} should be object")
    if not value.get("code"):
        raise InvalidPayload(f"Property {where} should have required property 'code'")
    found = {name: _text(value.get(name), f"{where}.{name}") for name in names}
    return {name: text for name, text in found.items() if text is not None}


def _text(value: Any, where: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise InvalidPayload(f"Property {where} should be a string of up to {TEXT_MAX} characters")
    return value


def _happened_at(value: Any, now: datetime) -> datetime:
    if value is None or value == "":
        return now
    try:
        moment: datetime = as_moment(value if isinstance(value, str) else "")
    except ValueError as error:
        raise InvalidPayload(f"Property .created_at {error}") from error
    if moment > now + AHEAD:
        raise InvalidPayload("Property .created_at should not be in the future")
    if moment.timestamp() < 0:
        raise InvalidPayload("Property .created_at should not be before 1970")
    return min(moment, now)
