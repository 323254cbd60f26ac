"""Defined attributes as fields of other forms: a marketer fills in what the schema says, without JSON."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from promoengine.core.admin_attribute_forms import said_of
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.metadata import Definition, Schema
from promoengine.core.models import Project
from promoengine.core.services.metadata import schemas_now

PREFIX = "attribute_"
YES_NO = [("", "---"), ("true", _("yes")), ("false", _("no"))]
INPUT_TYPES = {"date": "date", "image_url": "url"}


class AttributeFields(forms.ModelForm):
    """Mix-in of forms whose rows have metadata; `asks_required` where what is new must have what is required.

    Nested objects have no field: what there is of them stays.
    """

    project: Project
    asks_required = True
    shown: Mapping[str, tuple[str, Definition]]

    def schema_name(self) -> str:
        """Return the name of the schema that the row's metadata are held to."""
        raise NotImplementedError

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shown = fields_of(schemas_now(self.project).objects.get(self.schema_name()))
        stored: Mapping[str, Any] = self.instance.metadata
        for field, (name, definition) in self.shown.items():
            self.fields[field] = _field(name, definition)
            is_asked = self.asks_required and self.instance._state.adding
            self.fields[field].required = not definition.optional and (is_asked or name in stored)
            self.initial[field] = _text(stored.get(name))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for field, (_name, definition) in self.shown.items():
            text = (cleaned.get(field) or "").strip()
            cleaned[field] = _value(text, definition) if text else None
            values = cleaned[field] if definition.array else [cleaned[field]]
            if text and not all(map(definition.allows, values)):
                self.add_error(field, _("This should be: %(what)s") % {"what": said_of(definition)})
        return cleaned

    @property
    def own_changes(self) -> list[str]:
        """The names of what was changed besides attributes."""
        return [name for name in self.changed_data if name not in self.shown]

    def metadata_to_wire(self) -> dict[str, Any]:
        """Return the attributes that were changed; one that was emptied is null."""
        changed = [field for field in self.shown if field in self.changed_data]
        values = {self.shown[field][0]: self.cleaned_data[field] for field in changed}
        return {"metadata": values} if values else {}


def fields_of(schema: Schema | None) -> dict[str, tuple[str, Definition]]:
    """Return the attributes that a form can ask for, by the names of their fields."""
    known = schema.properties.items() if schema else ()
    simple = [(name, definition) for name, definition in known if definition.type != "object"]
    return {f"{PREFIX}{place}": attribute for place, attribute in enumerate(simple)}


def attribute_fieldset(
    admin: ProjectModelAdmin, request: HttpRequest, obj: Model | None, schema_name: str
) -> list[tuple[Any, dict[str, Any]]]:
    """Return the part of a form that asks for attributes: none where none are defined or may be set."""
    if not (admin.has_change_permission(request, obj) if obj else admin.has_add_permission(request)):
        return []
    fields = [*fields_of(schemas_now(current_project(request)).objects.get(schema_name))]
    return [(_("Attributes"), {"fields": fields})] if fields else []


def _field(name: str, definition: Definition) -> forms.Field:
    if definition.array:
        widget: Any = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        return forms.CharField(label=name, help_text=_("One a line."), widget=widget)
    if definition.type == "boolean" or definition.eq:
        choices = YES_NO
        if definition.eq:
            choices = [("", "---"), *((_text(one), _text(one)) for one in definition.eq)]
        return forms.ChoiceField(label=name, choices=choices, widget=UnfoldAdminSelectWidget(choices=choices))
    widget = UnfoldAdminTextInputWidget(attrs={"type": INPUT_TYPES.get(definition.type, "text")})
    says = "" if definition.type == "string" and not definition.limits else said_of(definition)
    return forms.CharField(label=name, help_text=says, widget=widget)


def _value(text: str, definition: Definition) -> Any:
    if not definition.array:
        return definition.read_text(text)
    return [definition.read_one(line.strip()) for line in text.splitlines() if line.strip()]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
