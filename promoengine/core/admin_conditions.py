"""Filters in forms, without JSON: a few conditions in rows, each of a field, an operator and its values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from promoengine.core.operator_words import operator_in_words

ROWS = 3
NUMBERS_UP_TO = 10**15
CONDITIONS = [
    *(f"{name}_{row}" for row in range(ROWS) for name in ("field", "key", "operator", "value")),
    "junction",
]

JUNCTIONS = {"and": gettext_lazy("All of them"), "or": gettext_lazy("Any of them")}

Choices = Sequence[tuple[str, Any]]


def shown_if(is_asked: str, keyed: Sequence[str]) -> dict[str, str]:
    """Return when each input is shown: a condition once there is one before it, the rest once it has a field.

    `is_asked` says, as the page does, whether there is a filter; fields that are `keyed` have a name besides.
    """
    shown = {"field_0": is_asked, "junction": f"{is_asked} && field_1 != ''"}
    for row in range(ROWS):
        if row:
            shown[f"field_{row}"] = f"{is_asked} && field_{row - 1} != ''"
        shown |= dict.fromkeys((f"operator_{row}", f"value_{row}"), f"{is_asked} && field_{row} != ''")
        has_key = " || ".join(f"field_{row} == '{name}'" for name in keyed)
        shown[f"key_{row}"] = f"{is_asked} && ({has_key})"
    return shown


def condition_fields(
    row: int, *, fields: Choices, operators: Choices, key: forms.Field, values: forms.Field
) -> dict[str, forms.Field]:
    """Return the fields of one condition; `key` asks for the name that some fields have besides."""
    return {
        f"field_{row}": forms.ChoiceField(
            label=gettext_lazy("And what") if row else gettext_lazy("What"),
            choices=fields,
            required=False,
            widget=UnfoldAdminSelectWidget(choices=fields),
        ),
        f"key_{row}": key,
        f"operator_{row}": forms.ChoiceField(
            label=gettext_lazy("How"),
            choices=operators,
            required=False,
            widget=UnfoldAdminSelectWidget(choices=operators),
        ),
        f"value_{row}": values,
    }


def text_field(label: Any, *, max_length: int, help_text: Any) -> forms.Field:
    """Return a field of a condition that is typed."""
    return forms.CharField(
        label=label,
        required=False,
        max_length=max_length,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget,
    )


def check_rows(form: forms.BaseForm, fields: Sequence[str], check: Callable[[int], None]) -> None:
    """Have each row checked that is on a field; add errors where none is, and where two are on the same."""
    if not any(fields):
        form.add_error("field_0", _("Say at least one thing that must hold."))
    for row, field in enumerate(fields):
        if field and field in fields[:row]:
            form.add_error(f"field_{row}", _("This stands in another condition already."))
        elif field:
            check(row)


def check_values(form: forms.BaseForm, row: int, *, are_numbers: bool, is_one: bool) -> None:
    """Add an error where a row has no values, others than numbers, or several in place of one."""
    values = split_values(form.cleaned_data.get(f"value_{row}") or "")
    if not values:
        form.add_error(f"value_{row}", _("Write at least one value."))
    elif are_numbers and not all(map(_is_number, values)):
        form.add_error(f"value_{row}", _("Write a number."))
    elif is_one and len(values) > 1:
        form.add_error(f"value_{row}", _("Write one number."))


def split_values(text: str) -> list[str]:
    """Return the values that are typed with commas between them."""
    return [part.strip() for part in text.split(",") if part.strip()]


def split_lines(text: str) -> list[str]:
    """Return what is typed one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _is_number(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and abs(number) < NUMBERS_UP_TO


def filter_in_words(
    filter: Mapping[str, Any], subject_of: Callable[[str], str], shown: Callable[[str, Any], str]
) -> Iterator[str]:
    """Yield what a filter asks, a sentence for each condition.

    `subject_of` is what a field is called, and `shown` a value of a field as people write it.
    """
    for field, asked in filter.items():
        if field == "junction":
            if len(filter) > 2:
                yield f"{_('Which of these must hold')}: {JUNCTIONS[str(asked).lower()]}"
            continue
        for operator, sent in asked["conditions"].items():
            values = sent if isinstance(sent, list) else [sent]
            said = ", ".join(shown(field, value) for value in values)
            yield f"{subject_of(field)} {operator_in_words(operator, said)}"
