"""What discounts do to an order, one small function for each type and effect."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from promoengine.engine.bundles import BundleFound
from promoengine.engine.figures import Figure, Setting
from promoengine.engine.money import percent_of, share_of, spread
from promoengine.engine.operands import FormulaFacts
from promoengine.engine.order import Good, Order
from promoengine.engine.scopes import EVERYTHING, Bounds, Scope, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a discount is applied under.

    `from_initial` takes percentages of what lines and order cost at first, still at most what is left;
    `once` keeps discounts on items off lines that carry one. `goods` is the catalogue by any id;
    `units_left` is what counters of discounted units still allow, by the keys of limits.
    """

    now: datetime
    zone: ZoneInfo
    scope: Scope = EVERYTHING
    bundle: BundleFound | None = None
    from_initial: bool = False
    once: bool = False
    goods: Mapping[str, Good] = field(default_factory=dict)
    units_left: Mapping[str, int] = field(default_factory=dict)
    formula_facts: FormulaFacts = FormulaFacts()


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the order.

    `wire` is the discount as a result shows it, with the values that formulas came to; `applicable_to` and
    `inapplicable_to` are entries with the lines they led to; `units` counts discounted units by the keys of
    limits, and `reached` those that the limits were spent on, whether or not anything came off. With a
    `refusal_key` nothing was applied, and `refused` names what it is about.
    """

    order: Order
    wire: Mapping[str, Any]
    applicable_to: tuple[Mapping[str, Any], ...] = ()
    inapplicable_to: tuple[Mapping[str, Any], ...] = ()
    units: Mapping[str, int] = field(default_factory=dict)
    refusal_key: str | None = None
    refused: str = ""
    reached: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """Free units, as a UNIT discount gives them: how many of the product or SKU `unit_type`."""

    effect: str
    unit_type: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Step:
    """What an effect did: the order after it, and which units it reached."""

    order: Order
    selections: tuple[Selection, ...] = ()
    units: Mapping[str, int] = field(default_factory=dict)
    refusal_key: str | None = None
    refused: str = ""

    @property
    def reached(self) -> dict[str, int]:
        """Return how many units were selected by the keys of their limits."""
        return _units_by_limit(self.selections)


@dataclass(frozen=True, slots=True)
class Application:
    """A discount's numbers, and the order and terms it is applied to. Limits are in minor units."""

    order: Order
    terms: Terms
    figure: Figure | None
    amount_limit: int | None = None
    aggregated_amount_limit: int | None = None
    grants: tuple[Grant, ...] = ()

    @property
    def setting(self) -> Setting:
        return Setting(self.order, self.terms.formula_facts, self.terms.now, self.terms.zone)

    @property
    def bundles(self) -> int:
        """How many times over the discount is given."""
        return self.terms.bundle.quantity if self.terms.bundle else 1

    def value(self) -> Decimal | int | None:
        """Return the discount's number over the whole order."""
        if self.figure is None or self.figure.formula is None:
            return self.figure.fixed if self.figure else None
        return self.figure.of(self.setting)

    def amount(self) -> int:
        return int(self.value() or 0)

    def values(self, selections: Sequence[Selection]) -> list[Decimal | int | None]:
        """Return the discount's number for each line: the same, unless its formula asks about the line."""
        if self.figure is None or not self.figure.is_per_line:
            return [self.value()] * len(selections)
        setting, items = self.setting, self.order.items
        return [self.figure.of(setting, items[line.index]) for line in selections]

    def amounts(self, selections: Sequence[Selection]) -> list[int]:
        return [int(value or 0) for value in self.values(selections)]

    def percent(self, value: Decimal | int | None) -> Decimal:
        """Return a percentage as it counts, once for each bundle."""
        return min(Decimal(value or 0) * self.bundles, Decimal(100))

    def selections(self, *, times: int = 1) -> tuple[Selection, ...]:
        """Return the units within reach, with limits of units that hold `times` over.

        Where no product is named, a bundle's discount reaches the units that make up the bundles.
        """
        scope, bundle = self.terms.scope, self.terms.bundle
        within = bundle.units if bundle and not scope.has_entries else None
        bounds = Bounds(times, within, self.terms.once, self.terms.units_left)
        return scope.select(self.setting, bounds)

    def off_order(self, amount: int) -> Step:
        """Take an amount off the whole, at most what the discount's limits allow."""
        for limit in (self.amount_limit, self.aggregated_amount_limit):
            amount = amount if limit is None else min(amount, limit)
        return Step(self.order.discount_order(amount))

    def off_items(self, selections: Sequence[Selection], amounts: Sequence[int]) -> Step:
        """Take amounts off the units selected; of all limits the smallest counts, in the order given."""
        items, pools = self.order.items, self._pools()
        parts, quantities = [0] * len(items), [0] * len(items)
        for line, amount in zip(selections, amounts, strict=True):
            item = items[line.index]
            shared = [key for key in (None, id(line.entry)) if key in pools]
            limits = [amount, item.share(line.units)]
            limits += [pools[key] for key in shared]
            if self.amount_limit is not None:
                limits.append(self.amount_limit)
            if line.entry is not None and line.entry.amount_limit is not None:
                limits.append(line.entry.amount_limit)
            part = max(0, min(limits))
            for key in shared:
                pools[key] -= part
            parts[line.index], quantities[line.index] = part, line.units
        after = self.order.discount_items(parts, quantities)
        return Step(after, tuple(selections), _counted(selections, self.order, after))

    def _pools(self) -> dict[int | None, int]:
        """Return the limits that lines share: those of the entries, and under None that of the discount."""
        pools: dict[int | None, int] = {
            id(entry): entry.aggregated_amount_limit
            for entry in self.terms.scope.included
            if entry.aggregated_amount_limit is not None
        }
        if self.aggregated_amount_limit is not None:
            pools[None] = self.aggregated_amount_limit
        return pools


def _counted(selections: Sequence[Selection], before: Order, after: Order) -> dict[str, int]:
    return _units_by_limit(
        line for line in selections if after.items[line.index].discount > before.items[line.index].discount
    )


def _units_by_limit(selections: Iterable[Selection]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in selections:
        for limit in line.limits:
            units[limit.key] = units.get(limit.key, 0) + line.units
    return units


Effect = Callable[[Application], Step]
EFFECTS: dict[tuple[str, str], Effect] = {}


def effect_of(kind: str, effect: str) -> Callable[[Effect], Effect]:
    """Register a function as what discounts of `kind` do under `effect`; a pair can't be taken twice."""

    def register(function: Effect) -> Effect:
        if (kind, effect) in EFFECTS:
            raise ValueError(f"{kind} {effect} is registered already")
        EFFECTS[kind, effect] = function
        return function

    return register


@effect_of("AMOUNT", "APPLY_TO_ORDER")
def amount_off_order(given: Application) -> Step:
    """Take a fixed amount off the whole."""
    return given.off_order(given.amount() * given.bundles)


@effect_of("AMOUNT", "APPLY_TO_ITEMS")
def amount_off_items(given: Application) -> Step:
    """Take the amount off every line."""
    lines = given.selections()
    return given.off_items(lines, [amount * given.bundles for amount in given.amounts(lines)])


@effect_of("AMOUNT", "APPLY_TO_ITEMS_BY_QUANTITY")
def amount_off_units(given: Application) -> Step:
    """Take the amount off every unit; more bundles discount more units."""
    lines = given.selections(times=given.bundles)
    amounts = given.amounts(lines)
    return given.off_items(lines, [amounts[i] * line.units for i, line in enumerate(lines)])


@effect_of("AMOUNT", "APPLY_TO_ITEMS_PROPORTIONALLY")
def amount_off_items_by_subtotal(given: Application) -> Step:
    """Split the amount over the lines by what is left to pay of their units."""
    lines = given.selections()
    subtotals = [given.order.items[line.index].share(line.units) for line in lines]
    total = min(given.amount() * given.bundles, sum(subtotals))
    return given.off_items(lines, spread(total, subtotals))


@effect_of("AMOUNT", "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY")
def amount_off_items_by_quantity(given: Application) -> Step:
    """Split the amount over the lines by how many units they have."""
    lines = given.selections()
    quantities = [line.units for line in lines]
    total = given.amount() * given.bundles if sum(quantities) else 0
    return given.off_items(lines, spread(total, quantities))


@effect_of("PERCENT", "APPLY_TO_ORDER")
def percent_off_order(given: Application) -> Step:
    """Take a share of what is left to pay, or of what the order cost at first, off the whole."""
    base = given.order.initial if given.terms.from_initial else given.order.total
    return given.off_order(percent_of(base, given.percent(given.value())))


@effect_of("PERCENT", "APPLY_TO_ITEMS")
def percent_off_items(given: Application) -> Step:
    """Take a share of what is left to pay of the units, or of what they cost at first, off every line."""
    lines = given.selections()
    bases = [
        _initial(given.order, line)
        if given.terms.from_initial
        else given.order.items[line.index].share(line.units)
        for line in lines
    ]
    values = zip(bases, given.values(lines), strict=True)
    return given.off_items(lines, [percent_of(base, given.percent(value)) for base, value in values])


@effect_of("FIXED", "APPLY_TO_ORDER")
def fixed_price_of_order(given: Application) -> Step:
    """Let the whole cost the fixed amount, if it costs more."""
    value = given.value()
    return given.off_order(0 if value is None else given.order.total - int(value))


@effect_of("FIXED", "APPLY_TO_ITEMS")
def fixed_price_of_units(given: Application) -> Step:
    """Let every unit cost its entry's price, or the fixed amount, if it costs more."""
    lines = given.selections(times=given.bundles)
    amounts = []
    for line, value in zip(lines, given.values(lines), strict=True):
        price = _price(given, line)
        price = value if price is None else price
        amounts.append(
            0 if price is None else given.order.items[line.index].share(line.units) - int(price) * line.units
        )
    return given.off_items(lines, amounts)


def _price(given: Application, line: Selection) -> Decimal | int | None:
    if line.entry is None or line.entry.price is None:
        return None
    return line.entry.price.of(given.setting, given.order.items[line.index])


def _initial(order: Order, line: Selection) -> int:
    """Return what the units cost at first; those that a discount has added never cost anything."""
    item = order.items[line.index]
    amount = item.amount if item.initial_amount is None else item.initial_amount
    quantity = item.quantity if item.initial_quantity is None else item.initial_quantity
    return share_of(amount, line.units, quantity)
