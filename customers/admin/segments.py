"""Segments in the dashboard."""

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from customers.admin.segment_forms import CONDITION_SHOWN, SegmentForm, sentences_of
from customers.membership import parse_filter
from customers.models import Customer, Segment, SegmentMember
from customers.places import with_names
from customers.segments import count_matching
from customers.selectors import sync_progress
from customers.services.segments import create_segment, delete_segment, update_segment
from promoengine.core.admin_conditions import CONDITIONS
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.models import Project
from promoengine.engine.operators import Moment

MEMBERS_SHOWN = 100


@admin.register(Segment)
class SegmentAdmin(ProjectModelAdmin):
    """Lists segments, makes them, and changes their names and filters."""

    nothing_yet = _(
        "A segment is a group of customers, listed or found by conditions, whom an offer can be for."
    )
    form = SegmentForm
    change_form_after_template = "customers/segment_form.html"
    paginator = Paginator  # there are few
    list_display = ["name", "type", "members", "initial_sync_status", "created_at"]
    list_filter = ["type"]
    search_fields = ["name"]
    search_help_text = _("Part of a name")
    ordering = ["-created_at"]
    refused_fields = {"customer": "listed"}
    conditional_fields = {"listed": "type == 'static'", **CONDITION_SHOWN}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        members = SegmentMember.objects.filter(segment=OuterRef("pk")).order_by().values("segment")
        counted = Subquery(members.annotate(count=Count("pk")).values("count"))
        return super().get_queryset(request).annotate(members_count=counted).select_related("project")

    def get_form(
        self, request: HttpRequest, obj: Segment | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = self.form.Meta.fields
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def get_urls(self) -> list[Any]:
        pages = [
            path("preview/", self.admin_site.admin_view(self.preview), name="customers_segment_preview"),
            path(
                "<uuid:object_id>/progress/",
                self.admin_site.admin_view(self.progress),
                name="customers_segment_progress",
            ),
        ]
        return [*pages, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        segment = context.get("original")
        if self.has_change_permission(request) and context["adminform"].form.has_conditions:
            context["preview_url"] = reverse("admin:customers_segment_preview")
        if segment and segment.initial_sync_status != Segment.SyncStatus.DONE:
            context["progress_url"] = reverse("admin:customers_segment_progress", args=[segment.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Say how many customers the conditions match as they stand in the form."""
        project = self._project(request)
        sent = request.POST.copy()
        if sent.get("type") == Segment.Type.STATIC:
            return render(request, "customers/segment_preview.html", {"is_static": True})
        sent["type"], sent["name"] = Segment.Type.PASSIVE, "-"
        form = self.get_form(request)(sent)
        if not form.is_valid():
            return render(request, "customers/segment_preview.html")
        at = Moment(timezone.now(), ZoneInfo(project.timezone), project.week_start)
        asked = form.filter_to_wire()
        context = {
            "count": count_matching(project, parse_filter(asked), at),
            "said": list(sentences_of(asked, project.currency)),
        }
        return render(request, "customers/segment_preview.html", context)

    def progress(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Say how far a segment is filled."""
        rows = Segment.objects.filter(project=self._project(request)).select_related("sync")
        segment = get_object_or_404(rows, pk=object_id)
        context = {"progress": sync_progress(segment), "url": request.path}
        return render(request, "customers/segment_progress.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: Segment | None = None) -> list[Any]:
        if obj is None:
            return [(None, {"fields": ["name", "type", "listed", *CONDITIONS]})]
        shown = ["name", "type", "members", "public_id"]
        form = self.get_form(request, obj, change=True)(instance=obj)
        if form.has_conditions and self.has_change_permission(request, obj):
            shown[2:2] = CONDITIONS
        elif obj.type != Segment.Type.STATIC:
            shown.append("asks")
        return [(None, {"fields": [*shown, *(["some"] if obj.type != Segment.Type.PASSIVE else [])]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return ["members", "public_id", "asks", "some"] if obj else []

    def save_model(self, request: HttpRequest, obj: Segment, form: SegmentForm, change: bool) -> None:
        project, now = current_project(request), timezone.now()
        if change:
            update_segment(project, obj.public_id, data=form.changes_to_wire(), now=now)
        else:
            obj.pk = create_segment(project, data=form.to_wire(), now=now).pk

    def delete_model(self, request: HttpRequest, obj: Segment) -> None:
        delete_segment(current_project(request), obj.public_id, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        for segment in queryset:
            self.delete_model(request, segment)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the segments themselves, not each of their members."""
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def _project(self, request: HttpRequest) -> Project:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return current_project(request)

    @display(description=_("Customers"))
    def members(self, segment: Segment) -> str:
        return _("asked when needed") if segment.type == Segment.Type.PASSIVE else segment.members_count or 0

    @display(description=_("Who is in"))
    def asks(self, segment: Segment) -> str:
        said = sentences_of(with_names(segment.project_id, segment.filter or {}), segment.project.currency)
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in said))

    @display(description=_("Some of them"))
    def some(self, segment: Segment) -> str:
        members = SegmentMember.objects.filter(segment=segment).order_by("pk").values("customer")
        shown = Customer.objects.filter(pk__in=members[:MEMBERS_SHOWN]).order_by("pk")
        return format_html_join(", ", "{}", ((customer,) for customer in shown))
