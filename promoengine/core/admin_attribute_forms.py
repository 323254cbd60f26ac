"""The forms of attributes: kinds, bounds and allowed values in plain words."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from promoengine.core.metadata import KINDS, Definition
from promoengine.core.models import MetadataSchema, SeenAttribute
from promoengine.core.services.metadata_schemas import NAME_MAX
from promoengine.core.services.seen_attributes import example_of

WORDS = {
    "string": gettext_lazy("Text"),
    "number": gettext_lazy("Number"),
    "boolean": gettext_lazy("Yes or no"),
    "date": gettext_lazy("Date"),
    "datetime": gettext_lazy("Date and time"),
    "image_url": gettext_lazy("Address of an image"),
    "geopoint": gettext_lazy("Place on the map"),
    "object": gettext_lazy("Nested object"),
}
SEVERAL = {
    "string": gettext_lazy("Texts"),
    "number": gettext_lazy("Numbers"),
    "boolean": gettext_lazy("Several of yes or no"),
    "date": gettext_lazy("Dates"),
    "datetime": gettext_lazy("Dates and times"),
    "image_url": gettext_lazy("Addresses of images"),
    "geopoint": gettext_lazy("Places on the map"),
    "object": gettext_lazy("Nested objects"),
}
BOUNDS = {
    "min_length": gettext_lazy("at least %(bound)s characters"),
    "max_length": gettext_lazy("at most %(bound)s characters"),
    "exact_length": gettext_lazy("exactly %(bound)s characters"),
    "gte": gettext_lazy("at least %(bound)s"),
    "gt": gettext_lazy("more than %(bound)s"),
    "lte": gettext_lazy("at most %(bound)s"),
    "lt": gettext_lazy("less than %(bound)s"),
}
# What the form asks as least and most, by the type; other bounds are the API's, and stay as they are.
LEAST = {"string": "min_length", "number": "gte"}
MOST = {"string": "max_length", "number": "lte"}
# Guessed in this order: a text may be any of them.
GUESSED = ("boolean", "number", "datetime", "date", "image_url", "geopoint", "object", "string")


class AttributeForm(forms.Form):
    """Defines one attribute; the type of one that is there stays, unless it is an event's."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=NAME_MAX,
        help_text=gettext_lazy("As the shop sends it, as in club_level."),
        widget=UnfoldAdminTextInputWidget,
    )
    type = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=list(WORDS.items()),
        widget=UnfoldAdminSelectWidget(choices=list(WORDS.items()), attrs={"x-model": "type"}),
    )
    nested = forms.ChoiceField(
        label=gettext_lazy("Which nested object"), required=False, widget=UnfoldAdminSelectWidget
    )
    several = forms.BooleanField(
        label=gettext_lazy("May have several values"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    required = forms.BooleanField(
        label=gettext_lazy("Required"),
        required=False,
        help_text=gettext_lazy("What is new must have it; what is there already is left alone."),
        widget=UnfoldBooleanSwitchWidget,
    )
    values = forms.CharField(
        label=gettext_lazy("Allowed values"),
        required=False,
        help_text=gettext_lazy("One a line. Empty means any."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    least = forms.CharField(
        label=gettext_lazy("At least"),
        required=False,
        help_text=gettext_lazy("The smallest number, or the fewest characters of a text."),
        widget=UnfoldAdminTextInputWidget,
    )
    most = forms.CharField(
        label=gettext_lazy("At most"),
        required=False,
        help_text=gettext_lazy("The largest number, or the most characters of a text."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(
        self,
        data: Any,
        *,
        of_event: bool,
        nested: Sequence[str],
        before: Mapping[str, Any] | None,
        name: str = "",
        seen: SeenAttribute | None = None,
    ) -> None:
        """Make the form of the attribute `name`, as it was defined `before` or, if not, as it was seen."""
        super().__init__(data, initial=_initial(before, seen) | {"name": name})
        self.before = before
        self._offer("nested", [("", _("Any object")), *((one, one) for one in nested)])
        if before is not None:
            self.fields["name"].disabled = True
            self.fields["type"].disabled = not of_event
            self.fields["type"].help_text = "" if of_event else _("It can't be changed.")

    @property
    def shown_type(self) -> str:
        """The type that is chosen when the page opens."""
        return str(self["type"].value() or next(iter(WORDS)))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.strip():
            raise forms.ValidationError(_("Write its name."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("type") in LEAST:
            read = _number if cleaned["type"] == "number" else _whole
            for field in ("least", "most"):
                self._read(field, read)
            if cleaned["type"] == "number":
                self._read_values()
            least, most = cleaned.get("least"), cleaned.get("most")
            if least not in (None, "") and most not in (None, "") and least > most:
                self.add_error("most", _("This is less than the least."))
        return cleaned

    def to_definition(self) -> dict[str, Any]:
        """Return the attribute as the services take it."""
        cleaned = self.cleaned_data
        made: dict[str, Any] = {"type": cleaned["type"], "optional": not cleaned["required"]}
        asked = ("eq", LEAST.get(made["type"]), MOST.get(made["type"]), "deleted")
        before = self.before if self.before and self.before["type"] == made["type"] else {}
        kept = {word: value for word, value in before.items() if word not in asked}
        made |= {"array": cleaned["several"]}
        if made["type"] == "object":
            made["object_type"] = cleaned["nested"] or None
        if made["type"] in LEAST:
            values = cleaned["values"] if isinstance(cleaned["values"], list) else _lines(cleaned["values"])
            made |= {"eq": values} if values else {}
            bounds = {LEAST[made["type"]]: cleaned["least"], MOST[made["type"]]: cleaned["most"]}
            made |= {word: bound for word, bound in bounds.items() if bound not in (None, "")}
        return kept | made

    def _offer(self, field: str, choices: list[tuple[Any, Any]]) -> None:
        found: Any = self.fields[field]
        found.choices = found.widget.choices = choices

    def _read(self, field: str, read: Any) -> None:
        text = (self.cleaned_data.get(field) or "").strip()
        if text:
            try:
                self.cleaned_data[field] = read(text)
            except (ValueError, InvalidOperation):
                self.add_error(field, _("Write a number."))

    def _read_values(self) -> None:
        try:
            self.cleaned_data["values"] = [_number(line) for line in _lines(self.cleaned_data["values"])]
        except (ValueError, InvalidOperation):
            self.add_error("values", _("Write one number a line."))


class SchemaForm(forms.Form):
    """Begins the schema of something that has no page of its own yet."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_MAX, widget=UnfoldAdminTextInputWidget)
    kind = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=[
            (MetadataSchema.Kind.EVENT, gettext_lazy("A custom event")),
            (MetadataSchema.Kind.OBJECT, gettext_lazy("An object nested in others")),
        ],
        widget=UnfoldAdminSelectWidget,
    )


def definition_in_words(definition: Mapping[str, Any]) -> str:
    """Say what an attribute is, as in `Texts: one of red, blue`."""
    words = SEVERAL if definition.get("array") else WORDS
    said = str(words[definition["type"]])
    if definition.get("object_type"):
        said = f"{said} ({definition['object_type']})"
    bounds = [
        str(words) % {"bound": definition[name]} for name, words in BOUNDS.items() if name in definition
    ]
    if definition.get("eq"):
        bounds.append(_("one of %(values)s") % {"values": ", ".join(map(str, definition["eq"]))})
    if definition.get("ne"):
        bounds.append(_("none of %(values)s") % {"values": ", ".join(map(str, definition["ne"]))})
    return f"{said}: {', '.join(bounds)}" if bounds else said


def said_of(definition: Definition) -> str:
    """Say what an attribute is, as it is read from its schema."""
    bounds = {"eq": list(definition.eq), "ne": list(definition.ne), **definition.limits}
    return definition_in_words({"type": definition.type, "array": definition.array} | bounds)


def kind_seen(seen: SeenAttribute) -> str:
    """Say what an attribute looks like by the example of it."""
    guessed = _guessed(seen)
    return str((SEVERAL if guessed["several"] else WORDS)[guessed["type"]])


def example_in_words(seen: SeenAttribute) -> str:
    """Show the example of an attribute as people write it: several values separated by commas."""
    example = example_of(seen)
    if isinstance(example, list) and not any(isinstance(one, list | dict) for one in example):
        return ", ".join(map(str, example))
    return example if isinstance(example, str) else seen.example.strip('"')


def _guessed(seen: SeenAttribute) -> dict[str, Any]:
    example, several = example_of(seen), seen.kind == "array"
    values = example if isinstance(example, list) else [example]
    cut = {"boolean": "boolean", "number": "number", "object": "object"}.get(seen.kind, "string")
    fits = (one for one in GUESSED if example not in (None, []) and all(map(KINDS[one].has, values)))
    return {"type": next(fits, cut), "several": several}


def _initial(before: Mapping[str, Any] | None, seen: SeenAttribute | None) -> dict[str, Any]:
    if before is None:
        return _guessed(seen) if seen else {}
    return {
        "type": before["type"],
        "nested": before.get("object_type") or "",
        "several": before.get("array", False),
        "required": not before.get("optional", True),
        "values": "\n".join(map(str, before.get("eq") or ())),
        "least": before.get(LEAST.get(before["type"], ""), ""),
        "most": before.get(MOST.get(before["type"], ""), ""),
    }


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _number(text: str) -> int | float:
    number = Decimal(text)
    if not number.is_finite() or abs(number) >= 10**15:
        raise ValueError(text)
    return int(number) if number == number.to_integral_value() else float(number)


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(text)
    return int(text)
