"""Picking several things by name: what is picked is ticked, what a search finds can be ticked too."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from campaigns.catalogue_search import Named

KINDS = {
    "product": _("Product"),
    "sku": _("SKU"),
    "products_collection": _("Collection"),
    "segment": _("Segment"),
    "location": _("Location"),
    "promotion_tier": _("Promotion"),
}


class PickWidget(forms.CheckboxSelectMultiple):
    """Shows what is picked; its search asks the page at `url_name` for more."""

    input_type = "search"

    def __init__(self, url_name: str, search_label: Any) -> None:
        super().__init__()
        self.url_name, self.search_label = url_name, search_label
        self.known: Mapping[str, Named] = {}

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        picked = [self.known[one] for one in value or () if one in self.known]
        context = {
            "name": name,
            "url": reverse(self.url_name),
            "search_label": self.search_label,
            "id": self.id_for_label((attrs or {}).get("id", f"id_{name}")),
            "options": _options(picked, []),
        }
        return mark_safe(render_to_string("campaigns/picker.html", context))

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """Return the id of the search, which the field's label is for."""
        return id_


class PickField(forms.MultipleChoiceField):
    """Ids of things that `show` has made known; nothing else can be picked."""

    widget: PickWidget

    def __init__(self, *, url_name: str, search_label: Any, **kwargs: Any) -> None:
        super().__init__(widget=PickWidget(url_name, search_label), **kwargs)

    def show(self, known: Mapping[str, Named]) -> None:
        """Make known what may be picked, by its id."""
        self.widget.known = known
        # Through the property the widget would get them too, which shows only what is picked.
        self.choices = [(one.id, one.name) for one in known.values()]


def picker_options(request: HttpRequest, picked: Mapping[str, Named], found: Iterable[Named]) -> HttpResponse:
    """Return the ticked and the found, for the list below the search field."""
    options = _options(picked.values(), [one for one in found if one.id not in picked])
    name = request.GET.get("name", "")
    return render(
        request, "campaigns/picker_options.html", {"options": options, "name": name, "is_search": True}
    )


def picked_in(request: HttpRequest) -> list[str]:
    """Return the ids that are ticked in the picker that asks."""
    return request.GET.getlist(request.GET.get("name", ""))


def searched_in(request: HttpRequest, field: str = "find") -> str:
    """Return what is looked for, without what no text in the database can have."""
    return request.GET.get(field, "").replace("\0", "").strip()


def _options(picked: Iterable[Named], found: Iterable[Named]) -> list[dict[str, Any]]:
    rows = [(one, True) for one in picked] + [(one, False) for one in found]
    return [
        {"id": one.id, "name": one.name, "kind": KINDS.get(one.kind, ""), "is_picked": is_picked}
        for one, is_picked in rows
    ]
