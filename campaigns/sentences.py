"""Offers in plain words, for messages and the dashboard."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from promoengine.core.currencies import EXPONENTS

SCOPES = {
    "APPLY_TO_ORDER": gettext_lazy("the order"),
    "APPLY_TO_ITEMS": gettext_lazy("each item"),
    "APPLY_TO_ITEMS_BY_QUANTITY": gettext_lazy("each unit"),
    "APPLY_TO_ITEMS_PROPORTIONALLY": gettext_lazy("the items together"),
    "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY": gettext_lazy("the items together"),
}


def money(amount: int, currency: str) -> str:
    """Return minor units as people write them, `1050` EUR as `10.50 EUR`."""
    exponent = EXPONENTS.get(currency, 2)
    return f"{Decimal(amount).scaleb(-exponent):,.{exponent}f} {currency}"


def offer_in_words(discount: Mapping[str, Any] | None, gift: Mapping[str, Any] | None, currency: str) -> str:
    """Return what a code gives, as in `20% off the order, at most 50.00 EUR`."""
    if gift:
        return _("a gift card of %(amount)s") % {"amount": money(gift["amount"], currency)}
    if not discount:
        return _("an offer without a code")
    if discount["type"] == "UNIT":
        return _units_in_words(discount)
    scope = SCOPES[discount.get("effect") or "APPLY_TO_ORDER"]
    match discount["type"]:
        case "PERCENT":
            sentence = _("%(percent)s%% off %(scope)s") % {
                "percent": f"{Decimal(str(discount['percent_off'])).normalize():f}",
                "scope": scope,
            }
        case "FIXED" if discount.get("fixed_amount") is None:
            sentence = _("new prices for products")
        case "FIXED":
            sentence = _("%(scope)s for %(amount)s") % {
                "scope": scope,
                "amount": _amounts(discount, "fixed_amount", currency),
            }
        case "AMOUNT":
            sentence = _("%(amount)s off %(scope)s") % {
                "amount": _amounts(discount, "amount_off", currency),
                "scope": scope,
            }
        case other:
            raise ValueError(f"no words for a discount of type {other}")
    for name in ("amount_limit", "aggregated_amount_limit"):
        if discount.get(name):
            return sentence + _(", at most %(limit)s") % {"limit": _amounts(discount, name, currency)}
    return sentence


def _amounts(discount: Mapping[str, Any], name: str, currency: str) -> str:
    """Return an amount, and after it what it is in other currencies, as in `5.00 EUR (5.50 USD)`."""
    others = discount.get(f"{name}_by_currency") or {}
    said = ", ".join(money(amount, code) for code, amount in sorted(others.items()) if code != currency)
    return money(discount[name], currency) + (f" ({said})" if said else "")


def _units_in_words(discount: Mapping[str, Any]) -> str:
    if discount.get("effect") == "ADD_SAME_ITEMS":
        return _("%(count)s more of each item, free") % {"count": discount.get("unit_off") or 0}
    parts = []
    for unit in discount.get("units") or [discount]:
        good = unit.get("product") or unit.get("sku") or {}
        parts.append(f"{unit.get('unit_off') or 0} x {good.get('name') or unit.get('unit_type')}")
    return _("free: %(products)s") % {"products": ", ".join(parts)}
