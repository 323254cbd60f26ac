"""Segments in the dashboard."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from customers.admin.segment_forms import CONDITION_SHOWN, CONDITIONS, SegmentForm, sentences_of
from customers.models import Customer, Segment, SegmentMember
from customers.services.segments import create_segment, delete_segment
from promoengine.core.admin_project import ProjectModelAdmin, current_project

MEMBERS_SHOWN = 100


@admin.register(Segment)
class SegmentAdmin(ProjectModelAdmin):
    """Lists segments and makes them; as over the API, one is not changed but made anew."""

    form = SegmentForm
    paginator = Paginator  # there are few
    list_display = ["name", "type", "members", "initial_sync_status", "created_at"]
    list_filter = ["type"]
    search_fields = ["name"]
    search_help_text = _("Part of a name")
    ordering = ["-created_at"]
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

    def get_fieldsets(self, request: HttpRequest, obj: Segment | None = None) -> list[Any]:
        if obj is None:
            return [(None, {"fields": ["name", "type", "listed", *CONDITIONS]})]
        shown = ["name", "type", "members", "public_id"]
        if obj.type != Segment.Type.STATIC:
            shown.append("asks")
        return [(None, {"fields": [*shown, *(["some"] if obj.type != Segment.Type.PASSIVE else [])]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> list[str]:
        return ["name", "type", "members", "public_id", "asks", "some"] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Segment | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Segment, form: SegmentForm, change: bool) -> None:
        obj.pk = create_segment(current_project(request), data=form.to_wire(), now=timezone.now()).pk

    def delete_model(self, request: HttpRequest, obj: Segment) -> None:
        delete_segment(current_project(request), obj.public_id, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        for segment in queryset:
            self.delete_model(request, segment)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the segments themselves, not each of their members."""
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    @display(description=_("Customers"))
    def members(self, segment: Segment) -> str:
        return _("asked when needed") if segment.type == Segment.Type.PASSIVE else segment.members_count or 0

    @display(description=_("Who is in"))
    def asks(self, segment: Segment) -> str:
        said = sentences_of(segment.filter or {}, segment.project.currency)
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in said))

    @display(description=_("Some of them"))
    def some(self, segment: Segment) -> str:
        members = SegmentMember.objects.filter(segment=segment).order_by("pk").values("customer")
        shown = Customer.objects.filter(pk__in=members[:MEMBERS_SHOWN]).order_by("pk")
        return format_html_join(", ", "{}", ((customer,) for customer in shown))
