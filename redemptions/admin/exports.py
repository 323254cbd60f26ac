"""Exports in the dashboard: what a list shows as a file, how far it is, and the files there have been."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminRadioSelectWidget

from promoengine.core.admin_project import ReadOnlyAdmin, current_project
from promoengine.core.errors import DomainError, QueryTooLarge
from promoengine.core.models import AsyncAction, Project
from promoengine.core.pages import bounded, total_of
from promoengine.core.services import async_actions
from promoengine.core.services.metadata import schemas_now
from redemptions.admin.listed import Listed, ListNotVisible, listed, listed_by
from redemptions.export_formats import Format
from redemptions.export_objects import EXPORTED, METADATA, title
from redemptions.models import Export
from redemptions.models.exports import NAMES
from redemptions.services.exports import (
    WAITING,
    delete_export,
    download_token,
    format_of,
    has_file,
    start_listed_export,
)

CHANNEL = "USER_PORTAL"
JOB = "redemptions.admin.listed.write_listed_export"
FORMATS = [
    (Format.CSV.value, _("CSV, for any program")),
    (Format.XLSX.value, _("XLSX, for Excel and other spreadsheets")),
    (Format.JSONL.value, _("JSON lines, for developers")),
]
STATES = {
    Export.Status.SCHEDULED: _("Waiting"),
    Export.Status.IN_PROGRESS: _("Being made"),
    Export.Status.DONE: _("Ready"),
    Export.Status.ERROR: _("Failed"),
}
GONE, CANCELED = _("Deleted after a week"), _("Canceled")


class ExportForm(forms.Form):
    """Which columns the file is to have, and what it is to be."""

    fields_chosen = forms.MultipleChoiceField(
        label=_("Columns"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one column.")},
    )
    format = forms.ChoiceField(
        label=_("Format"), choices=FORMATS, widget=UnfoldAdminRadioSelectWidget(choices=FORMATS)
    )

    def __init__(self, project: Project, exported_object: str, *args: Any, **kwargs: Any) -> None:
        exported = EXPORTED[exported_object]
        super().__init__(
            *args,
            initial={"fields_chosen": exported.default_fields, "format": Format.CSV.value},
            **kwargs,
        )
        schema = schemas_now(project).objects.get(exported_object)
        attributes = [f"{METADATA}{name}" for name in (schema.properties if schema else ())]
        self.fields["fields_chosen"].choices = [
            (name, title(name)) for name in (*exported.fields, *attributes)
        ]

    def to_wire(self, exported_object: str) -> dict[str, Any]:
        """Return what was chosen as the service takes it."""
        parameters = {"fields": self.cleaned_data["fields_chosen"], "format": self.cleaned_data["format"]}
        return {"exported_object": exported_object, "parameters": parameters}


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    nothing_yet = _("No file has been made yet, or those there were are deleted.")
    list_display = ["what", "state", "rows", "who", "created_at", "file"]
    list_display_links = ["what"]
    list_select_related = ["user", "action"]
    list_before_template = "redemptions/exports_hint.html"
    ordering = ["-created_at", "-id"]
    fields = ["what", "which", "columns", "who", "created_at"]
    readonly_fields = ["what", "which", "columns", "who"]
    change_form_outer_before_template = "redemptions/export_progress_of.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        return super().get_queryset(request).filter(exported_object__in=_visible(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(_visible(request))

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        """Who may see a list may see what was made of it."""
        return bool(_visible(request)) if obj is None else obj.exported_object in _visible(request)

    def has_delete_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        """Who made a file may delete it, and who may delete all."""
        is_own = obj is not None and obj.user_id == request.user.pk
        may_delete = is_own or bool(request.user.has_perm("redemptions.delete_export"))
        return may_delete and self.has_view_permission(request, obj)

    def get_urls(self) -> list[Any]:
        new, progress = (self.admin_site.admin_view(view) for view in (self.new, self.progress))
        return [
            path("new/<str:exported_object>/", new, name="redemptions_export_new"),
            path("<uuid:object_id>/progress/", progress, name="redemptions_export_progress"),
            *super().get_urls(),
        ]

    def delete_model(self, request: HttpRequest, obj: Export) -> None:
        delete_export(current_project(request), obj.public_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Export]) -> None:
        for export in queryset:
            self.delete_model(request, export)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the exports alone; the parts of their files say nothing."""
        return [self.what(export) for export in objs], {_("exports"): len(objs)}, set(), []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        context["progress_url"] = reverse("admin:redemptions_export_progress", args=[context["original"].pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def new(self, request: HttpRequest, exported_object: str) -> HttpResponse:
        """Show what of a list would be in the file and ask for its columns; then start it."""
        if exported_object not in EXPORTED:
            raise Http404
        project, query = current_project(request), request.GET.urlencode()
        try:
            found = listed(project, request.user, exported_object, query)
        except IncorrectLookupParameters:
            self.message_user(request, _("The list can't be filtered that way."), messages.ERROR)
            return HttpResponseRedirect(_list_url(exported_object))
        form = ExportForm(project, exported_object, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            export = start_listed_export(
                project,
                data=form.to_wire(exported_object),
                listed=query,
                job=JOB,
                user=request.user,
                channel=CHANNEL,
                now=timezone.now(),
            )
            return HttpResponseRedirect(reverse("admin:redemptions_export_change", args=[export.pk]))
        return self._page(request, exported_object, found, form)

    def _page(
        self, request: HttpRequest, exported_object: str, found: Listed, form: ExportForm
    ) -> HttpResponse:
        try:
            with bounded():
                total = total_of(found.rows)
        except QueryTooLarge:
            total = None
        context = self.admin_site.each_context(request) | {
            "title": _("Export"),
            "opts": EXPORTED[exported_object].model._meta,
            "name": NAMES[exported_object],
            "form": form,
            "said": found.said,
            "total": total,
            "list_url": f"{_list_url(exported_object)}?{request.GET.urlencode()}",
        }
        return render(request, "redemptions/export_new.html", context)

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show how far an export is, and then its file; a POST cancels it first."""
        rows = self.get_queryset(request).select_related("action", "project")
        export, refusal = get_object_or_404(rows, pk=object_id), ""
        if request.method == "POST":
            try:
                _cancel(export)
            except DomainError as error:
                refusal = error.details
            export = get_object_or_404(rows, pk=object_id)
        context = {
            "export": export,
            "action": export.action,
            "state": self._state(export),
            "has_ended": self._state(export) not in (STATES[status] for status in WAITING),
            "download_url": _download_url(export),
            "format": format_of(export),
            "refusal": refusal,
            "url": reverse("admin:redemptions_export_progress", args=[export.pk]),
        }
        return render(request, "redemptions/export_progress.html", context)

    @display(description=_("What"))
    def what(self, export: Export) -> str:
        return str(export)

    @display(
        description=_("State"),
        label={
            STATES[Export.Status.DONE]: "success",
            STATES[Export.Status.ERROR]: "danger",
            STATES[Export.Status.IN_PROGRESS]: "info",
        },
    )
    def state(self, export: Export) -> Any:
        return self._state(export)

    def _state(self, export: Export) -> Any:
        if export.is_lapsed:
            return GONE
        if export.action and export.status != Export.Status.DONE:
            if export.action.status == AsyncAction.Status.CANCELED:
                return CANCELED
            if export.action.status == AsyncAction.Status.FAILED:
                return STATES[Export.Status.ERROR]
        return STATES[Export.Status(export.status)]

    @display(description=_("Rows"), ordering="row_count")
    def rows(self, export: Export) -> str:
        return "-" if export.row_count is None else f"{export.row_count:,}"

    @display(description=_("Which"))
    def which(self, export: Export) -> str:
        if not export.user:
            return str(_("What the API asked for"))
        try:
            return ", ".join(listed_by(export).said) or str(_("All that the list has"))
        except ListNotVisible:
            return "-"

    @display(description=_("Who"))
    def who(self, export: Export) -> str:
        return str(export.user) if export.user else export.channel

    @display(description=_("Columns"))
    def columns(self, export: Export) -> str:
        exported = EXPORTED[export.exported_object]
        return ", ".join(map(title, export.parameters.get("fields") or exported.default_fields))

    @display(description=_("File"))
    def file(self, export: Export) -> str:
        url = _download_url(export)
        return format_html('<a class="underline" href="{}">{}</a>', url, _("Download")) if url else "-"


def _visible(request: HttpRequest) -> list[str]:
    """Return the kinds of rows whose lists the user may see."""
    return [
        name
        for name, exported in EXPORTED.items()
        if admin.site.get_model_admin(exported.model).has_view_permission(request)
    ]


def _cancel(export: Export) -> None:
    if export.action is None:
        raise PermissionDenied
    async_actions.cancel(export.project, export.action, now=timezone.now())


def _list_url(exported_object: str) -> str:
    meta = EXPORTED[exported_object].model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def _download_url(export: Export) -> str:
    """Return a fresh link to an export's file, good for a day; empty where there is none."""
    if not has_file(export):
        return ""
    return f"{reverse('export_by_id', args=[export.public_id])}?token={download_token(export)}"
