"""Amounts as marketers write them and as they are stored."""

from decimal import Decimal

from promoengine.core.currencies import EXPONENTS


def minor_units(value: Decimal, currency: str) -> int:
    """Return an amount as on a price tag in minor units, `10.50` EUR as 1050."""
    return int(value.scaleb(EXPONENTS.get(currency, 2)).to_integral_value())


def major_units(amount: int, currency: str) -> Decimal:
    """Return minor units as on a price tag, 1050 EUR as `10.50`."""
    return Decimal(amount).scaleb(-EXPONENTS.get(currency, 2))


def plain_number(value: Decimal) -> int | float:
    """Return a percentage as JSON has it, 10 rather than 10.0."""
    return int(value) if value == value.to_integral_value() else float(value)
