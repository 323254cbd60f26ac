"""Offers as marketers write them, of campaigns and of promotions alike."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from campaigns.admin.currencies import AmountsField, by_currency, refuse_misplaced, shown_by_currency
from promoengine.core.models import Project
from promoengine.core.prices import major_units, minor_units, plain_number

VALUE_FIELDS = {"PERCENT": "percent_off", "AMOUNT": "amount_off", "FIXED": "fixed_amount"}


class OfferFields(forms.Form):
    """Mix-in of forms with an `offer`, which is of a kind: what it is worth, and its category."""

    value = forms.DecimalField(
        label=_("Value"),
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=3,
        help_text=_("Percent, or an amount as you would write it on a price tag."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    most = forms.DecimalField(
        label=_("At most"),
        required=False,
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=3,
        help_text=_("The largest discount of one order; only for a percentage."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    elsewhere = AmountsField()
    category_name = forms.CharField(
        label=_("Category"), required=False, max_length=255, widget=UnfoldAdminTextInputWidget
    )

    project: Project

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("start_date"), cleaned.get("expiration_date")
        if start and end and end <= start:
            self.add_error("expiration_date", _("The end must be after the start."))
        if cleaned.get("offer") == "PERCENT" and (cleaned.get("value") or 0) > 100:
            self.add_error("value", _("A percentage may be at most 100."))
        refuse_misplaced(self, cleaned, self.project.currency)
        return cleaned

    def discount_to_wire(self) -> dict[str, Any]:
        """Return the discount that was filled in, of an offer that is one."""
        kind, most = self.cleaned_data["offer"], self.cleaned_data["most"]
        value = self.cleaned_data["value"]
        worth = plain_number(value) if kind == "PERCENT" else minor_units(value, self.project.currency)
        discount: dict[str, Any] = {"type": kind, VALUE_FIELDS[kind]: worth}
        if kind == "PERCENT" and most:
            discount["amount_limit"] = minor_units(most, self.project.currency)
        return discount | by_currency(discount, self.cleaned_data, VALUE_FIELDS[kind])


def shown_discount(discount: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return a discount as the fields of an offer show it."""
    kind, most = discount["type"], discount.get("amount_limit")
    worth = discount[VALUE_FIELDS[kind]]
    return {
        "offer": kind,
        "value": worth if kind == "PERCENT" else major_units(worth, currency),
        "most": major_units(most, currency) if most else None,
        "elsewhere": shown_by_currency(discount, VALUE_FIELDS[kind]),
    }
