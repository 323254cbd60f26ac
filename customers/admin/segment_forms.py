"""The form of segments: customers' ids pasted, or a few conditions without JSON."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from customers.membership import operator_asked, parse_filter
from customers.models import Segment
from promoengine.core.admin_conditions import (
    CONDITIONS,
    JUNCTIONS,
    ROWS,
    check_rows,
    check_values,
    condition_fields,
    filter_in_words,
    shown_if,
    split_lines,
    split_values,
    text_field,
)
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import Project
from promoengine.core.prices import major_units, minor_units, plain_number

MONEY = ("summary.orders.total_amount", "summary.orders.last_order_amount")
FIELDS = {
    "": "---",
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "source_id": gettext_lazy("The shop's own id"),
    "address.city": gettext_lazy("City"),
    "address.country": gettext_lazy("Country"),
    "birthdate": gettext_lazy("Birthday"),
    "created_at": gettext_lazy("Customer since"),
    "summary.orders.total_count": gettext_lazy("Number of paid orders"),
    "summary.orders.total_amount": gettext_lazy("Total of paid orders"),
    "summary.orders.last_order_date": gettext_lazy("Date of the last order"),
    "summary.orders.last_order_amount": gettext_lazy("Amount of the last order"),
    "summary.redemptions.total_succeeded": gettext_lazy("Number of redemptions"),
    "metadata": gettext_lazy("A detail (metadata)"),
    "events": gettext_lazy("How often something happened (custom event)"),
}
KEYED = {"metadata": "metadata.{}", "events": "events.{}.count"}
LAST_EVENT = {"last_event": "events.{}.last_date"}
DATES = ("birthdate", "created_at", "summary.orders.last_order_date")
NUMBERS = ("summary.orders.total_count", *MONEY, "summary.redemptions.total_succeeded", "events")
OPERATORS = {
    "$in": gettext_lazy("is one of %(values)s"),
    "$not_in": gettext_lazy("is none of %(values)s"),
    "$contains": gettext_lazy("contains one of %(values)s"),
    "$starts_with": gettext_lazy("starts with one of %(values)s"),
    "$ends_with": gettext_lazy("ends with one of %(values)s"),
    "$more_than": gettext_lazy("is more than %(values)s"),
    "$less_than": gettext_lazy("is less than %(values)s"),
    "$more_than_ago": gettext_lazy("is more than %(values)s days ago"),
    "$less_than_ago": gettext_lazy("is less than %(values)s days ago"),
    "$today": gettext_lazy("is today"),
    "$this_month": gettext_lazy("is this month"),
    "$next_month": gettext_lazy("is next month"),
    "$has_value": gettext_lazy("is known"),
    "$is_unknown": gettext_lazy("is not known"),
}
# What the API may ask and the form does not offer.
SAID = {
    "description": gettext_lazy("Description"),
    "birthday": gettext_lazy("Birthday"),
    "updated_at": gettext_lazy("Date of the last change"),
    "address.line_1": gettext_lazy("First line of the address"),
    "address.line_2": gettext_lazy("Second line of the address"),
    "address.state": gettext_lazy("State"),
    "address.postal_code": gettext_lazy("Postal code"),
    "summary.orders.average_amount": gettext_lazy("Average of paid orders"),
    "summary.orders.products": gettext_lazy("Products of paid orders"),
    "summary.redemptions.total_redeemed": gettext_lazy("Number of redemptions that hold"),
    "summary.redemptions.total_failed": gettext_lazy("Number of refused redemptions"),
    "summary.redemptions.total_rolled_back": gettext_lazy("Number of redemptions rolled back"),
    "summary.redemptions.total_rollback_failed": gettext_lazy("Number of refused rollbacks"),
    "summary.redemptions.total_rollback_succeeded": gettext_lazy("Number of rollbacks"),
    "summary.redemptions.gift.redeemed_amount": gettext_lazy("Gift credits used"),
    "summary.redemptions.gift.amount_to_go": gettext_lazy("Gift credits left"),
}
KEYED_SAID = {
    "metadata": gettext_lazy("Customer's %(name)s"),
    "events": gettext_lazy("How often “%(name)s” happened"),
    "last_event": gettext_lazy("When “%(name)s” last happened"),
}
MONEY_SAID = (
    *MONEY,
    "summary.orders.average_amount",
    "summary.redemptions.gift.redeemed_amount",
    "summary.redemptions.gift.amount_to_go",
)
BARE = ("$today", "$this_month", "$next_month", "$has_value", "$is_unknown")
OF_DATES = ("$more_than_ago", "$less_than_ago", "$today", "$this_month", "$next_month")
ONE_NUMBER = ("$more_than", "$less_than", "$more_than_ago", "$less_than_ago")
CONDITION_SHOWN = shown_if("type != 'static'", list(KEYED))


class SegmentForm(forms.ModelForm):
    """Makes a segment of listed customers or of those whom up to three conditions find, and changes it."""

    listed = forms.CharField(
        label=gettext_lazy("Customers"),
        required=False,
        help_text=gettext_lazy("The shop's own ids, one a line. The list stays as it is."),
        widget=UnfoldAdminTextareaWidget,
    )
    junction = forms.ChoiceField(
        label=gettext_lazy("Which of these must hold"),
        choices=list(JUNCTIONS.items()),
        required=False,
        widget=UnfoldAdminSelectWidget(choices=list(JUNCTIONS.items())),
    )

    class Meta:
        model = Segment
        fields = ["name", "type"]

    project: Project
    shown: Mapping[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in range(ROWS):
            self.fields |= _condition_fields(row)
        if not self.instance._state.adding:
            del self.fields["listed"]
            if "type" in self.fields:  # unless nobody may change it anyway
                self.fields["type"].disabled = True
            self._show()

    @property
    def has_conditions(self) -> bool:
        """Whether there is a filter, and one that is simple enough for the form."""
        return "junction" in self.fields

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("type") == Segment.Type.STATIC or not self.has_conditions:
            return cleaned
        check_rows(self, [_field(row, self.cleaned_data) for row in range(ROWS)], self._check)
        if not self.errors:
            self._check_whole()
        return cleaned

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the services take it."""
        cleaned = self.cleaned_data
        data: dict[str, Any] = {"name": cleaned["name"], "type": cleaned["type"]}
        if cleaned["type"] == Segment.Type.STATIC:
            return data | {"customers": split_lines(cleaned.get("listed", ""))}
        return data | {"filter": self.filter_to_wire()}

    def changes_to_wire(self) -> dict[str, Any]:
        """Return what was changed as the services take it; a filter that nobody touched stays as it is."""
        data: dict[str, Any] = {"name": self.cleaned_data["name"]}
        if self.has_conditions and self.filter_to_wire() != self._filter(self.shown):
            data["filter"] = self.filter_to_wire()
        return data

    def filter_to_wire(self) -> dict[str, Any]:
        """Return the conditions as a published filter."""
        return self._filter(self.cleaned_data)

    def _filter(self, values: Mapping[str, Any]) -> dict[str, Any]:
        rows = [row for row in range(ROWS) if _field(row, values)]
        conditions = {_field(row, values): self._condition(row, values) for row in rows}
        return {"junction": values.get("junction") or "and", **conditions}

    def _check_whole(self) -> None:
        try:
            parse_filter(self.filter_to_wire())
        except InvalidPayload as refusal:
            self.add_error(None, str(refusal))

    def _show(self) -> None:
        shown = shown_filter(self.instance.filter, self.project.currency) if self.instance.filter else None
        if shown is None:
            for name in CONDITIONS:
                del self.fields[name]
        else:
            self.initial |= shown
            self.shown = shown

    def _check(self, row: int) -> None:
        field, operator = self.cleaned_data[f"field_{row}"], self.cleaned_data.get(f"operator_{row}")
        if field in KEYED and not self.cleaned_data.get(f"key_{row}"):
            self.add_error(f"key_{row}", _("Write its name."))
        if operator in OF_DATES and field not in DATES:
            self.add_error(f"operator_{row}", _("Only dates can be asked this."))
        elif operator not in BARE:
            is_one = operator in ONE_NUMBER
            check_values(self, row, are_numbers=field in NUMBERS or is_one, is_one=is_one)

    def _condition(self, row: int, values: Mapping[str, Any]) -> dict[str, Any]:
        field, operator = values[f"field_{row}"], values[f"operator_{row}"]
        if operator in BARE:
            return {"conditions": {operator: [True]}}
        texts = split_values(values[f"value_{row}"])
        if field in MONEY:
            amounts = [minor_units(Decimal(text), self.project.currency) for text in texts]
            return {"conditions": {operator: amounts}}
        if field in NUMBERS or operator in ONE_NUMBER:
            return {"conditions": {operator: [plain_number(Decimal(text)) for text in texts]}}
        return {"conditions": {operator: texts}}


def _field(row: int, values: Mapping[str, Any]) -> str:
    """Return the published name of the field that a condition is on, empty where there is none."""
    field: str = values.get(f"field_{row}") or ""
    return KEYED[field].format(values.get(f"key_{row}") or "") if field in KEYED else field


def _condition_fields(row: int) -> dict[str, forms.Field]:
    return condition_fields(
        row,
        fields=list(FIELDS.items()),
        operators=[(name, words % {"values": "…"}) for name, words in OPERATORS.items()],
        key=text_field(
            gettext_lazy("Its name"),
            max_length=100,
            help_text=gettext_lazy("As in club_level, or cart_abandoned."),
        ),
        values=text_field(
            gettext_lazy("Values"),
            max_length=5000,
            help_text=gettext_lazy("Separated by commas; amounts as on a price tag."),
        ),
    )


def shown_filter(filter: Mapping[str, Any], currency: str) -> dict[str, Any] | None:
    """Return a filter as the form's fields show it, or None where it says more than they can."""
    asked = [(field, one["conditions"]) for field, one in filter.items() if field != "junction"]
    shown: dict[str, Any] = {"junction": str(filter.get("junction", "and")).lower()}
    if len(asked) > ROWS:
        return None
    for row, (field, conditions) in enumerate(asked):
        if len(conditions) != 1:
            return None
        ((operator, sent),) = conditions.items()
        values = sent if isinstance(sent, list) else [sent]
        operator = operator_asked(field, operator, values)
        name, key = _named(field)
        texts = [_typed(value, name, currency) for value in values]
        if name not in FIELDS or operator not in OPERATORS or None in texts:
            return None
        shown |= {f"field_{row}": name, f"key_{row}": key, f"operator_{row}": operator}
        shown[f"value_{row}"] = "" if operator in BARE else ", ".join(dict.fromkeys(map(str, texts)))
    return shown


def _named(field: str) -> tuple[str, str]:
    """Return what the form calls a field, and the name that is asked for besides."""
    for name, pattern in (KEYED | LAST_EVENT).items():
        before, after = pattern.split("{}")
        if field.startswith(before) and field.endswith(after):
            return name, field.removeprefix(before).removesuffix(after)
    return field, ""


def _typed(value: Any, name: str, currency: str) -> str | None:
    """Return a value as it would be typed, None where it can't be."""
    if isinstance(value, bool):
        return str(value).lower()
    if name in MONEY:
        return f"{major_units(value, currency):f}" if type(value) is int else None
    if not isinstance(value, str | int | float):
        return None
    text = str(value)
    return None if "," in text or text != text.strip() or not text else text


def sentences_of(filter: Mapping[str, Any], currency: str) -> Iterator[str]:
    """Yield what a filter asks, a sentence for each condition."""
    meant = {field: _meant(field, asked) for field, asked in filter.items()}
    return filter_in_words(meant, _subject, lambda field, value: _shown(value, field, currency))


def _meant(field: str, asked: Any) -> Any:
    """Return what a filter asks of a field by the operators that are meant."""
    if field == "junction":
        return asked
    conditions = asked["conditions"].items()
    return {"conditions": {operator_asked(field, operator, sent): sent for operator, sent in conditions}}


def _subject(field: str) -> str:
    name, key = _named(field)
    if key and name in KEYED_SAID:
        return KEYED_SAID[name] % {"name": key}
    return str((FIELDS | SAID).get(field, field))


def _shown(value: Any, field: str, currency: str) -> str:
    if field in MONEY_SAID and type(value) is int:
        return f"{major_units(value, currency):f} {currency}"
    return str(value).lower() if isinstance(value, bool) else str(value)
