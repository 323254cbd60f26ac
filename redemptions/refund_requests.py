"""Refunds as they are asked for: which units come back, and how their discounts are judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promoengine.core.errors import InvalidPayload
from promoengine.engine.refunds import Mode
from redemptions.requests import ITEMS_MAX, KEY_MAX

QUANTITY_MAX = 2**53
REASON_MAX = 1000
NAMES = ("id", "source_id", "product_id", "sku_id")


@dataclass(frozen=True, slots=True)
class AskedUnits:
    """Units of a line, which is named by its place in the order, or by its ids."""

    quantity: int
    index: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        place = {} if self.index is None else {"order_item_index": self.index}
        return {**place, **self.names, "quantity": self.quantity}


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What comes back; `items` is None for all that is left. Money is refused if it is not as expected."""

    items: tuple[AskedUnits, ...] | None = None
    mode: Mode = Mode.KEEP
    source_id: str | None = None
    reason: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    expected_amount: int | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What a retry must repeat."""
        items = None if self.items is None else [item.to_wire() for item in self.items]
        return {"items": items, "mode": self.mode}


def parse_refund(body: Any) -> RefundRequest:
    """Read the body of a refund, or of its calculation.

    Raises:
        InvalidPayload: the shape is wrong; the details name the property.
    """
    if not isinstance(body, Mapping):
        raise InvalidPayload("Payload should be object")
    rows = body.get("items")
    if rows is not None and (not isinstance(rows, list) or not 1 <= len(rows) <= ITEMS_MAX):
        raise InvalidPayload(f"Property .items should be an array of 1 to {ITEMS_MAX} items")
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise InvalidPayload("Property .metadata should be object")
    mode = Mode.KEEP if body.get("mode") is None else body["mode"]
    if mode not in tuple(Mode):
        raise InvalidPayload(f"Property .mode should be one of {', '.join(Mode)}")
    return RefundRequest(
        None if rows is None else tuple(_units(row, f".items[{place}]") for place, row in enumerate(rows)),
        Mode(mode),
        _text(body, "source_id", "", KEY_MAX) or None,
        _text(body, "reason", "", REASON_MAX),
        dict(metadata),
        _number(body, "expected_amount", ""),
    )


def _units(row: Any, where: str) -> AskedUnits:
    if not isinstance(row, Mapping):
        raise InvalidPayload(f"Property {where} should be object")
    index = _number(row, "order_item_index", where)
    names = {name: text for name in NAMES if (text := _text(row, name, where, KEY_MAX))}
    if index is None and not names:
        raise InvalidPayload(f"Property {where} should have 'order_item_index' or one of {', '.join(NAMES)}")
    quantity = _number(row, "quantity", where)
    if not quantity:
        raise InvalidPayload(f"Property {where}.quantity should be a whole number of at least 1")
    return AskedUnits(quantity, index, names)


def _number(row: Mapping[str, Any], name: str, where: str) -> int | None:
    """Read a whole number, which some clients send as `"2"` or `2.0`."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= QUANTITY_MAX:
        raise InvalidPayload(f"Property {where}.{name} should be a whole number, not negative")
    return value


def _text(row: Mapping[str, Any], name: str, where: str, longest: int) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidPayload(f"Property {where}.{name} should be string")
    if len(value) > longest:
        raise InvalidPayload(f"Property {where}.{name} may have up to {longest} characters")
    return value
