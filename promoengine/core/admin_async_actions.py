"""Background work in the dashboard: how far it is, and pausing, going on with and canceling it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from promoengine.core.admin_project import ReadOnlyAdmin, current_project
from promoengine.core.api.async_actions import report_answer
from promoengine.core.errors import DomainError
from promoengine.core.models import AsyncAction, UploadedFile
from promoengine.core.services import async_actions

CHANGE = "core.change_asyncaction"
# Where a file is gone on with that was checked alone, or of which nothing came in.
AGAIN = {
    "CAMPAIGN.VOUCHERS_IMPORT_CSV": "admin:vouchers_voucher_import_again",
    "VOUCHERS.IMPORT_CSV": "admin:vouchers_voucher_import_again",
}
ASKS = {"pause": async_actions.pause, "resume": async_actions.resume, "cancel": async_actions.cancel}


def again_url(action: AsyncAction) -> str:
    """Return where the file of an action that has ended is gone on with; "" where it is not kept."""
    key = action.params.get("checked_file") or action.params.get("file")
    has_ended = action.status not in async_actions.NOT_ENDED
    if action.type not in AGAIN or not has_ended or not key:
        return ""
    is_kept = UploadedFile.objects.filter(project=action.project_id, pk=key).exists()
    return reverse(AGAIN[action.type], args=[action.pk]) if is_kept else ""


def progress_url(action: AsyncAction) -> str:
    """Return where the fragment is that shows an action's progress and keeps itself up to date."""
    return reverse("admin:core_asyncaction_progress", args=[action.pk])


def progress_context(request: HttpRequest, action: AsyncAction) -> dict[str, Any]:
    """Return what the fragment of an action's progress is made of, for whom asks."""
    may_ask = request.user.has_perm(CHANGE)
    return {
        "action": action,
        "what": str(action),
        "has_ended": action.status not in async_actions.NOT_ENDED,
        "may_stop": may_ask and action.is_stoppable,
        "may_undo": may_ask and bool(action.undo_job),
        "url": progress_url(action),
        "report_url": reverse("admin:core_asyncaction_report", args=[action.pk]),
        "again_url": again_url(action),
        "is_reading": action.read_count is not None and action.read_count < action.total_count,
        "undo_url": reverse("admin:core_asyncaction_undo", args=[action.pk]),
    }


@admin.register(AsyncAction)
class AsyncActionAdmin(ReadOnlyAdmin):
    nothing_yet = _("Imports, exports and whatever else takes long will stand here, with how far it is.")
    list_display = ["what", "status", "done", "created_at", "finished_at", "message"]
    list_filter = ["status"]
    ordering = ["-id"]
    readonly_fields = ["failures"]
    change_form_outer_before_template = "dashboard/progress_of_action.html"

    def get_fields(self, request: HttpRequest, action: AsyncAction | None = None) -> list[str]:
        return ["created_at", "finished_at", *(["failures"] if action is not None and action.failed else [])]

    def get_urls(self) -> list[Any]:
        views = (self.progress, self.undo, self.report)
        progress, undo, report = (self.admin_site.admin_view(view) for view in views)
        return [
            path("<uuid:object_id>/report/", report, name="core_asyncaction_report"),
            path("<uuid:object_id>/progress/", progress, name="core_asyncaction_progress"),
            path("<uuid:object_id>/undo/", undo, name="core_asyncaction_undo"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        context["progress_url"] = progress_url(context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show an action's progress; a POST asks it to pause, resume or cancel first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        action = get_object_or_404(self.get_queryset(request), pk=object_id)
        refusal = ""
        if request.method == "POST":
            if not request.user.has_perm(CHANGE):
                raise PermissionDenied
            refusal = self._ask(request, action)
            action.refresh_from_db()
        context = progress_context(request, action) | {"refusal": refusal}
        return render(request, "dashboard/progress.html", context)

    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Start taking an action back, and go to the page of the action that does so."""
        if request.method != "POST" or not request.user.has_perm(CHANGE):
            raise PermissionDenied
        action = get_object_or_404(self.get_queryset(request), pk=object_id)
        try:
            shown = async_actions.undo(current_project(request), action, now=timezone.now())
        except DomainError as refusal:
            self.message_user(request, refusal.details, messages.ERROR)
            shown = action
        return HttpResponseRedirect(reverse("admin:core_asyncaction_change", args=[shown.pk]))

    def report(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """Give the rows that could not be done, with their reasons, as a CSV file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        action = get_object_or_404(self.get_queryset(request), pk=object_id)
        return report_answer(action)

    def _ask(self, request: HttpRequest, action: AsyncAction) -> str:
        ask = ASKS.get(request.POST.get("ask", ""))
        if ask is None:
            return str(_("This can't be asked for."))
        try:
            ask(current_project(request), action, now=timezone.now())
        except DomainError as refusal:
            return refusal.details
        return ""

    @display(description=_("What"), ordering="type")
    def what(self, action: AsyncAction) -> str:
        return str(action)

    @display(description=_("Progress"))
    def done(self, action: AsyncAction) -> str:
        return f"{action.progress} %"

    @display(description=_("Failures"))
    def failures(self, action: AsyncAction) -> str:
        lines = [", ".join(f"{name} {value}" for name, value in one.items()) for one in action.failed]
        return "\n".join(lines)
