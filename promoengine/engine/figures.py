"""The numbers of a discount: fixed, or by a formula with the fixed one as the fallback."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from promoengine.engine.formulas import Formula, InvalidFormula, parse_formula
from promoengine.engine.operands import FormulaFacts, order_operands
from promoengine.engine.order import Item, Order

MONEY, PERCENT, UNITS = "money", "percent", "units"
AMOUNT_MAX = 2**53  # what a double, and so every JSON reader, still holds exactly
MAXIMA = {MONEY: AMOUNT_MAX, PERCENT: 100, UNITS: 1_000_000}
FINEST = Decimal("1e-15")
LINE_OPERANDS = "ORDER_ITEM_"
MONEY_OPERANDS = ("_AMOUNT", "_SUBTOTAL", "_PRICE")
CURRENCY = re.compile("[A-Z]{3}")
CURRENCIES_MAX = 200


class InvalidFigure(ValueError):
    """A number that cannot be meant; the text names the property and says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What formulas are calculated over."""

    order: Order
    facts: FormulaFacts
    now: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: money in minor units, a percentage, or units. Formulas speak of money in major units."""

    kind: str
    fixed: Decimal | int | None = None
    formula: Formula | None = None

    @property
    def is_per_line(self) -> bool:
        """Whether it differs from line to line, because its formula asks about the line."""
        return self.formula is not None and any(name.startswith(LINE_OPERANDS) for name in self.formula.needs)

    @property
    def _speaks_of_money(self) -> bool:
        """Whether its formula gives or compares money, which is in the project's currency."""
        asked = self.formula.needs if self.formula else ()
        return self.kind == MONEY or any(name.endswith(MONEY_OPERANDS) for name in asked)

    def of(self, setting: Setting, item: Item | None = None) -> Decimal | int | None:
        """Return the number as it stands over an order, or over one line of it."""
        if self.formula is None:
            return self.fixed
        calculated = self.calculated(setting, item)
        return self.fixed if calculated is None else calculated

    def calculated(self, setting: Setting, item: Item | None = None) -> Decimal | int | None:
        """Return what the formula says, between zero and the most there may be; None if it can't be said."""
        if self.formula is None or (setting.order.currency and self._speaks_of_money):
            return None
        operands = order_operands(setting.order, item, setting.facts)
        number = self.formula.number(operands, now=setting.now, zone=setting.zone)
        if number is None or not number.is_finite():
            return None
        number = min(max(number, Decimal(0)), Decimal(MAXIMA[self.kind]))
        if self.kind == MONEY:
            return min(int((number * 100).quantize(Decimal(1), ROUND_HALF_UP)), AMOUNT_MAX)
        return int(number) if self.kind == UNITS else number.quantize(FINEST, ROUND_HALF_UP)


def parse_figure(wire: Mapping[str, Any], name: str, kind: str) -> Figure | None:
    """Read the property `name` and its `<name>_formula`; None where neither is given.

    Raises:
        InvalidFigure: a number out of range, or a formula that can't be read.
    """
    fixed, formula = read_number(wire, name, kind), read_formula(wire, f"{name}_formula")
    return None if fixed is None and formula is None else Figure(kind, fixed, formula)


def read_number(wire: Mapping[str, Any], name: str, kind: str) -> Decimal | int | None:
    """Read one number, None where it is not given.

    Raises:
        InvalidFigure: it is no number, or out of range.
    """
    given = wire.get(name)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise InvalidFigure(f".{name} should be number")
    try:
        number = Decimal(str(given))
    except (InvalidOperation, ValueError) as error:
        raise InvalidFigure(f".{name} should be number") from error
    if not number.is_finite():
        raise InvalidFigure(f".{name} should be number")
    if not 0 <= number <= MAXIMA[kind]:
        if kind == PERCENT and number > 0:
            raise InvalidFigure(f".{name} should be at most 100")
        raise InvalidFigure(f".{name} should be between 0 and {MAXIMA[kind]}")
    if kind == PERCENT:
        return number if number == number.to_integral_value() else number.quantize(FINEST)
    if number != number.to_integral_value():
        of = "minor units" if kind == MONEY else "units"
        raise InvalidFigure(f".{name} should be a whole number of {of}")
    return int(number)


def read_count(wire: Mapping[str, Any], name: str, kind: str = UNITS, *, least: int = 0) -> int | None:
    """Read one whole number, of units unless `kind` says otherwise; None where it is not given.

    Raises:
        InvalidFigure: it is no whole number, or out of range.
    """
    number = read_number(wire, name, kind)
    if number is not None and number < least:
        raise InvalidFigure(f".{name} should be at least {least}")
    return None if number is None else int(number)


def read_by_currency(wire: Mapping[str, Any], name: str) -> dict[str, int]:
    """Read the amounts in other currencies that stand beside the amount `name`, by ISO 4217 codes.

    Raises:
        InvalidFigure: they are no amounts by currency; the text says which.
    """
    given = wire.get(f"{name}_by_currency")
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > CURRENCIES_MAX:
        raise InvalidFigure(f".{name}_by_currency should be an object of up to {CURRENCIES_MAX} currencies")
    amounts = {}
    for currency in given:
        if not CURRENCY.fullmatch(str(currency)):
            raise InvalidFigure(f".{name}_by_currency.{currency!s:.10} should be an ISO 4217 code, as in USD")
        try:
            number = read_count(given, currency, MONEY)
        except InvalidFigure as error:
            raise InvalidFigure(f".{name}_by_currency{error}") from error
        if number is not None:
            amounts[currency] = number
    return amounts


def read_formula(wire: Mapping[str, Any], name: str) -> Formula | None:
    """Read one formula, None where it is not given.

    Raises:
        InvalidFigure: it can't be read; the text says where.
    """
    given = wire.get(name)
    if given is None or given == "":
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise InvalidFigure(f".{name} should be string")
    try:
        return parse_formula(str(given))
    except InvalidFormula as error:
        raise InvalidFigure(f".{name} can't be read at position {error.position}: {error}") from error
