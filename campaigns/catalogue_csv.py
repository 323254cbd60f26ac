"""Records of product and SKU files, read into the payloads they stand for."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from promoengine.core.currencies import EXPONENTS
from promoengine.core.errors import InvalidPayload
from promoengine.core.row_imports import METADATA, RowPlan

PRODUCT_COLUMNS = ("name", "source_id", "price", "attributes", "image_url")
SKU_COLUMNS = ("product_id", "sku", "source_id", "price", "image_url", "attributes")


def product_of(cells: Mapping[str, str], currency: str, plan: RowPlan) -> dict[str, Any]:
    """Return the payload that a record stands for; unknown columns become metadata.

    Prices are written as on a price tag in `currency`.

    Raises:
        InvalidPayload: it has no name, or a price that is no amount.
    """
    payload = _payload(plan.fields(cells, PRODUCT_COLUMNS), currency)
    _require(payload, "name")
    if "attributes" in payload:
        payload["attributes"] = [name.strip() for name in payload["attributes"].split(",") if name.strip()]
    return payload


def sku_of(cells: Mapping[str, str], currency: str, plan: RowPlan) -> dict[str, Any]:
    """Return the payload that a record stands for; unknown columns become metadata.

    Prices are written as on a price tag in `currency`.

    Raises:
        InvalidPayload: it has no `source_id` or `product_id`, or a price or attributes that can't be read.
    """
    payload = _payload(plan.fields(cells, SKU_COLUMNS), currency)
    _require(payload, "source_id", "product_id")
    if "attributes" in payload:
        payload["attributes"] = _attributes(payload["attributes"])
    return payload


def _payload(fields: Iterable[tuple[str, str, str]], currency: str) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    metadata = {}
    for name, column, text in fields:
        if name == METADATA:
            metadata[column] = text
        else:
            payload[name] = _minor_units(text, currency) if name == "price" else text
    return payload | {"metadata": metadata} if metadata else payload


def _require(payload: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name not in payload:
            raise InvalidPayload(f"Column {name} should have a value")


def _minor_units(text: str, currency: str) -> int:
    """Return a price as on a price tag, `21` or `21.50`, in minor units."""
    try:
        minor = Decimal(text).scaleb(EXPONENTS.get(currency, 2))
        if minor == minor.to_integral_value():
            return int(minor)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise InvalidPayload("Column price should be a number such as 21 or 21.50")


def _attributes(text: str) -> dict[str, Any]:
    """Read attributes as JSON, also with the single quotes of the published template."""
    for candidate in (text, text.replace("'", '"')):
        try:
            attributes = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(attributes, dict):
            return attributes
    raise InvalidPayload("Column attributes should be an object such as {'color':'blue'}")
