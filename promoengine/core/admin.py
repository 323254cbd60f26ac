"""Projects and API keys in the dashboard."""

import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from promoengine.core.admin_async_actions import AsyncActionAdmin
from promoengine.core.admin_attributes import AttributesAdmin
from promoengine.core.admin_project import ProjectModelAdmin, current_project, work_in
from promoengine.core.admin_retention import RetentionPeriodAdmin
from promoengine.core.api.auth import HEADERS
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.api_keys import create_api_key, revoke_api_key
from promoengine.core.services.projects import update_project

__all__ = ["AsyncActionAdmin", "AttributesAdmin", "RetentionPeriodAdmin"]

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class TeamAdmin(GroupAdmin, ModelAdmin):
    pass


class ProjectForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = [
            "name",
            "description",
            "key",
            "currency",
            "timezone",
            "week_start",
            "case_sensitive_codes",
            "client_trusted_domains",
            "client_redeem_enabled",
            "client_publish_enabled",
            "client_list_vouchers_enabled",
            "client_create_customer_enabled",
            "client_refusals",
            "bin_days",
        ]

    def clean_timezone(self) -> str:
        name: str = self.cleaned_data["timezone"]
        if name not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("This is no time zone; write it as in Europe/Warsaw."))
        return name

    def clean_currency(self) -> str:
        code: str = self.cleaned_data["currency"].upper()
        if len(code) != 3 or not code.isalpha():
            raise forms.ValidationError(_("Write three letters, as in EUR."))
        return code


@admin.register(Project)
class ProjectAdmin(ModelAdmin):
    form = ProjectForm
    list_display = ["name", "key", "currency", "timezone", "is_current"]
    actions_row = ["work_here"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        return super().get_queryset(request).filter(deleted_at=None)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.request = request
        return super().changelist_view(request, extra_context)

    @display(description=_("Working in it"), boolean=True)
    def is_current(self, project: Project) -> bool:
        return project == current_project(self.request)

    @action(description=_("Work in this project"), url_path="work-here")
    def work_here(self, request: HttpRequest, object_id: str) -> HttpResponse:
        project = Project.objects.get(pk=object_id)
        work_in(request, project)
        self.message_user(request, _("You now work in %(name)s.") % {"name": project.name})
        return HttpResponseRedirect(reverse("admin:index"))

    def save_model(self, request: HttpRequest, obj: Project, form: forms.ModelForm, change: bool) -> None:
        if change:
            update_project(obj, changed=form.changed_data)
        else:
            super().save_model(request, obj, form, change)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        # Codes are stored in the form they are compared in, so the setting is made before the first code.
        return ["key", "case_sensitive_codes"] if obj else []


@admin.register(ApiKey)
class ApiKeyAdmin(ProjectModelAdmin):
    nothing_yet = _("A key lets a shop use this project over the API.")
    list_display = ["name", "kind", "app_id", "created_at", "revoked_at"]
    fields = ["name", "kind"]
    actions = ["revoke"]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        project = current_project(request)
        made = create_api_key(project, name=obj.name, kind=ApiKey.Kind(obj.kind))
        obj.pk = made.key.pk
        id_header, token_header = HEADERS[ApiKey.Kind(obj.kind)]
        self.message_user(
            request,
            _("Copy the secret now, it is not shown again. %(id_header)s: %(id)s %(token_header)s: %(token)s")
            % {
                "id_header": id_header,
                "id": made.key.app_id,
                "token_header": token_header,
                "token": made.token,
            },
            messages.WARNING,
        )

    @admin.action(description=_("Revoke selected keys"), permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            revoke_api_key(current_project(request), key=key, now=timezone.now())
        self.message_user(request, _("Revoked: nobody can use these keys any more."))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
