"""The dashboard works in one project at a time: what it lists and changes is of that project alone."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from promoengine.core.admin_looking import Fieldset, in_words, labels_of
from promoengine.core.errors import DomainError, QueryTooLarge
from promoengine.core.models import Project
from promoengine.core.pages import PAGE_MAX, Total, bounded, total_of

SESSION_KEY = "project"
QUICKLY_FOUND = 20
# How a refusal names the property that it is about.
NAMED = re.compile(r"Property \.(\w+)|required property '(\w+)'|exists with (\w+) ")


def current_project(request: HttpRequest) -> Project:
    """Return the project the user works in: the one they chose, else the oldest; one look-up a request.

    Raises:
        Project.DoesNotExist: there is none at all.
    """
    kept: Project | None = getattr(request, "_project", None)
    if kept is None:
        projects = Project.objects.filter(deleted_at=None)
        key = request.session.get(SESSION_KEY)
        chosen = projects.filter(key=key).first() if key else None
        kept = request._project = chosen or projects.earliest("created_at")
    return kept


def work_in(request: HttpRequest, project: Project) -> None:
    """Make it the project that the user works in from now on."""
    request.session[SESSION_KEY] = project.key
    request._project = project


def user_id(request: HttpRequest) -> str:
    """Return what tells the user apart, as rows keep who deleted them."""
    return f"user_{request.user.pk}"


def total_in_words(total: Total) -> str:
    """Return how many there are, or about how many where nobody counted."""
    words = _("about %(number)s in all") if total.is_estimate else _("%(number)s in all")
    return words % {"number": f"{total.count:,}"}


def is_quick_search(request: HttpRequest) -> bool:
    """Return whether the search of the whole dashboard asks, which shows whatever it is given."""
    return request.resolver_match is not None and request.resolver_match.url_name == "search"


def refused_form(form: type[ModelForm], refusal: DomainError, fields: Mapping[str, str]) -> type[ModelForm]:
    """Return the form so that it says, beside what was typed, why a service refused it.

    `fields` are the form's by what refusals call them: a kind of thing that was not found, or a property.
    """
    text = str(refusal)
    found = NAMED.search(text)
    named = next(filter(None, found.groups())) if found else str(refusal.resource_type)
    named = fields.get(named, named)

    class Refused(form):  # type: ignore[misc, valid-type]
        def full_clean(self) -> None:
            super().full_clean()
            if self.is_bound:
                self.add_error(named if named in self.fields else None, text)

    return Refused


class LongListPaginator(Paginator):
    """Pages of a list that may be very long: the thousandth is the last, and the total may be about right.

    What lies before a page is stepped over by its keys alone, which an index gives.
    """

    template_name = "dashboard/pagination.html"

    @cached_property
    def total(self) -> Total:
        with bounded():
            return total_of(self.object_list)

    @property
    def total_in_words(self) -> str:
        return total_in_words(self.total)

    @cached_property
    def count(self) -> int:
        return self.total.count

    @cached_property
    def num_pages(self) -> int:
        # An estimate may be too low, and must not hide rows.
        return PAGE_MAX if self.total.is_estimate else min(super().num_pages, PAGE_MAX)

    def page(self, number: int) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        with bounded():
            keys = list(self.object_list.values_list("pk", flat=True)[first : first + self.per_page])
        return self._get_page(self.object_list.filter(pk__in=keys), number, self)


class ProjectModelAdmin(ModelAdmin):
    """Lists and changes rows of the current project; a service's refusal becomes a message."""

    paginator = LongListPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each would count the whole table
    list_per_page = 50
    list_fullwidth = True
    compressed_fields = True
    # Which field a refusal stands at, where it calls it by another name.
    refused_fields: Mapping[str, str] = {}
    # What the list says where there are no rows at all.
    nothing_yet: Any = ""
    # What becomes of a row that is deleted, for those who are asked whether they are sure.
    deletion_says: Any = gettext_lazy("This can't be undone.")
    # What is shown of a row to those who may not change it, where its form asks for more than the row has.
    looked_at: Sequence[Any] = ()

    def only_looks(self, request: HttpRequest, obj: Model | None) -> bool:
        """Return whether a row is shown by `looked_at` instead of its form."""
        return bool(obj and self.looked_at) and not self.has_change_permission(request, obj)

    def in_words(
        self, request: HttpRequest, obj: Model | None, fieldsets: Sequence[Fieldset]
    ) -> Sequence[Fieldset]:
        """Return fieldsets with words for what only the form shows of a row, to those who may only look."""
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        form = type(self.form.__name__, (self.form,), {"project": current_project(request)})
        return in_words(form(instance=obj), fieldsets)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj and not self.has_change_permission(request, obj):
            kwargs["labels"] = labels_of(self.form, self.model)
        if self.only_looks(request, obj):
            kwargs |= {"form": ModelForm, "fields": []}
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal: DomainError | None = getattr(request, "_refusal", None)
        return refused_form(form, refusal, self.refused_fields) if refusal else form

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).filter(project=current_project(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        rows, may_repeat = super().get_search_results(request, queryset, search_term)
        return (rows[:QUICKLY_FOUND] if is_quick_search(request) else rows), may_repeat

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        made = super().get_changelist_instance(request)
        # The total stands beside the pages; the title would show it again, and offer to show all.
        made.full_result_count = made.result_count
        return made

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except QueryTooLarge as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.path)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            if request.method != "POST":
                raise
            # What was done is rolled back; the form comes again as it was typed, with the reason.
            request._refusal = refusal
            return super().changeform_view(request, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"deletion_says": self.deletion_says} | (extra_context or {})
        try:
            return super().delete_view(request, object_id, context)
        except DomainError as refusal:
            if request.method != "POST":
                raise
            self.message_user(request, self.why_kept(refusal), messages.ERROR)
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[object_id]))

    def why_kept(self, refusal: DomainError) -> str:
        """Return why a row is not deleted."""
        return str(refusal)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        """Go back to the list, which those may see, too, who may delete and not change."""
        answer: HttpResponse = super().response_delete(request, obj_display, obj_id)
        if self.has_change_permission(request) or not self.has_view_permission(request):
            return answer
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        obj.project = current_project(request)
        super().save_model(request, obj, form, change)


class ReadOnlyAdmin(ProjectModelAdmin):
    """Shows rows that only the product itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
