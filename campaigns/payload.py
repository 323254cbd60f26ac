"""Products and SKUs as the wire sends them, read into the columns of a row."""

from collections.abc import Mapping
from typing import Any

from campaigns.models import Product, Sku
from promoengine.core.errors import InvalidPayload

PRICE_MAX = 2**53
KEYS_MAX = 1000
TEXT_MAX = 10_000


def read_product(data: Any, where: str = "") -> dict[str, Any]:
    """Return the columns of a product that a payload sets; what it does not mention stays out.

    Raises:
        InvalidPayload: a field has the wrong type or is too long; the details name it.
    """
    columns = _shared(Product, data, ("source_id", "name"), where)
    if "attributes" in data:
        columns["attributes"] = _names(data["attributes"], f"{where}.attributes")
    return columns


def read_sku(data: Any, where: str = "") -> dict[str, Any]:
    """Return the columns of a SKU that a payload sets; what it does not mention stays out.

    Raises:
        InvalidPayload: a field has the wrong type or is too long; the details name it.
    """
    columns = _shared(Sku, data, ("source_id", "sku", "currency"), where)
    if "attributes" in data:
        columns["attributes"] = _mapping(data["attributes"], f"{where}.attributes")
    return columns


def _shared(model: type[Product | Sku], data: Any, texts: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidPayload(f"Property {where} should be object" if where else "Payload should be object")
    columns: dict[str, Any] = {}
    for name in (*texts, "image_url"):
        if name in data:
            longest = getattr(model._meta.get_field(name), "max_length", None) or TEXT_MAX
            columns[name] = _text(data[name], f"{where}.{name}", longest)
    if columns.get("source_id") is None:
        columns.pop("source_id", None)
    if "price" in data:
        columns["price"] = _price(data["price"], f"{where}.price")
    if data.get("metadata") is not None:
        columns["metadata"] = _mapping(data["metadata"], f"{where}.metadata")
    return columns


def _text(value: Any, where: str, longest: int) -> str | None:
    if value is None or value == "":
        return None
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise InvalidPayload(f"Property {where} should be string")
    if len(value) > longest:
        raise InvalidPayload(f"Property {where} may have up to {longest} characters")
    return value


def _price(value: Any, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= PRICE_MAX:
        raise InvalidPayload(f"Property {where} should be integer of 0 or more")
    return value


def _names(value: Any, where: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > KEYS_MAX or any(not isinstance(one, str) for one in value):
        raise InvalidPayload(f"Property {where} should be an array of strings")
    return list(value)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > KEYS_MAX:
        raise InvalidPayload(f"Property {where} should be object")
    return dict(value)
