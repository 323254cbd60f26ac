"""One condition of a rule as a row of a form, and whether a stored one can be shown so without loss."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.admin.picker import PickField
from campaigns.catalogue_search import Named
from campaigns.rule_sentences import COUNTED, SUBJECTS, WINDOWS
from campaigns.rule_subjects import (
    GROUPS,
    Kind,
    operator_in_words,
    operators_of,
    takes_several,
    value_kind,
)
from promoengine.core.models import Project
from promoengine.core.prices import major_units, minor_units, plain_number
from promoengine.core.services.metadata import schemas_at
from promoengine.engine.findings import KINDS
from promoengine.engine.rules import MESSAGE_MAX, InvalidRule, parse_rule

PICKED = {Kind.GOODS: "goods", Kind.SEGMENT: "segments", Kind.PLACE: "locations"}
FIELDS = ("subject", "property_name", "operator", "value", *PICKED.values(), "units", "message")
WITH_UNITS = "order.items.any"
UNITS = "order.items.aggregated_quantity"
# The schema with the attributes that a condition may ask about.
DETAILS_OF = {
    "customer.metadata": "customer",
    "order.metadata": "order",
    "redemption.metadata": "redemption",
    "product.metadata": "product",
}
YES_NO = [("true", _("yes")), ("false", _("no"))]
EXAMPLES = {Kind.MONEY: "100.00", Kind.NUMBER: "3"}


class ConditionForm(forms.Form):
    """A subject, an operator that fits it, and its values; a row without a subject says nothing."""

    subject = forms.ChoiceField(required=False, label=_("What"), widget=UnfoldAdminSelectWidget)
    property_name = forms.CharField(
        required=False,
        max_length=255,
        label=_("Which detail"),
        help_text=_("Its name, as in color."),
        widget=UnfoldAdminTextInputWidget,
    )
    operator = forms.ChoiceField(required=False, label=_("How"), widget=UnfoldAdminSelectWidget)
    value = forms.CharField(
        required=False, max_length=5000, label=_("Value"), widget=UnfoldAdminTextInputWidget
    )
    goods = PickField(
        required=False,
        url_name="admin:campaigns_rule_goods",
        search_label=_("Find products, SKUs and collections"),
        label=_("Products"),
    )
    segments = PickField(
        required=False,
        url_name="admin:campaigns_rule_segments",
        search_label=_("Find a segment"),
        label=_("Segments"),
    )
    locations = PickField(
        required=False,
        url_name="admin:campaigns_rule_locations",
        search_label=_("Find a location"),
        label=_("Locations"),
        help_text=_("The detail holds latitude and longitude, as in 52.2297, 21.0122."),
    )
    units = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000_000,
        label=_("At least so many units of them"),
        help_text=_("Empty means one."),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    message = forms.CharField(
        required=False,
        max_length=MESSAGE_MAX,
        label=_("Told to customers who do not meet it"),
        help_text=_("Empty means what the rule says."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(
        self,
        project: Project,
        row: int,
        *,
        values: Mapping[str, Any],
        known: Mapping[str, Named],
        stored: Mapping[str, Any] | None = None,
        is_bound: bool = False,
    ) -> None:
        """Make a row of `values` by field; `known` may be picked; `stored` are goods as the wire has them."""
        prefix = f"conditions-{row}"
        filled = {f"{prefix}-{name}": value for name, value in values.items()}
        if is_bound:
            super().__init__(filled, prefix=prefix)
        else:
            super().__init__(prefix=prefix, initial=dict(values))
        self.project, self.row, self.stored = project, row, dict(stored or {})
        self.details: list[str] = []
        self.name: str = values["subject"] if values.get("subject") in KINDS else ""
        self._choose(values, known)

    @property
    def is_used(self) -> bool:
        return bool(self.name)

    @property
    def kind(self) -> Kind:
        """How the values of the chosen operator are written."""
        return value_kind(self.name, self.operator_name) if self.name else Kind.NOTHING

    def _choose(self, values: Mapping[str, Any], known: Mapping[str, Named]) -> None:
        """Offer only what fits what has been chosen so far."""
        self._offer("subject", subject_choices(self.name))
        for name in PICKED.values():
            cast(PickField, self.fields[name]).show(known)
        given = values.get("operator")
        fitting = operators_of(self.name, beside=given) if self.name else ()
        self.operator_name: str = given if given in fitting else next(iter(fitting), "")
        self._offer("operator", [(one, operator_in_words(one)) for one in fitting])
        if not self.is_bound:
            self.initial["operator"] = self.operator_name
        shown = {"subject", "operator", "message"} if self.name else {"subject"}
        if self.name:
            shown |= {PICKED.get(self.kind, "value")} if self.kind is not Kind.NOTHING else set()
            shown |= {"property_name"} if KINDS[self.name].needs_property else set()
            shown |= {"units"} if (self.name, self.operator_name) == (WITH_UNITS, "$is") else set()
        for name in [*self.fields]:
            if name not in shown:
                del self.fields[name]
        if "property_name" in self.fields:
            self._suggest_details()
        if "value" in self.fields:
            self._show_value()

    def _suggest_details(self) -> None:
        """Offer the attributes that are defined of what is asked about; others may be written."""
        schemas = schemas_at(self.project, self.project.definitions_version)
        schema = schemas.objects.get(DETAILS_OF.get(self.name, "order_item"))
        self.details = sorted(schema.properties) if schema else []
        self.fields["property_name"].widget.attrs["list"] = f"details-{self.row}"

    def _show_value(self) -> None:
        field, several = self.fields["value"], takes_several(self.name, self.operator_name)
        if self.kind is Kind.YES_NO:
            field.widget = UnfoldAdminSelectWidget(choices=YES_NO)
        elif self.kind is Kind.DATE:
            field.widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})
        elif self.kind is Kind.MONEY:
            field.label = _("Amount, %(currency)s") % {"currency": self.project.currency}
            field.widget.attrs["placeholder"] = EXAMPLES[self.kind]
        elif self.kind is Kind.TEXT and several:
            field.help_text = _("Several are separated by commas.")

    def _offer(self, name: str, choices: Sequence[tuple[Any, Any]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "property_name" in self.fields and not cleaned.get("property_name"):
            self.add_error("property_name", _("Write the name of the detail, as in color."))
        for name in PICKED.values():
            if name in self.fields and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Find and tick at least one."))
        if "value" in self.fields and "value" not in self.errors:
            cleaned["values"] = self._values(cleaned.get("value") or "")
        if self.name and not self.errors:
            self._refuse_what_can_not_be_meant()
        return cleaned

    def _refuse_what_can_not_be_meant(self) -> None:
        try:
            parse_rule({"rules": {"1": self.to_wire()}})
        except InvalidRule:
            self.add_error("value" if "value" in self.fields else None, _("This can not be meant here."))

    def _values(self, text: str) -> list[Any]:
        several = takes_several(self.name, self.operator_name)
        texts = [part.strip() for part in text.split(",")] if several else [text.strip()]
        texts = [part for part in texts if part]
        if not texts:
            self.add_error("value", _("Write a value."))
        read = {Kind.MONEY: self._money, Kind.NUMBER: self._number, Kind.DATE: self._date}.get(self.kind)
        if self.kind is Kind.YES_NO:
            return [text == "true"]
        if read is None:
            return texts
        try:
            return [read(part) for part in texts]
        except (InvalidOperation, ValueError, OverflowError):
            wrong = _("Write a date.") if self.kind is Kind.DATE else _("Write a number, as in 12.50.")
            self.add_error("value", wrong)
            return []

    def _money(self, text: str) -> int:
        return minor_units(_decimal(text), self.project.currency)

    def _number(self, text: str) -> int | float:
        return plain_number(_decimal(text))

    def _date(self, text: str) -> str:
        return date.fromisoformat(text).isoformat()

    def to_wire(self) -> dict[str, Any]:
        """Return the condition of a valid row as the wire has it."""
        cleaned = self.cleaned_data
        wire: dict[str, Any] = {"name": self.name}
        if "property_name" in self.fields:
            wire["property"] = cleaned["property_name"]
        values = cleaned.get("values", [])
        if "goods" in self.fields:
            values = [self.stored.get(one, {"id": one}) for one in cleaned["goods"]]
        for name in ("segments", "locations"):
            values = cleaned[name] if name in self.fields else values
        wire["conditions"] = {self.operator_name: values}
        if units := cleaned.get("units"):
            inner = {"name": UNITS, "conditions": {"$more_than_or_equal": [units]}, "rules": {}}
            wire["rules"] = {"1": inner, "logic": "1"}
        else:
            wire["rules"] = {}
        if cleaned.get("message"):
            wire["error"] = {"message": cleaned["message"]}
        return wire


def shown_condition(wire: Mapping[str, Any], currency: str) -> dict[str, Any] | None:
    """Return a stored condition as the fields of a row, or None where that can't be said in one."""
    conditions, name = wire.get("conditions"), wire.get("name")
    if not isinstance(conditions, Mapping) or len(conditions) != 1 or name not in KINDS:
        return None
    ((operator, values),) = conditions.items()
    if operator not in operators_of(name, beside=operator) or not isinstance(values, list):
        return None
    kind = value_kind(name, operator)
    shown = {
        "subject": name,
        "operator": operator,
        "property_name": wire.get("property") or "",
        "message": (wire.get("error") or {}).get("message") or "",
    }
    if kind in PICKED:
        shown[PICKED[kind]] = [ref for value in values if (ref := id_in(value))]
        inner = (wire.get("rules") or {}).get("1") or {}
        shown["units"] = next(iter((inner.get("conditions") or {}).get("$more_than_or_equal") or []), None)
    else:
        shown["value"] = ", ".join(_text(value, kind, currency) for value in values)
    return shown


def id_in(value: Any) -> str:
    """Return the id that a condition names a good by."""
    found = value.get("id") or value.get("source_id") if isinstance(value, Mapping) else value
    return str(found or "")


def subject_choices(own: str) -> list[tuple[Any, Any]]:
    """Return what a condition may be about, in groups; `own` is among them even where it is not usual."""
    groups: list[tuple[Any, Any]] = [
        (title, [(name, subject_in_words(name)) for name in names]) for title, names in GROUPS
    ]
    usual = {name for _title, names in GROUPS for name in names}
    other = [(own, subject_in_words(own))] if own and own not in usual else []
    return [("", "---"), *groups, *other]


def subject_in_words(name: str) -> str:
    """Return what a condition is about, as in `Order amount`."""
    if name in SUBJECTS:
        return SUBJECTS[name] % {"property": _("detail (metadata)")}
    head, _dot, window = name.rpartition(".")
    return f"{COUNTED[head]}, {WINDOWS[window]}" if window in WINDOWS else str(COUNTED[name])


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number) >= 10**12:
        raise ValueError(text)
    return number


def _text(value: Any, kind: Kind, currency: str) -> str:
    if kind is Kind.MONEY and isinstance(value, int):
        return f"{major_units(value, currency):f}"
    return str(value).lower() if isinstance(value, bool) else str(value)
