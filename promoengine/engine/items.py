"""Which lines of an order a condition names: products, SKUs and collections by any of their ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from promoengine.engine.order import Item

ALL_PRODUCTS = "pc_a11pr0dUc75"
POSITIVE, NEGATIVE, FROM = ("$is", "$in"), ("$is_not", "$not_in"), "$from"
KEYS = ("id", "source_id")


class InvalidItems(ValueError):
    """Items that can't be meant; the text names the operator."""


@dataclass(frozen=True, slots=True)
class ItemRefs:
    """The ids that a line must answer to (`wanted`), must not (`unwanted`), and where it comes from."""

    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    pool: frozenset[str] = frozenset()
    tests: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    @property
    def is_negative(self) -> bool:
        """Whether it only says what a line must not be."""
        return bool(self.unwanted) and not self.wanted

    def matches(self, item: Item) -> bool:
        """Return whether the line is what is wanted, and comes from where it must."""
        if self.pool and not answers_to(item, self.pool):
            return False
        if self.wanted and not answers_to(item, self.wanted):
            return False
        return not (self.unwanted and answers_to(item, self.unwanted))

    def forbids(self, item: Item) -> bool:
        """Return whether the line is what must not be, from where it must not come."""
        return self.comes_from(item) and answers_to(item, self.unwanted)

    def comes_from(self, item: Item) -> bool:
        """Return whether the line is in the collections of `$from`, where it has any."""
        return not self.pool or answers_to(item, self.pool)


NO_REFS = ItemRefs()


def answers_to(item: Item, ids: frozenset[str]) -> bool:
    """Return whether any id of the line, its product or its collections is among `ids`."""
    return (
        ALL_PRODUCTS in ids
        or not ids.isdisjoint(item.product_ids)
        or not ids.isdisjoint(item.sku_ids)
        or not ids.isdisjoint(item.collections)
    )


def parse_item_refs(conditions: Mapping[str, Any]) -> ItemRefs:
    """Read the operators `$is`, `$in`, `$is_not`, `$not_in` and `$from` on items.

    Raises:
        InvalidItems: another operator, or what is no id.
    """
    wanted: set[str] = set()
    unwanted: set[str] = set()
    pool: set[str] = set()
    tests = []
    for operator, given in conditions.items():
        if operator not in (*POSITIVE, *NEGATIVE, FROM):
            known = ", ".join((*POSITIVE, *NEGATIVE, FROM))
            raise InvalidItems(f".{operator[:40]} is not for items; use {known}")
        values = given if isinstance(given, list | tuple) else [given]
        ids = {key for value in values for key in _ids_of(operator, value)}
        if operator in POSITIVE:
            wanted |= ids
        elif operator in NEGATIVE:
            unwanted |= ids
        else:
            pool |= ids
        tests.append((operator, tuple(values)))
    return ItemRefs(frozenset(wanted), frozenset(unwanted), frozenset(pool), tuple(tests))


def _ids_of(operator: str, value: Any) -> Iterable[str]:
    if isinstance(value, str) and value:
        return [value]
    if isinstance(value, Mapping):
        ids = [value[key] for key in KEYS if isinstance(value.get(key), str) and value[key]]
        if ids:
            return ids
    raise InvalidItems(f".{operator} should have ids of products, SKUs or collections")
