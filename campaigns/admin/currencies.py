"""Amounts in other currencies, as marketers write them: one a line, as in `USD 5.50`."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from promoengine.core.prices import major_units, minor_units
from promoengine.engine.figures import AMOUNT_MAX, CURRENCIES_MAX, CURRENCY

LABEL = _("In other currencies")
HELP = _(
    "One a line, as in USD 5.50: the amount, or of a percentage the largest discount, for orders in that"
    " currency. Orders in a currency that is not named can not use an offer of an amount."
)


class AmountsField(forms.CharField):
    """Reads lines of a currency and an amount into minor units by currency."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "placeholder": "USD 5.50"})
        super().__init__(label=LABEL, required=False, help_text=HELP, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        lines = (f"{code} {major_units(amount, code):f}" for code, amount in sorted(value.items()))
        return "\n".join(lines)

    def clean(self, value: Any) -> dict[str, int]:
        """Return minor units by currency.

        Raises:
            ValidationError: a line is not a currency and an amount, or a currency stands there twice.
        """
        found: dict[str, int] = {}
        for line in filter(None, map(str.strip, (super().clean(value) or "").splitlines())):
            currency, _blank, said = line.partition(" ")
            currency = currency.upper()
            amount = _amount(said, currency) if CURRENCY.fullmatch(currency) else None
            if amount is None or len(found) == CURRENCIES_MAX:
                raise forms.ValidationError(
                    _("Write a currency and an amount, as in USD 5.50, and not %(line)s."),
                    params={"line": line},
                )
            if currency in found:
                raise forms.ValidationError(
                    _("%(currency)s stands there twice."), params={"currency": currency}
                )
            found[currency] = amount
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or {}) != self.clean(data))
        except forms.ValidationError:
            return True


def refuse_misplaced(form: forms.BaseForm, cleaned: Mapping[str, Any], currency: str) -> None:
    """Add the form's error where the amounts in other currencies would be of nothing."""
    amounts = cleaned.get("elsewhere")
    if not amounts:
        return
    if currency in amounts:
        form.add_error("elsewhere", _("%(currency)s is this project's own.") % {"currency": currency})
    elif cleaned.get("offer") == "GIFT":
        form.add_error("elsewhere", _("A gift card has one currency, the project's."))
    elif cleaned.get("offer") == "PERCENT" and not cleaned.get("most"):
        form.add_error("elsewhere", _("A percentage is the same in all currencies; leave it empty."))


def by_currency(discount: Mapping[str, Any], cleaned: Mapping[str, Any], value_field: str) -> dict[str, Any]:
    """Return the properties of a discount for the amounts in other currencies that were filled in."""
    amounts = cleaned.get("elsewhere")
    return {f"{_name(discount, value_field)}_by_currency": amounts} if amounts else {}


def shown_by_currency(discount: Mapping[str, Any], value_field: str) -> dict[str, int]:
    """Return what the form shows of a discount's amounts in other currencies."""
    return dict(discount.get(f"{_name(discount, value_field)}_by_currency") or {})


def _name(discount: Mapping[str, Any], value_field: str) -> str:
    return "amount_limit" if discount["type"] == "PERCENT" else value_field


def _amount(said: str, currency: str) -> int | None:
    try:
        number = Decimal(said.strip().replace(",", "."))
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= AMOUNT_MAX:
        return None
    amount = minor_units(number, currency)
    return amount if amount <= AMOUNT_MAX and major_units(amount, currency) == number else None
