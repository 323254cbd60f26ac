"""Which products a collection's filter matches, decided in memory on one as the wire has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promoengine.core.errors import InvalidPayload
from promoengine.engine import filters
from promoengine.engine.filters import Filter, InvalidFilter, parse_filter_condition
from promoengine.engine.operators import Condition, Moment

FIELDS = (
    "id",
    "product_id",
    "source_id",
    "name",
    "price",
    "object",
    "attributes",
    "image_url",
    "skus",
    "created_at",
    "updated_at",
)
# Fields with keys of their own, as in `metadata.brand`.
KEYED = ("metadata", "attributes")
KNOWN = f"{', '.join(FIELDS)}, metadata.<key>"


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """A collection's filter: conditions by field, all or any of which must hold."""

    filter: Filter

    def matches(self, good: Mapping[str, Any], at: Moment) -> bool:
        """Return whether a product or SKU, as the wire has it, is in the collection.

        What is unknown does not hold. Without conditions everything matches.
        """
        return self.filter.matches(lambda field: value_of(good, field), at)

    @property
    def asks_for_skus(self) -> bool:
        """Whether a product's SKUs must be known to decide."""
        return "skus" in self.filter.fields


def parse_filter(data: Any, where: str = ".filter") -> ProductFilter:
    """Read the published filter of an AUTO_UPDATE collection.

    Raises:
        InvalidPayload: junction, field, operator or value are wrong; the details name the property.
    """
    if not isinstance(data, Mapping) or "junction" not in data:
        raise InvalidPayload("'AUTO_UPDATE' collection must contain valid filter with 'junction' property")
    try:
        return ProductFilter(filters.parse_filter(data, _read_condition, KNOWN))
    except InvalidFilter as error:
        raise InvalidPayload(f"Property {where}{error}") from error


def value_of(good: Mapping[str, Any], field: str) -> Any:
    """Return what a field of a filter means of a product or SKU, or None where it has no such thing.

    A SKU's name is its `sku`; its attributes, asked for as a whole, are their names, as a product has them.
    `skus` of a product are a list of what the shop calls them.
    """
    column, _, key = field.partition(".")
    if column in KEYED and key:
        keyed = good.get(column)
        return keyed.get(key) if isinstance(keyed, Mapping) else None
    value = good.get(column)
    if column == "name" and value is None:
        return good.get("sku")
    if column == "attributes" and isinstance(value, Mapping):
        return list(value)
    return value


def _read_condition(field: str, conditions: Mapping[str, Any]) -> Condition | None:
    column, _, key = field.partition(".")
    is_known = field in FIELDS or (column in KEYED and key)
    return parse_filter_condition(conditions) if is_known else None
