"""What those who may only look see of a form: its fields in words, under the form's own names."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _
from unfold.decorators import display

Fieldset = tuple[Any, dict[str, Any]]


def labels_of(form: type[forms.ModelForm], model: type[Model]) -> dict[str, Any]:
    """Return what a form calls the columns that it asks for."""
    columns = _columns(model)
    fields = form.base_fields.items()
    return {name: field.label for name, field in fields if field.label and name in columns}


def in_words(form: forms.ModelForm, fieldsets: Sequence[Fieldset]) -> list[Fieldset]:
    """Return fieldsets in which what the form alone knows of its row is said as a text."""
    columns = _columns(form._meta.model)

    def shown(name: Any) -> Any:
        if isinstance(name, tuple):
            return tuple(map(shown, name))
        return name if name in columns or name not in form.fields else _said(form, name)

    return [
        (title, options | {"fields": [shown(name) for name in options["fields"]]})
        for title, options in fieldsets
    ]


def _columns(model: type[Model]) -> set[str]:
    return {column.name for column in model._meta.get_fields()}


def _said(form: forms.ModelForm, name: str) -> Callable[[Model], str]:
    field = form.fields[name]
    text = _words(field, form.get_initial_for_field(field, name))

    @display(description=field.label)
    def said(row: Model) -> str:
        return text

    said.__name__ = name
    return said


def _words(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)
