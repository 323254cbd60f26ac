"""The dashboard works in one project at a time: what it lists and changes is of that project alone."""

from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from promoengine.core.errors import DomainError
from promoengine.core.models import Project

SESSION_KEY = "project"


def current_project(request: HttpRequest) -> Project:
    """Return the project the user works in: the one they chose, else the oldest.

    Raises:
        Project.DoesNotExist: there is none at all.
    """
    chosen = Project.objects.filter(key=request.session.get(SESSION_KEY)).first()
    return chosen or Project.objects.earliest("created_at")


class ProjectModelAdmin(ModelAdmin):
    """Lists and changes rows of the current project; a service's refusal becomes a message."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_fullwidth = True
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).filter(project=current_project(request))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

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
