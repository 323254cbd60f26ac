"""The trash: what was deleted, bringing it back, and deleting it for good."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from campaigns.models import BinEntry
from promoengine.core.admin_project import ReadOnlyAdmin, current_project
from promoengine.core.errors import DomainError
from vouchers.services.bin import delete_entry, restore_entries


@admin.register(BinEntry)
class BinAdmin(ReadOnlyAdmin):
    nothing_yet = _(
        "Campaigns, codes, products and SKUs that are deleted come here, and can be brought back."
    )
    list_display = ["named", "kind", "deleted_at", "who", "gone_at"]
    list_display_links = None
    list_filter = ["resource_type"]
    search_fields = ["resource_name"]
    search_help_text = _("Part of a name or code")
    list_select_related = ["project"]
    ordering = ["-id"]
    actions = ["restore"]
    fields = ["resource_name", "resource_type", "created_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("campaigns.delete_binentry"))

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("campaigns.change_binentry"))

    @display(description=_("Name"), ordering="resource_name")
    def named(self, entry: BinEntry) -> str:
        return str(entry)

    @display(description=_("What it was"), ordering="resource_type")
    def kind(self, entry: BinEntry) -> str:
        return str(entry.get_resource_type_display())

    @display(description=_("Deleted"), ordering="created_at")
    def deleted_at(self, entry: BinEntry) -> datetime:
        return entry.created_at

    @display(description=_("Deleted by"))
    def who(self, entry: BinEntry) -> str:
        key = (entry.deleted_by or "").removeprefix("user_")
        user = User.objects.filter(pk=key).first() if key.isdigit() else None
        return user.get_username() if user else str(_("API"))

    @display(description=_("Kept until"))
    def gone_at(self, entry: BinEntry) -> datetime | str:
        days = entry.project.bin_days
        return str(_("for ever")) if days is None else entry.created_at + timedelta(days=days)

    @admin.action(description=_("Restore"), permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: QuerySet[BinEntry]) -> None:
        keys = list(queryset.order_by().values_list("pk", flat=True))
        try:
            count = restore_entries(current_project(request), keys, now=timezone.now())
        except DomainError as refusal:
            self.message_user(request, _("Nothing was restored. %(why)s.") % {"why": refusal}, messages.ERROR)
            return
        self.message_user(request, ngettext("%d thing is back.", "%d things are back.", count) % count)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if "delete_selected" in actions:
            function, name, _description = actions["delete_selected"]
            actions["delete_selected"] = function, name, _("Delete for good")
        return actions

    def delete_model(self, request: HttpRequest, obj: BinEntry) -> None:
        delete_entry(current_project(request), obj.public_id, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BinEntry]) -> None:
        for entry in queryset:
            self.delete_model(request, entry)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return [str(entry) for entry in objs], {_("things in the trash"): len(objs)}, set(), []
