"""What a discount reaches: `applicable_to` as the wire has it, and the lines and units it selects."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promoengine.engine.figures import (
    MONEY,
    UNITS,
    Figure,
    InvalidFigure,
    Setting,
    parse_figure,
    read_count,
)
from promoengine.engine.items import ALL_PRODUCTS
from promoengine.engine.order import Item, Order

OBJECTS = ("product", "sku", "products_collection")
EVERY = "APPLY_TO_EVERY"
EFFECTS = (
    EVERY,
    "APPLY_TO_CHEAPEST",
    "APPLY_FROM_CHEAPEST",
    "APPLY_TO_MOST_EXPENSIVE",
    "APPLY_FROM_MOST_EXPENSIVE",
)
TARGETS = ("ITEM", "UNIT")
KEY_LENGTH = 255
ENTRIES_MAX = 5000


class InvalidScope(ValueError):
    """An `applicable_to` that cannot be meant; the text names the property and says why."""


@dataclass(frozen=True, slots=True)
class UnitLimit:
    """How many units may be discounted in all: of an entry, or of one product of its collection.

    `key` names what is counted and stays the same while the entry does; `of` is what the count runs for,
    `campaign` or `promotion_tier`, for each customer alone where `per_customer` says so.
    """

    key: str
    limit: Figure
    per_customer: bool
    of: str


@dataclass(frozen=True, slots=True)
class LimitKind:
    """One of the published limits of units, as an entry sets it."""

    name: str
    limit: Figure
    per_customer: bool
    of: str
    in_collection: bool

    def for_item(self, entry: str, item: Item) -> UnitLimit:
        """Return the limit that units of this line count against."""
        return self._limit(f"{self.name}:{entry}:{_name(item)}" if self.in_collection else self._key(entry))

    def for_entry(self, entry: str) -> UnitLimit:
        """Return the limit of the whole entry."""
        return self._limit(self._key(entry))

    def _key(self, entry: str) -> str:
        return f"{self.name}:{entry}"

    def _limit(self, key: str) -> UnitLimit:
        if len(key) > KEY_LENGTH:
            key = f"{self.name}:{hashlib.sha256(key.encode()).hexdigest()}"
        return UnitLimit(key, self.limit, self.per_customer, self.of)


# name on the wire: one customer's, counted for, one product of a collection
LIMIT_KINDS = {
    f"product_{'in_collection_' * within}{'customer_' * customer}{of}_quantity_limit": (customer, of, within)
    for of in ("campaign", "promotion_tier")
    for customer in (False, True)
    for within in (False, True)
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What narrows a scope at one application.

    `bundles` multiplies the limits of units; `units` are the most of each line, by its index, where not all
    lines are within reach; `once` leaves out the lines that carry a discount; `units_left` is what counters
    still allow, by the keys of limits.
    """

    bundles: int = 1
    units: Mapping[int, int] | None = None
    once: bool = False
    units_left: Mapping[str, int] = field(default_factory=dict)

    def available(self, index: int, item: Item) -> int | None:
        """Return how many units of a line are within reach, None where the line is not."""
        units = item.paid_quantity
        if (self.once and item.discount) or (item.quantity and not units):
            return None
        if self.units is None:
            return units
        return min(units, self.units[index]) if index in self.units else None


@dataclass(frozen=True, slots=True)
class Selection:
    """Units of one line: the line's index, their numbers counted from 1, and the entry they fall under."""

    index: int
    numbers: range
    entry: "Entry | None" = None
    limits: tuple[UnitLimit, ...] = ()

    @property
    def units(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class Entry:
    """A product, SKU or collection, how the discount walks over its lines, and its caps.

    Money is in minor units. `price` is for discounts that set a new price.
    """

    object: str
    ids: frozenset[str]
    name: str
    effect: str = EVERY
    skip_initially: int = 0
    repeat: int = 1
    target: str = "ITEM"
    price: Figure | None = None
    quantity_limit: int | None = None
    aggregated_quantity_limit: int | None = None
    amount_limit: int | None = None
    aggregated_amount_limit: int | None = None
    limits: tuple[LimitKind, ...] = ()
    wire: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def names_money(self) -> bool:
        """Whether it has a price or a cap, which is in the project's currency."""
        return any(one is not None for one in (self.price, self.amount_limit, self.aggregated_amount_limit))

    @property
    def has_price_formula(self) -> bool:
        return self.price is not None and self.price.formula is not None

    def select(self, setting: Setting, lines: Mapping[int, int], bounds: Bounds) -> Iterator[Selection]:
        """Yield the units it reaches of `lines`, units within reach by index, in the order it takes them."""
        items = setting.order.items
        left = self.aggregated_quantity_limit
        left = None if left is None else left * bounds.bundles
        counters = dict(bounds.units_left)
        for index, numbers in self._walk(self._in_order(items, lines), lines):
            limits = tuple(kind.for_item(self.name, items[index]) for kind in self.limits)
            for limit in limits:
                if limit.key not in counters:
                    counters[limit.key] = int(limit.limit.of(setting, items[index]) or 0)
            most = [counters[limit.key] for limit in limits]
            if self.quantity_limit is not None:
                most.append(self.quantity_limit * bounds.bundles)
            if left is not None:
                most.append(left)
            taken = numbers[: max(0, min(most))] if most else numbers
            if most and not taken:
                continue
            left = None if left is None else left - len(taken)
            for limit in limits:
                counters[limit.key] -= len(taken)
            yield Selection(index, taken, self, limits)

    def _in_order(self, items: Sequence[Item], lines: Mapping[int, int]) -> list[int]:
        if self.effect == EVERY:
            return list(lines)
        sign = -1 if self.effect.endswith("MOST_EXPENSIVE") else 1
        return sorted(lines, key=lambda index: (sign * items[index].unit_price, items[index].subtotal, index))

    def _walk(self, order: Sequence[int], lines: Mapping[int, int]) -> Iterator[tuple[int, range]]:
        """Count lines or units, pass over the first ones, and then yield every n-th."""
        is_single = self.effect in ("APPLY_TO_CHEAPEST", "APPLY_TO_MOST_EXPENSIVE")
        seen = 0
        for index in order:
            if self.target == "UNIT":
                numbers = range(self._next(seen) - seen, lines[index] + 1, self.repeat)
                seen += lines[index]
                if not numbers:
                    continue
            else:
                is_hit = self._next(seen) == seen + 1
                seen += 1
                if not is_hit:
                    continue
                numbers = range(1, lines[index] + 1)
            if is_single:
                yield index, numbers[:1] if self.target == "UNIT" else numbers
                return
            yield index, numbers

    def _next(self, seen: int) -> int:
        """Return the position of the next hit after `seen` of them have been counted."""
        if seen <= self.skip_initially:
            return self.skip_initially + 1
        return seen + 1 + (self.skip_initially - seen) % self.repeat


@dataclass(frozen=True, slots=True)
class Index:
    """Which entry each id leads to, by position, so that a line finds its entry without trying them all."""

    products: Mapping[str, int]
    skus: Mapping[str, int]
    collections: Mapping[str, int]

    def position(self, item: Item) -> int | None:
        """Return the first entry that the line falls under."""
        found = [self.products[key] for key in item.product_ids if key in self.products]
        found += [self.skus[key] for key in item.sku_ids if key in self.skus]
        found += [self.collections[key] for key in item.collections if key in self.collections]
        if ALL_PRODUCTS in self.collections:
            found.append(self.collections[ALL_PRODUCTS])
        return min(found, default=None)


def _indexed(entries: Sequence[Entry]) -> Index:
    by_object: dict[str, dict[str, int]] = {name: {} for name in OBJECTS}
    for position, entry in enumerate(entries):
        for key in entry.ids:
            by_object[entry.object].setdefault(key, position)
    return Index(by_object["product"], by_object["sku"], by_object["products_collection"])


NO_INDEX = _indexed(())
NO_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Scope:
    """The lines a discount on items reaches: those of `included`, or every one, never `excluded` ones."""

    included: tuple[Entry, ...] = ()
    excluded: tuple[Entry, ...] = ()
    included_all: bool = False
    included_index: Index = field(default=NO_INDEX, compare=False, repr=False)
    excluded_index: Index = field(default=NO_INDEX, compare=False, repr=False)

    @property
    def has_entries(self) -> bool:
        return bool(self.included or self.excluded)

    @property
    def reaches_others(self) -> bool:
        """Whether lines that no entry names are within it too."""
        return self.included_all or not self.included

    def select(self, setting: Setting, bounds: Bounds = NO_BOUNDS) -> tuple[Selection, ...]:
        """Return the units it reaches, entry by entry, then those of lines that no entry names.

        A line falls under the first entry that names it.
        """
        found: dict[int, dict[int, int]] = {}
        others: dict[int, int] = {}
        for index, item in enumerate(setting.order.items):
            units = bounds.available(index, item)
            if units is None or self.excludes(item):
                continue
            position = self.included_index.position(item) if self.included else None
            if position is not None:
                found.setdefault(position, {})[index] = units
            elif self.reaches_others:
                others[index] = units
        selections: list[Selection] = []
        for position in sorted(found):
            selections += self.included[position].select(setting, found[position], bounds)
        selections += [Selection(index, range(1, units + 1)) for index, units in others.items()]
        return tuple(selections)

    def entry_of(self, item: Item) -> Entry | None:
        """Return the entry that a line falls under."""
        position = self.included_index.position(item) if self.included else None
        return None if position is None else self.included[position]

    def reaches(self, item: Item) -> bool:
        """Return whether a line is within it."""
        return not self.excludes(item) and (self.reaches_others or self.entry_of(item) is not None)

    def excludes(self, item: Item) -> bool:
        return bool(self.excluded) and self.excluded_index.position(item) is not None

    def unit_limits(self, order: Order | None = None) -> tuple[UnitLimit, ...]:
        """Return its limits of discounted units; those of each product in a collection need the order."""
        limits: dict[str, UnitLimit] = {}
        for position, entry in enumerate(self.included):
            for kind in entry.limits:
                if not kind.in_collection:
                    limit = kind.for_entry(entry.name)
                    limits[limit.key] = limit
                    continue
                for item in order.items if order else ():
                    if self.included_index.position(item) == position and not self.excludes(item):
                        limit = kind.for_item(entry.name, item)
                        limits[limit.key] = limit
        return tuple(limits.values())


EVERYTHING = Scope()


def parse_scope(applicable_to: Mapping[str, Any] | None) -> Scope:
    """Read `applicable_to` as the wire has it; an empty one restricts nothing.

    Raises:
        InvalidScope: it cannot be meant.
    """
    wire = applicable_to or {}
    if not isinstance(wire, Mapping):
        raise InvalidScope(" should be object")
    included, excluded = _entries(wire, "included"), _entries(wire, "excluded")
    included_all = wire.get("included_all")
    if included_all is not None and not isinstance(included_all, bool):
        raise InvalidScope(".included_all should be boolean")
    if not included and not excluded:
        return EVERYTHING
    return Scope(included, excluded, bool(included_all), _indexed(included), _indexed(excluded))


def _entries(wire: Mapping[str, Any], name: str) -> tuple[Entry, ...]:
    rows = wire.get(name)
    if rows is None:
        return ()
    if not isinstance(rows, list | tuple):
        raise InvalidScope(f".{name} should be array")
    if len(rows) > ENTRIES_MAX:
        raise InvalidScope(f".{name} may have up to {ENTRIES_MAX} entries; a collection may have more")
    entries = []
    for position, row in enumerate(rows):
        try:
            entries.append(_entry(row))
        except InvalidFigure as error:
            raise InvalidScope(f".{name}[{position}]{error}") from error
    return tuple(entries)


def _entry(wire: Any) -> Entry:
    if not isinstance(wire, Mapping):
        raise InvalidFigure(" should be object")
    ids = [wire[key] for key in ("id", "source_id") if isinstance(wire.get(key), str) and wire[key]]
    if not ids:
        raise InvalidFigure(" must have required property 'id'")
    kind = _choice(wire, "object", OBJECTS) or "product"
    return Entry(
        kind,
        frozenset(ids),
        name=f"{kind}:{ids[0]}",
        effect=_choice(wire, "effect", EFFECTS) or EVERY,
        skip_initially=read_count(wire, "skip_initially") or 0,
        repeat=read_count(wire, "repeat", least=1) or 1,
        target=_choice(wire, "target", TARGETS) or "ITEM",
        price=parse_figure(wire, "price", MONEY),
        quantity_limit=read_count(wire, "quantity_limit"),
        aggregated_quantity_limit=read_count(wire, "aggregated_quantity_limit"),
        amount_limit=read_count(wire, "amount_limit", MONEY),
        aggregated_amount_limit=read_count(wire, "aggregated_amount_limit", MONEY),
        limits=_limits(wire),
        wire={"effect": EVERY} | {key: value for key, value in wire.items() if value is not None},
    )


def _limits(wire: Mapping[str, Any]) -> tuple[LimitKind, ...]:
    limits = []
    for name, (per_customer, of, in_collection) in LIMIT_KINDS.items():
        figure = parse_figure(wire, name, UNITS)
        if figure is None:
            continue
        if figure.fixed is None:
            raise InvalidFigure(f".{name} should be given, as the fallback of its formula")
        limits.append(LimitKind(name, figure, per_customer, of, in_collection))
    return tuple(limits)


def _choice(wire: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str | None:
    given = wire.get(name)
    if given is None:
        return None
    if given not in choices:
        raise InvalidFigure(f".{name} should be one of {', '.join(choices)}")
    return str(given)


def _name(item: Item) -> str:
    """Return what a line's product is counted under: its public id where it has one."""
    ids = item.product_ids or item.sku_ids
    return min(ids, key=lambda key: (not key.startswith("prod_"), key), default="")
