"""Bundles: sets of products that must be in the cart together, and how many of them it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promoengine.engine.figures import UNITS, InvalidFigure, read_count
from promoengine.engine.items import ALL_PRODUCTS
from promoengine.engine.order import Item, Order

RULE, QUANTITY_RULE = "order.items.any", "order.items.aggregated_quantity"
LIMIT_MAX = 100
# the more special first, as the published format assigns lines to conditions
OBJECTS = ("sku", "product", "products_collection")


class InvalidBundle(ValueError):
    """Bundle rules that cannot be meant; the text names the property and says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product, SKU or collection that can fill a slot."""

    object: str
    id: str

    def matches(self, item: Item) -> bool:
        if self.object == "products_collection":
            return self.id == ALL_PRODUCTS or self.id in item.collections
        return self.id in (item.sku_ids if self.object == "sku" else item.product_ids)


@dataclass(frozen=True, slots=True)
class Slot:
    """One condition of a bundle: `quantity` units of any of these."""

    wanted: tuple[Wanted, ...]
    quantity: int

    def matches(self, item: Item) -> bool:
        return any(wanted.matches(item) for wanted in self.wanted)


@dataclass(frozen=True, slots=True)
class BundleFound:
    """How many bundles an order holds, of at most `limit`; `identified` and `missing` as on the wire."""

    quantity: int
    limit: int
    identified: tuple[Mapping[str, Any], ...] = ()
    missing: tuple[Mapping[str, Any], ...] = ()

    @property
    def units(self) -> dict[int, int]:
        """Return how many units of each line, by its index, belong to a bundle."""
        units: dict[int, int] = {}
        for part in self.identified:
            units[part["item_index"]] = units.get(part["item_index"], 0) + part["item_quantity"]
        return units

    def to_wire(self) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "quantity": self.quantity,
            "limit": self.limit,
            "identified": [dict(part) for part in self.identified],
        }
        return wire | {"missing": [dict(part) for part in self.missing]} if self.missing else wire


@dataclass(frozen=True, slots=True)
class Bundle:
    """What makes one bundle, the more special slots first, and how many of them count."""

    slots: tuple[Slot, ...]
    limit: int = 1

    def identify(self, order: Order) -> BundleFound:
        """Return the most bundles the order holds, up to the limit; a unit fills one slot only."""
        for count in range(self._at_most(order), 0, -1):
            filling = Filling(self, order, count)
            if filling.is_full:
                return BundleFound(count, self.limit, filling.identified())
        filling = Filling(self, order, 1)
        return BundleFound(0, self.limit, filling.identified(), filling.missing())

    def _at_most(self, order: Order) -> int:
        """Return how many bundles there could be if every slot had the order to itself."""
        counts = [
            sum(item.quantity for item in order.items if slot.matches(item)) // slot.quantity
            for slot in self.slots
        ]
        return min([self.limit, *counts])


class Filling:
    """One try to fill the slots of `count` bundles with the units of an order."""

    def __init__(self, bundle: Bundle, order: Order, count: int) -> None:
        self.items = order.items
        self.slots = bundle.slots
        self.lines = [
            [index for index, item in enumerate(order.items) if slot.matches(item)] for slot in bundle.slots
        ]
        self.free = [item.quantity for item in order.items]
        self.taken: list[dict[int, int]] = [{} for _ in bundle.slots]
        self.open = [slot.quantity * count for slot in bundle.slots]
        for slot in range(len(self.slots)):
            while self.open[slot] and (units := self._take(slot, self.open[slot], {slot})):
                self.open[slot] -= units

    @property
    def is_full(self) -> bool:
        return not any(self.open)

    def _take(self, slot: int, most: int, asked: set[int]) -> int:
        """Give a slot up to `most` units and return how many: free ones, or ones that others can replace.

        Without the second step, a slot that could be filled otherwise would starve one that can't.
        """
        for line in self.lines[slot]:
            if units := min(most, self.free[line]):
                self.free[line] -= units
                self._move(slot, line, units)
                return units
        for line in self.lines[slot]:
            for other, taken in enumerate(self.taken):
                if other in asked or not taken.get(line):
                    continue
                asked.add(other)
                if units := self._take(other, min(most, taken[line]), asked):
                    self._move(other, line, -units)
                    self._move(slot, line, units)
                    return units
        return 0

    def _move(self, slot: int, line: int, units: int) -> None:
        self.taken[slot][line] = self.taken[slot].get(line, 0) + units

    def identified(self) -> tuple[Mapping[str, Any], ...]:
        """Return the units of each line that belong to a bundle, in the order of the lines."""
        units = [sum(taken.get(line, 0) for taken in self.taken) for line in range(len(self.items))]
        return tuple(
            {**_identity(self.items[line]), "item_index": line, "item_quantity": count}
            for line, count in enumerate(units)
            if count
        )

    def missing(self) -> tuple[Mapping[str, Any], ...]:
        """Return what more of each slot would make it full; of several choices, the first."""
        return tuple(
            {"id": slot.wanted[0].id, "object": slot.wanted[0].object, "item_quantity": units}
            for slot, units in zip(self.slots, self.open, strict=True)
            if units
        )


def _identity(item: Item) -> dict[str, str]:
    kind, ids = ("sku", item.sku_ids) if item.sku_ids else ("product", item.product_ids)
    prefix = f"{kind[:4]}_"
    return {"id": min(ids, key=lambda key: (not key.startswith(prefix), key), default=""), "object": kind}


def parse_bundle_rules(wire: Mapping[str, Any] | None) -> Bundle | None:
    """Read `bundle_rules` as the wire has them; None where there are none.

    Raises:
        InvalidBundle: rules that cannot be meant.
    """
    if not wire:
        return None
    if not isinstance(wire, Mapping):
        raise InvalidBundle(" should be object")
    rules = {key: rule for key, rule in wire.items() if key not in ("limit", "logic")}
    if not rules:
        return None
    try:
        limit = read_count(wire, "limit", least=1) or 1
    except InvalidFigure as error:
        raise InvalidBundle(str(error)) from error
    if limit > LIMIT_MAX:
        raise InvalidBundle(f".limit should be at most {LIMIT_MAX}")
    slots = [_slot(f".{key}", rule) for key, rule in rules.items()]
    return Bundle(tuple(sorted(slots, key=_generality)), limit)


def _generality(slot: Slot) -> int:
    return max(OBJECTS.index(wanted.object) for wanted in slot.wanted)


def _slot(where: str, rule: Any) -> Slot:
    if not isinstance(rule, Mapping):
        raise InvalidBundle(f"{where} should be object")
    if rule.get("name") != RULE:
        raise InvalidBundle(f"{where}.name should be {RULE}")
    rows = _is(where, rule)
    wanted = tuple(_wanted(f"{where}.conditions.$is[{position}]", row) for position, row in enumerate(rows))
    if not wanted:
        raise InvalidBundle(f"{where}.conditions.$is should name a product, SKU or collection")
    return Slot(wanted, _quantity(where, rule.get("rules")))


def _quantity(where: str, rules: Any) -> int:
    if not rules:
        return 1
    if not isinstance(rules, Mapping):
        raise InvalidBundle(f"{where}.rules should be object")
    quantity = 1
    for key, rule in rules.items():
        if key == "logic":
            continue
        if not isinstance(rule, Mapping) or rule.get("name") != QUANTITY_RULE:
            raise InvalidBundle(f"{where}.rules.{key}.name should be {QUANTITY_RULE}")
        values = _is(f"{where}.rules.{key}", rule)
        try:
            counts = [read_count({"$is": value}, "$is", UNITS, least=1) or 1 for value in values]
        except InvalidFigure as error:
            raise InvalidBundle(f"{where}.rules.{key}.conditions{error}") from error
        quantity = max([quantity, *counts])
    return quantity


def _is(where: str, rule: Mapping[str, Any]) -> Sequence[Any]:
    conditions = rule.get("conditions")
    if not isinstance(conditions, Mapping):
        raise InvalidBundle(f"{where} must have required property 'conditions'")
    if list(conditions) != ["$is"]:
        raise InvalidBundle(f"{where}.conditions should have $is alone")
    given = conditions["$is"]
    return given if isinstance(given, list | tuple) else [given]


def _wanted(where: str, row: Any) -> Wanted:
    if not isinstance(row, Mapping) or not isinstance(row.get("id"), str) or not row["id"]:
        raise InvalidBundle(f"{where} must have required property 'id'")
    if row.get("object") not in OBJECTS:
        raise InvalidBundle(f"{where}.object should be one of {', '.join(OBJECTS)}")
    return Wanted(row["object"], row["id"])
