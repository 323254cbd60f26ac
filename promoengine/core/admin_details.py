"""Metadata in the dashboard: rows of a name and a value each, without JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from promoengine.engine.values import NUMBER

EMPTY_ROWS, ROWS_MAX, NAME_MAX, VALUE_MAX = 2, 1000, 255, 10_000

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DetailChanges:
    """What was typed over what is stored: values as texts, and the names that were taken away."""

    changed: Mapping[str, str] = field(default_factory=dict)
    dropped: Sequence[str] = ()


class DetailsWidget(forms.Widget):
    """Rows of two inputs, those that are filled and some empty ones."""

    def format_value(self, value: Any) -> list[Any]:
        """Return the rows to show: of metadata as stored, or as they were posted."""
        if isinstance(value, Mapping):
            return [(name, text_of(one), is_plain(one)) for name, one in value.items()]
        return [(name, text, True) for name, text in value or ()]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        rows = [*self.format_value(value), *[("", "", True)] * EMPTY_ROWS]
        return render_to_string("dashboard/details.html", {"name": name, "rows": rows})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Pair]:
        texts = zip(data.getlist(f"{name}-name"), data.getlist(f"{name}-value"), strict=False)
        return [pair for one, text in texts if any(pair := (one.strip(), text.strip()))]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-name" not in data


class DetailsField(forms.Field):
    """Metadata as rows; cleaned, it is the pairs of texts, each name once."""

    widget = DetailsWidget

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data != [(name, text_of(value)) for name, value in (initial or {}).items()])

    def clean(self, value: Sequence[Pair] | None) -> list[Pair]:
        pairs = list(value or ())
        names = [name for name, _text in pairs]
        if len(pairs) > ROWS_MAX:
            raise forms.ValidationError(_("Up to %(count)s details are possible.") % {"count": ROWS_MAX})
        for name, text in pairs:
            if not name:
                raise forms.ValidationError(_("Write a name beside %(value)s.") % {"value": text[:50]})
            if len(name) > NAME_MAX or len(text) > VALUE_MAX:
                raise forms.ValidationError(_("%(name)s is too long.") % {"name": name[:50]})
            if names.count(name) > 1:
                raise forms.ValidationError(_("%(name)s stands there twice.") % {"name": name})
        return pairs


def detail_changes(stored: Mapping[str, Any], pairs: Sequence[Pair]) -> DetailChanges:
    """Return what typed pairs change; a value whose text is still the stored one's stays what it is."""
    typed = dict(pairs)
    changed = {
        name: text for name, text in typed.items() if name not in stored or text_of(stored[name]) != text
    }
    return DetailChanges(changed, [name for name in stored if name not in typed])


def value_of(text: str) -> Any:
    """Return the value that a text stands for where no schema says: a number, true, false, or the text."""
    if text in ("true", "false"):
        return text == "true"
    if NUMBER.fullmatch(text) and len(text) <= 15:
        return float(text) if "." in text else int(text)
    return text


def text_of(value: Any) -> str:
    """Return a value as its row shows it; parts of a list or an object are separated by commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {text_of(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(text_of, value))
    return "" if value is None else str(value).strip()


def is_plain(value: Any) -> bool:
    """Return whether a value can be typed; lists and objects are shown, and stay or go as a whole."""
    return not isinstance(value, Mapping | list)


def details_in_words(metadata: Mapping[str, Any]) -> str:
    """Return metadata for those who may only look."""
    return format_html_join("", "<p>{}: {}</p>", ((name, text_of(one)) for name, one in metadata.items()))
