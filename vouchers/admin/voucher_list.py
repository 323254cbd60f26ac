"""The dashboard's list of codes: what it can be filtered by, in plain words, and its pages."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.paginator import Paginator
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.forms import AutocompleteDropdownForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns.models import Campaign
from promoengine.core.admin_project import current_project, total_in_words
from promoengine.core.errors import InvalidPayload
from promoengine.core.ids import parse_key
from promoengine.core.models import Project
from promoengine.core.pages import Total
from promoengine.core.services.metadata import schemas_now
from vouchers.models import Voucher
from vouchers.search import Found, find_codes
from vouchers.selections import Selection, parse_selection

AFTER, BEFORE = "after", "before"
# How the address of the list calls what a selection asks.
WORDS = {
    "search": "q",
    "campaign": "campaign__id__exact",
    "type": "type__exact",
    "active": "active__exact",
    **{
        name: name
        for name in (
            *("state", "holder", "attribute", "value", "created_from", "created_to"),
            *("starts_from", "starts_to", "ends_from", "ends_to"),
        )
    },
}
NOTHING_FOUND = Found([], Total(0), None, None, 0)


def selection_of(query: QueryDict) -> Selection:
    """Return the codes that the list's address, or the picked codes in it, say.

    Raises:
        InvalidPayload: it says none.
    """
    said: Mapping[str, Any] = {name: query.get(word, "") for name, word in WORDS.items()}
    return parse_selection({**said, "picked": query.getlist("picked")})


def _besides_code(query: QueryDict) -> Selection:
    return replace(selection_of(query), search="")


def in_words(project: Project, selection: Selection) -> list[str]:
    """Return what a selection asks for, each thing in a few words; nothing where it is of all codes."""
    if selection.picked:
        return [str(_("Those that you picked"))]
    said = []
    if selection.campaign:
        name = Campaign.objects.filter(project=project, pk=selection.campaign).values_list("name", flat=True)
        said.append(str(_("of the campaign %(name)s") % {"name": name.first() or "?"}))
    if selection.search:
        said.append(str(_("with “%(text)s” in the code") % {"text": selection.search}))
    if selection.holder:
        said.append(str(_("held by “%(text)s”") % {"text": selection.holder}))
    if selection.state:
        said.append(str(Voucher.State(selection.state).label))
    if selection.type:
        said.append(str(Voucher.Type(selection.type).label))
    if selection.active is not None:
        said.append(str(_("enabled") if selection.active else _("disabled")))
    said += _periods_in_words(selection)
    if selection.attribute and selection.value:
        words = _("whose “%(name)s” is “%(value)s”")
        said.append(str(words % {"name": selection.attribute, "value": selection.value}))
    elif selection.attribute:
        said.append(str(_("that have “%(name)s”") % {"name": selection.attribute}))
    return said


def _periods_in_words(selection: Selection) -> list[str]:
    moments = [
        (_("made from %(at)s"), selection.created_from),
        (_("made before %(at)s"), selection.created_to),
        (_("beginning from %(at)s"), selection.starts_from),
        (_("beginning before %(at)s"), selection.starts_to),
        (_("ending from %(at)s"), selection.ends_from),
        (_("ending before %(at)s"), selection.ends_to),
    ]
    return [
        str(words % {"at": date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")})
        for words, at in moments
        if at
    ]


def _choices(kind: Any) -> list[tuple[str, Any]]:
    return [("", _("All")), *kind.choices]


def _text(**attrs: str) -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", **attrs})


def _day(label: Any) -> forms.Field:
    return forms.CharField(label=label, required=False, widget=_text(type="date"))


class CodesFilterForm(forms.Form):
    """What the list is filtered by besides the code itself; all of it together."""

    state = forms.ChoiceField(
        label=_("State"),
        choices=_choices(Voucher.State),
        required=False,
        widget=UnfoldAdminSelectWidget(choices=_choices(Voucher.State)),
    )
    holder = forms.CharField(
        label=_("Holder"),
        required=False,
        help_text=_("Part of the e-mail address, or the shop's own id"),
        widget=_text(),
    )
    type__exact = forms.ChoiceField(
        label=_("Kind"),
        choices=_choices(Voucher.Type),
        required=False,
        widget=UnfoldAdminSelectWidget(choices=_choices(Voucher.Type)),
    )
    created_from, created_to = _day(_("Made from")), _day(_("until"))
    starts_from, starts_to = _day(_("Begins from")), _day(_("until"))
    ends_from, ends_to = _day(_("Ends from")), _day(_("until"))
    attribute = forms.CharField(label=_("Attribute"), required=False, widget=_text(list="voucher-attributes"))
    value = forms.CharField(
        label=_("is"), required=False, help_text=_("Empty finds whatever has the attribute."), widget=_text()
    )

    Media = AutocompleteDropdownForm.Media

    def __init__(self, project: Project, said: Mapping[str, str]) -> None:
        super().__init__(initial=said)
        self.fields[WORDS["campaign"]] = forms.ModelChoiceField(
            Campaign.objects.filter(project=project),
            label=_("Campaign"),
            required=False,
            widget=AutocompleteSelect(
                Voucher._meta.get_field("campaign"),
                admin.site,
                attrs={"class": "unfold-filter-autocomplete", "data-placeholder": _("Type its name")},
            ),
        )

    def first(self) -> list[Any]:
        return [self[name] for name in (WORDS["campaign"], "state", "holder", "type__exact")]

    def periods(self) -> list[tuple[Any, Any]]:
        names = ("created", "starts", "ends")
        return [(self[f"{name}_from"], self[f"{name}_to"]) for name in names]


class CodesFilter(admin.ListFilter):
    """All filters of the list in one form, which are applied together."""

    title = _("codes")
    template = "vouchers/codes_filter.html"
    form_class = CodesFilterForm

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.request = request
        for word in self.expected_parameters():
            if word in params:
                self.used_parameters[word] = params.pop(word)[-1]
        # Of another filter there is another first page; the form leaves the place out.
        self.used_parameters |= {AFTER: "", BEFORE: ""}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str]:
        return [word for name, word in WORDS.items() if name != "search"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> QuerySet[Voucher]:
        """Return all that match, for who changes or exports them; the page itself is found another way."""
        try:
            return queryset.filter(_besides_code(request.GET).sought(current_project(request)).indexed)
        except InvalidPayload as refusal:
            raise IncorrectLookupParameters(refusal.details) from refusal

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        project = current_project(self.request)
        said = {word: text for word, text in self.used_parameters.items() if text}
        if not parse_key(said.get(WORDS["campaign"], "")):
            said.pop(WORDS["campaign"], None)
        schema = schemas_now(project).objects.get("voucher")
        yield {
            "form": CodesFilterForm(project, said),
            "attributes": sorted(schema.properties) if schema else [],
            "switched": said.get("active__exact"),
        }
        # What is filtered by, for who says it in words; of a wrong filter the page says why it is.
        with suppress(InvalidPayload):
            for words in in_words(project, _besides_code(self.request.GET)):
                yield {"selected": True, "display": words}


class FoundPaginator(Paginator):
    """The page that a search found, with the ways to the pages beside it."""

    template_name = "vouchers/codes_pages.html"

    def __init__(self, found: Found, per_page: int) -> None:
        super().__init__(found.rows, per_page)
        self.found = found

    @property
    def total_in_words(self) -> str:
        return total_in_words(self.found.total)


class CodesList(ChangeList):
    """A page of codes by its place among them, not by its number: a deep one costs what the first does."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str] | None = None
    ) -> QuerySet[Voucher]:
        for word in (AFTER, BEFORE):
            self.params.pop(word, None)
            self.filter_params.pop(word, None)
        try:
            rows = super().get_queryset(request, exclude_parameters)
        except IncorrectLookupParameters:  # the page says why
            rows = self.root_queryset.none()
            self.clear_all_filters_qs = "?"
        self.has_active_filters = any(
            request.GET.get(word) for name, word in WORDS.items() if name != "search"
        )
        return rows

    def get_results(self, request: HttpRequest) -> None:
        found = self._found(request)
        if found.meant:
            url = self.get_query_string({SEARCH_VAR: found.meant})
            link = format_html('<a class="underline" href="{}">{}</a>', url, found.meant)
            messages.info(request, format_html(str(_("No code is just that. Did you mean {}?")), link))
        self.paginator = FoundPaginator(found, self.list_per_page)
        self.result_list = found.rows
        self.result_count = self.full_result_count = found.total.count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.is_first = not (request.GET.get(AFTER) or request.GET.get(BEFORE))

    def place_links(self) -> dict[str, str | None]:
        """Return the addresses of the pages beside this one and of the first."""
        found: Found = self.paginator.found
        return {
            "first": None if self.is_first else self.get_query_string(),
            "previous": self.get_query_string({BEFORE: found.before}) if found.before else None,
            "next": self.get_query_string({AFTER: found.after}) if found.after else None,
        }

    def _found(self, request: HttpRequest) -> Found:
        try:
            found = find_codes(
                current_project(request),
                selection_of(request.GET),
                limit=self.list_per_page,
                after=parse_key(request.GET.get(AFTER, "")),
                before=parse_key(request.GET.get(BEFORE, "")),
            )
        except InvalidPayload as refusal:
            messages.error(request, refusal.details)
            return NOTHING_FOUND
        prefetch_related_objects(found.rows, "holder")
        return found
