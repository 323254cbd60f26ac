"""The rows that a list of the dashboard shows, also to a job that nobody looks at."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from promoengine.core.admin_project import SESSION_KEY
from promoengine.core.errors import DomainError
from promoengine.core.models import AsyncAction, Project
from redemptions.export_objects import EXPORTED
from redemptions.models import Export
from redemptions.services.exports import run_export


class ListNotVisible(DomainError):
    key = "list_not_visible"
    message = "List not visible"


class _Rows(ChangeList):
    """A list of which no page is shown."""

    def get_results(self, request: HttpRequest) -> None:
        """Leave the rows unread."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list's address means: the rows of all its pages, in its order, and its filters in words."""

    rows: QuerySet[Any]
    said: list[str]


def listed(project: Project, user: User | None, exported_object: str, query: str) -> Listed:
    """Return what a list shows to a user in a project; `query` is that of its address.

    Raises:
        PermissionDenied: the user may not see the list, or not any more.
        IncorrectLookupParameters: the address is not that of such a list.
    """
    request = HttpRequest()
    request.method, request.GET = "GET", QueryDict(query)
    request.user, request.session = user, {SESSION_KEY: project.key}  # type: ignore[assignment]
    model = EXPORTED[exported_object].model
    shown = admin.site.get_model_admin(model)
    if user is None or not shown.has_view_permission(request):
        raise PermissionDenied
    rows = _rows(request, model, shown)
    return Listed(rows.queryset, _in_words(rows))


def write_listed_export(action: AsyncAction) -> None:
    """Make the file of an export of a list, for an async action.

    Raises:
        ListNotVisible: whom it is for may not see the list any more.
    """
    run_export(action, lambda export: listed_by(export).rows)


def listed_by(export: Export) -> Listed:
    """Return what the list of an export shows to whom the export is for.

    Raises:
        ListNotVisible: they may not see it any more.
    """
    try:
        return listed(export.project, export.user, export.exported_object, export.listed)
    except (PermissionDenied, IncorrectLookupParameters) as error:
        raise ListNotVisible("Whom it is for may not see the list any more") from error


def _rows(request: HttpRequest, model: type[Model], shown: Any) -> ChangeList:
    list_display = shown.get_list_display(request)
    return _Rows(
        request,
        model,
        list_display,
        shown.get_list_display_links(request, list_display),
        shown.get_list_filter(request),
        shown.date_hierarchy,
        shown.get_search_fields(request),
        shown.get_list_select_related(request),
        shown.list_per_page,
        shown.list_max_show_all,
        shown.list_editable,
        shown,
        shown.get_sortable_by(request),
        shown.search_help_text,
    )


def _in_words(rows: ChangeList) -> list[str]:
    said = [str(_("Search: “%(text)s”") % {"text": rows.query})] if rows.query else []
    for spec in rows.filter_specs:
        if any(name in rows.params for name in spec.expected_parameters()):
            chosen = [str(choice["display"]) for choice in spec.choices(rows) if choice.get("selected")]
            said.append(f"{spec.title}: {', '.join(chosen)}")
    return said
