"""Discounts as the wire has them, checked once and then applied to orders."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from promoengine.engine.applicability import applicable_to, inapplicable_to
from promoengine.engine.effects import (
    EFFECTS,
    Application,
    Applied,
    Grant,
    Step,
    Terms,
)
from promoengine.engine.figures import (
    MONEY,
    PERCENT,
    UNITS,
    Figure,
    InvalidFigure,
    parse_figure,
    read_by_currency,
    read_count,
)
from promoengine.engine.order import Good, Order
from promoengine.engine.scopes import Scope, UnitLimit
from promoengine.engine.units import find_good

__all__ = ["Applied", "Discount", "InvalidDiscount", "Terms", "parse_discount"]

VALUE_FIELDS = {"AMOUNT": "amount_off", "PERCENT": "percent_off", "FIXED": "fixed_amount", "UNIT": "unit_off"}
KINDS = {"AMOUNT": MONEY, "PERCENT": PERCENT, "FIXED": MONEY, "UNIT": UNITS}
MONEY_FIELDS = ("amount_off", "fixed_amount", "amount_limit", "aggregated_amount_limit")
DEFAULT_EFFECTS = {"UNIT": "ADD_MISSING_ITEMS"}
DEFAULT_EFFECT, DEFAULT_ITEMS_EFFECT = "APPLY_TO_ORDER", "APPLY_TO_ITEMS"
MANY, SAME = "ADD_MANY_ITEMS", "ADD_SAME_ITEMS"
GRANT_EFFECTS = ("ADD_NEW_ITEMS", "ADD_MISSING_ITEMS")
GRANTS_MAX = 100
# Formulas that ask for the time are never applied under these.
NO_TERMS = Terms(now=datetime.min.replace(tzinfo=UTC), zone=ZoneInfo("UTC"))


class InvalidDiscount(ValueError):
    """A discount that cannot be meant; the text names the property and says why."""


@dataclass(frozen=True, slots=True)
class Discount:
    """A checked discount: its published type, its effect, and its numbers, money in minor units.

    `effect` is the type's default where none `is_effect_given`. `shown` is what results show of it.
    `elsewhere` is what it is for orders in other currencies, as far as it has all its amounts in them.
    """

    type: str
    effect: str
    figure: Figure | None = None
    amount_limit: int | None = None
    aggregated_amount_limit: int | None = None
    grants: tuple[Grant, ...] = ()
    is_effect_given: bool = True
    shown: Mapping[str, Any] = field(default_factory=dict, compare=False)
    elsewhere: Mapping[str, "Discount"] = field(default_factory=dict, compare=False)

    @property
    def names_money(self) -> bool:
        """Whether it has an amount, new price or cap of its own."""
        has_amount = self.figure is not None and self.figure.kind == MONEY
        return has_amount or self.amount_limit is not None or self.aggregated_amount_limit is not None

    def in_currency(self, currency: str) -> "Discount | None":
        """Return what it is for an order in that currency, "" the project's; None where it says no amount."""
        return self.elsewhere.get(currency) if currency and self.names_money else self

    @property
    def has_formula(self) -> bool:
        """Whether any of its numbers is calculated by a formula."""
        figures = [self.figure, *(grant.figure for grant in self.grants)]
        return any(figure is not None and figure.formula is not None for figure in figures)

    def apply(self, order: Order, terms: Terms = NO_TERMS) -> Applied:
        """Return what becomes of the order with this discount taken off."""
        effect = self.effect_under(terms.scope)
        given = Application(
            order, terms, self.figure, self.amount_limit, self.aggregated_amount_limit, self.grants
        )
        step = EFFECTS[self.type, effect](given) if given.bundles else Step(order)
        is_on_items = effect.startswith(DEFAULT_ITEMS_EFFECT) or effect == SAME
        return Applied(
            step.order,
            self._to_wire(effect, given, step),
            applicable_to(terms.scope, order, step.selections if is_on_items else None),
            inapplicable_to(terms.scope, order, is_on_items=is_on_items),
            step.units,
            step.refusal_key,
            step.refused,
            step.reached,
        )

    def effect_under(self, scope: Scope) -> str:
        """Return its effect: where none is given, on the products that a scope names, if it names any."""
        if self.is_effect_given or self.type == "UNIT" or not scope.has_entries:
            return self.effect
        return DEFAULT_ITEMS_EFFECT

    def unit_limits(self, scope: Scope, order: Order | None = None) -> tuple[UnitLimit, ...]:
        """Return the limits of units that using it counts against; those of each product need the order."""
        if self.type == "UNIT" or self.effect_under(scope) == DEFAULT_EFFECT:
            return ()
        return scope.unit_limits(order)

    def _to_wire(self, effect: str, given: Application, step: Step) -> Mapping[str, Any]:
        if self.type == "UNIT":
            return self._units_to_wire(given)
        value, is_dynamic = self._calculated(given, step)
        if effect == self.effect and not is_dynamic:
            return self.shown
        wire = {**self.shown, "effect": effect, "is_dynamic": is_dynamic}
        return wire if value is None else wire | {VALUE_FIELDS[self.type]: _plain(value)}

    def _calculated(self, given: Application, step: Step) -> tuple[Decimal | int | None, bool]:
        """Return what a formula came to over the order, and whether any formula counted."""
        if self.type == "FIXED" and any(
            line.entry and line.entry.has_price_formula for line in step.selections
        ):
            return None, True
        if self.figure is None or self.figure.formula is None:
            return None, False
        if not self.figure.is_per_line:
            value = self.figure.calculated(given.setting)
            return value, value is not None
        items = [given.order.items[line.index] for line in step.selections]
        return None, any(self.figure.calculated(given.setting, item) is not None for item in items)

    def _units_to_wire(self, given: Application) -> Mapping[str, Any]:
        rows, is_dynamic = [], False
        for grant in self.grants:
            value = grant.figure.calculated(given.setting)
            is_dynamic = is_dynamic or value is not None
            good = find_good(given.terms.goods, grant.unit_type)
            rows.append(
                ({} if value is None else {"unit_off": _plain(value)})
                | (_echo(good) if good and good.wire else {})
            )
        wire = {**self.shown, "is_dynamic": is_dynamic}
        if self.effect != MANY:
            return wire | rows[0]
        units = [{**shown, **row} for shown, row in zip(self.shown["units"], rows, strict=True)]
        return wire | {"units": units}


def parse_discount(wire: Mapping[str, Any]) -> Discount:
    """Read a discount as the wire has it.

    Raises:
        InvalidDiscount: a type or effect that does not exist, a number out of range, or a formula that
            can't be read.
    """
    kind = wire.get("type")
    if not isinstance(kind, str) or kind not in VALUE_FIELDS:
        raise InvalidDiscount(f".type should be one of {', '.join(VALUE_FIELDS)}")
    effect = wire.get("effect") or _default_effect(kind, wire)
    if not isinstance(effect, str) or (kind, effect) not in EFFECTS:
        known = ", ".join(name for of, name in EFFECTS if of == kind)
        raise InvalidDiscount(f".effect should be one of {known}")
    try:
        figure = None if kind == "UNIT" else _figure(wire, kind, effect)
        grants = _grants(wire, effect) if kind == "UNIT" else ()
        limit = read_count(wire, "amount_limit", MONEY)
        aggregated_limit = read_count(wire, "aggregated_amount_limit", MONEY)
        caps = {"amount_limit": limit, "aggregated_amount_limit": aggregated_limit}
        amounts = _by_currency(wire, caps | ({VALUE_FIELDS[kind]: figure} if KINDS[kind] == MONEY else {}))
    except InvalidFigure as error:
        raise InvalidDiscount(str(error)) from error
    shown = {"type": kind, "effect": effect}
    shown |= {key: value for key, value in wire.items() if value is not None and key not in shown}
    discount = Discount(
        kind,
        effect,
        figure,
        limit,
        aggregated_limit,
        grants,
        is_effect_given=bool(wire.get("effect")),
        shown={**shown, "is_dynamic": False},
    )
    return replace(discount, elsewhere=_elsewhere(discount, amounts)) if any(amounts.values()) else discount


def _by_currency(wire: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return the amounts in other currencies of those properties that are stated in the project's."""
    names = [name for name, value in stated.items() if value is not None]
    for name in MONEY_FIELDS:
        if wire.get(f"{name}_by_currency") is not None and name not in names:
            raise InvalidFigure(f".{name}_by_currency needs a '{name}' in the project's own currency")
    return {name: read_by_currency(wire, name) for name in names}


def _elsewhere(discount: Discount, amounts: Mapping[str, Mapping[str, int]]) -> dict[str, Discount]:
    """Return the discount by the currencies that all of its amounts, by their properties, are given in."""
    found = {}
    for currency in set.intersection(*(set(given) for given in amounts.values())):
        said = {name: given[currency] for name, given in amounts.items()}
        value = said.get(VALUE_FIELDS[discount.type])
        found[currency] = replace(
            discount,
            figure=discount.figure if value is None else Figure(MONEY, value),
            amount_limit=said.get("amount_limit"),
            aggregated_amount_limit=said.get("aggregated_amount_limit"),
            shown={**discount.shown, **said},
        )
    return found


def _default_effect(kind: str, wire: Mapping[str, Any]) -> str:
    if kind == "UNIT" and wire.get("units"):
        return MANY
    return DEFAULT_EFFECTS.get(kind, DEFAULT_EFFECT)


def _figure(wire: Mapping[str, Any], kind: str, effect: str) -> Figure | None:
    name = VALUE_FIELDS[kind]
    figure = parse_figure(wire, name, KINDS[kind])
    # New prices may come from the products that the rule names.
    has_prices_elsewhere = kind == "FIXED" and (effect == DEFAULT_ITEMS_EFFECT or not wire.get("effect"))
    if (figure is None or figure.fixed is None) and not has_prices_elsewhere:
        raise InvalidFigure(f" must have required property '{name}'")
    return figure


def _grants(wire: Mapping[str, Any], effect: str) -> tuple[Grant, ...]:
    if effect != MANY:
        return (_grant(wire, effect),)
    units = wire.get("units")
    if not isinstance(units, list | tuple) or not 0 < len(units) <= GRANTS_MAX:
        raise InvalidFigure(f".units should be a list of 1 to {GRANTS_MAX} units")
    grants = []
    for position, unit in enumerate(units):
        if not isinstance(unit, Mapping):
            raise InvalidFigure(f".units[{position}] should be object")
        effect = unit.get("effect") or DEFAULT_EFFECTS["UNIT"]
        if effect not in GRANT_EFFECTS:
            raise InvalidFigure(f".units[{position}].effect should be one of {', '.join(GRANT_EFFECTS)}")
        try:
            grants.append(_grant(unit, effect))
        except InvalidFigure as error:
            raise InvalidFigure(f".units[{position}]{error}") from error
    return tuple(grants)


def _grant(wire: Mapping[str, Any], effect: str) -> Grant:
    figure = parse_figure(wire, "unit_off", UNITS)
    if figure is None:
        raise InvalidFigure(" must have required property 'unit_off'")
    unit_type = wire.get("unit_type")
    if unit_type is not None and not isinstance(unit_type, str):
        raise InvalidFigure(".unit_type should be string")
    if not unit_type and effect != SAME:
        raise InvalidFigure(" must have required property 'unit_type'")
    return Grant(effect, unit_type or "", figure)


def _echo(good: Good) -> dict[str, Any]:
    """Return what a unit discount says of the product or SKU that it gives."""
    name = "sku" if good.object == "sku" else "name"
    fields = {"id": good.wire.get("id"), "source_id": good.wire.get("source_id"), "name": good.wire.get(name)}
    return {good.object: fields}


def _plain(value: Decimal | int) -> int | float:
    return int(value) if value == int(value) else float(value)
