"""Which products a collection's filter matches, decided in memory on one as the wire has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promoengine.core.errors import InvalidPayload
from promoengine.engine.operators import Condition, InvalidCondition, Moment, parse_condition

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
JUNCTIONS = {"and": all, "or": any}
CONDITIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """A collection's filter: conditions by field, all or any of which must hold."""

    junction: str
    conditions: tuple[tuple[str, Condition], ...]

    def matches(self, good: Mapping[str, Any], at: Moment) -> bool:
        """Return whether a product or SKU, as the wire has it, is in the collection.

        What is unknown does not hold. Without conditions everything matches.
        """
        if not self.conditions:
            return True
        holds = (condition.holds(value_of(good, field), at) is True for field, condition in self.conditions)
        return JUNCTIONS[self.junction](holds)

    @property
    def asks_for_skus(self) -> bool:
        """Whether a product's SKUs must be known to decide."""
        return any(field == "skus" for field, _ in self.conditions)


def parse_filter(data: Any, where: str = ".filter") -> ProductFilter:
    """Read the published filter of an AUTO_UPDATE collection.

    Raises:
        InvalidPayload: junction, field, operator or value are wrong; the details name the property.
    """
    if not isinstance(data, Mapping) or "junction" not in data:
        raise InvalidPayload("'AUTO_UPDATE' collection must contain valid filter with 'junction' property")
    junction = data["junction"]
    if not isinstance(junction, str) or junction.lower() not in JUNCTIONS:
        raise InvalidPayload(f"Property {where} has wrong `junction` property. It must be one of: and, or")
    if len(data) > CONDITIONS_MAX:
        raise InvalidPayload(f"Property {where} may have up to {CONDITIONS_MAX} fields")
    conditions = (
        (field, _condition(field, asked, where)) for field, asked in data.items() if field != "junction"
    )
    return ProductFilter(junction.lower(), tuple(conditions))


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


def _condition(field: str, asked: Any, where: str) -> Condition:
    column, _, key = field.partition(".")
    if field not in FIELDS and not (column in KEYED and key):
        raise InvalidPayload(
            f"Property {where}.{field[:100]} should be one of {', '.join(FIELDS)}, metadata.<key>"
        )
    if not isinstance(asked, Mapping) or not isinstance(asked.get("conditions"), Mapping):
        raise InvalidPayload(f"Property {where}.{field[:100]} should have required property 'conditions'")
    try:
        return parse_condition(asked["conditions"])
    except InvalidCondition as error:
        raise InvalidPayload(f"Property {where}.{field[:100]}.conditions{error}") from error
