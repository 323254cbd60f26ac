"""What a marketer types to try offers out: a cart, a customer, codes and promotions, a moment."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.admin.picker import PickField
from campaigns.catalogue_search import goods_by_text
from campaigns.models import Product, Sku
from campaigns.names import name_of
from customers.models import Customer
from promoengine.core.models import Project
from promoengine.core.prices import minor_units
from redemptions.admin.simulator_choices import customer_by_text, named_promotions
from redemptions.requests import REDEEMABLES_MAX, AskedRedeemable, CheckoutRequest, parse_context

LINE_FIELDS = ("what", "quantity", "price")
LINES, LINES_MORE, LINES_MAX = 3, 2, 50
YEARS = range(2000, 2101)
DATETIME = "%Y-%m-%dT%H:%M"


class LineForm(forms.Form):
    """One line of the cart: a product of the catalogue or anything else, how many, and the price of one."""

    what = forms.CharField(
        required=False,
        max_length=255,
        label=_("Product"),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "goods", "autocomplete": "off"}),
    )
    quantity = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000,
        label=_("Quantity"),
        widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": "1"}),
    )
    price = forms.DecimalField(
        required=False,
        min_value=Decimal(0),
        max_digits=11,
        decimal_places=3,
        label=_("Price of one"),
        widget=UnfoldAdminDecimalFieldWidget,
    )

    good: Product | Sku | None = None

    @property
    def name(self) -> str:
        """What the line is called where the order is shown."""
        return name_of(self.good) if self.good else self.cleaned_data["what"] or str(_("Something"))

    def to_wire(self, currency: str) -> dict[str, Any]:
        """Return the line as a storefront would send it."""
        cleaned, good = self.cleaned_data, self.good
        line: dict[str, Any] = {"quantity": cleaned["quantity"] or 1}
        if cleaned["price"] is not None:
            line["price"] = minor_units(cleaned["price"], currency)
        kind = "sku" if isinstance(good, Sku) else "product"
        if good is not None and good.source_id is None:
            return line | {f"{kind}_id": good.public_id}
        source_id = good.source_id if good is not None else cleaned["what"]
        return line | ({"source_id": source_id, "related_object": kind} if source_id else {})


class SimulatorForm(forms.Form):
    """Everything around the lines, which are forms of their own in `lines`."""

    amount = forms.DecimalField(
        required=False,
        min_value=Decimal(0),
        max_digits=11,
        decimal_places=3,
        label=_("Or only the amount of the order"),
        help_text=_("As you would write it on a price tag; for when the products do not matter."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    customer = forms.CharField(
        required=False,
        max_length=400,
        label=_("Customer"),
        help_text=_("Name, e-mail or the shop's own id; empty means a guest."),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "customers", "autocomplete": "off"}),
    )
    codes = forms.CharField(
        required=False,
        max_length=5000,
        label=_("Codes"),
        help_text=_("One a line."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    promotions = PickField(
        required=False,
        url_name="admin:redemptions_simulator_promotions",
        search_label=_("Find a promotion"),
        label=_("Promotions"),
        help_text=_("Codes come first, then promotions, unless the stacking rules say otherwise."),
    )
    details = forms.CharField(
        required=False,
        max_length=5000,
        label=_("Details of the order"),
        help_text=_("For rules that ask for them (metadata): one a line, as in channel: app."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    at = forms.DateTimeField(
        required=False,
        label=_("When"),
        help_text=_("Empty means now."),
        input_formats=[DATETIME, "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )

    customer_found: Customer | None = None

    def __init__(self, project: Project, data: Any, *, is_asked: bool) -> None:
        super().__init__(data) if is_asked else super().__init__(initial=_initial(data))
        self.project = project
        cast(PickField, self.fields["promotions"]).show(named_promotions(project, data.getlist("promotions")))
        self.lines = [
            LineForm(data, prefix=f"lines-{row}")
            if is_asked
            else LineForm(prefix=f"lines-{row}", initial=_initial_line(data, row))
            for row in range(line_count(data))
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        used = [line for line in self.lines if line.is_valid() and line.has_changed()]
        if cleaned.get("amount") is not None and used:
            self.add_error("amount", _("Leave it empty: the products above say what the order costs."))
        found = goods_by_text(self.project, [line.cleaned_data["what"] for line in used])
        for line in used:
            line.good = found.get(line.cleaned_data["what"])
            _check_line(line)
        cleaned["codes"] = codes_in(cleaned.get("codes") or "")
        if len(cleaned["codes"]) + len(cleaned.get("promotions") or ()) > REDEEMABLES_MAX:
            self.add_error("codes", _("At most %d codes and promotions at once.") % REDEEMABLES_MAX)
        self.customer_found = customer_by_text(self.project, cleaned.get("customer") or "")
        return cleaned

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at.year not in YEARS:
            raise forms.ValidationError(_("Write a year from 2000 to 2100."))
        return at

    def clean_details(self) -> dict[str, str]:
        rows = [row.partition(":") for row in self.cleaned_data["details"].splitlines() if row.strip()]
        if not all(name.strip() and colon for name, colon, _value in rows):
            raise forms.ValidationError(_("Write a name and a value in each line, as in channel: app."))
        return {name.strip(): value.strip() for name, _colon, value in rows}

    def is_valid(self) -> bool:
        return super().is_valid() and all(line.is_valid() for line in self.lines)

    @property
    def used_lines(self) -> list[LineForm]:
        return [line for line in self.lines if line.has_changed()]

    def to_checkout(self) -> CheckoutRequest:
        """Return what a storefront would ask, each thing to be explained, nothing held."""
        cleaned, currency = self.cleaned_data, self.project.currency
        body: dict[str, Any] = {"options": {"expand": ["trace"]}}
        if self.used_lines:
            body["order"] = {"items": [line.to_wire(currency) for line in self.used_lines]}
        elif cleaned["amount"] is not None:
            body["order"] = {"amount": minor_units(cleaned["amount"], currency)}
        if cleaned["details"]:
            body["order"] = body.get("order", {}) | {"metadata": cleaned["details"]}
        if self.customer_found is not None:
            body["customer"] = {"id": self.customer_found.public_id}
        elif cleaned["customer"]:
            body["customer"] = {"source_id": cleaned["customer"]}
        asked = [
            *(AskedRedeemable("voucher", code) for code in cleaned["codes"]),
            *(AskedRedeemable("promotion_tier", ref) for ref in cleaned["promotions"]),
        ]
        return parse_context(body, tuple(asked))


def _check_line(line: LineForm) -> None:
    what, price = line.cleaned_data["what"], line.cleaned_data["price"]
    known = line.good.price if line.good is not None else None
    if known is None and isinstance(line.good, Sku):
        known = line.good.product.price
    if price is None and known is None:
        stranger = _("It is not in the catalogue: write what one costs.")
        priceless = _("The catalogue has no price for it: write one.")
        line.add_error("price", priceless if line.good or not what else stranger)


def codes_in(text: str) -> list[str]:
    """Return the codes of a text, one a line, once each; a code may have commas and blanks in it."""
    return list(dict.fromkeys(code.strip() for code in text.splitlines() if code.strip()))


def line_count(data: Mapping[str, Any]) -> int:
    """Return how many lines to show: those that are filled in, and some more."""
    filled = [row for row in range(LINES_MAX) if any(data.get(f"lines-{row}-{name}") for name in LINE_FIELDS)]
    wanted = (filled[-1] + 1 if filled else 0) + (LINES_MORE if filled else LINES)
    return min(max(LINES, wanted), LINES_MAX)


def _initial(data: Any) -> dict[str, Any]:
    """Return what a link fills in; codes may stand there several times."""
    return {
        "codes": "\n".join(data.getlist("codes")),
        "promotions": data.getlist("promotions"),
        **{name: data.get(name) for name in ("amount", "customer", "details", "at")},
    }


def _initial_line(data: Mapping[str, Any], row: int) -> dict[str, Any]:
    return {name: data.get(f"lines-{row}-{name}") for name in LINE_FIELDS}
