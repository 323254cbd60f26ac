"""Messages in the dashboard: what was sent to whom, and sending again what failed."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from notifications.models import Message
from notifications.services.send import send_again
from promoengine.core.admin_project import ReadOnlyAdmin, current_project


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    nothing_yet = _("Each e-mail and text message with a code will stand here.")
    list_display = ["created_at", "channel", "recipient", "subject", "status", "error"]
    list_filter = ["status", "channel"]
    search_fields = ["recipient"]
    search_help_text = _("Part of an address")
    ordering = ["-id"]
    actions = ["send_failed_again"]
    fields = ["channel", "recipient", "subject", "body", "status", "vendor", "vendor_id", "error", "sent_at"]

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("notifications.change_message"))

    @admin.action(description=_("Send again what failed"), permissions=["send"])
    def send_failed_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        count = send_again(current_project(request), message_ids=keys, now=timezone.now())
        self.message_user(request, ngettext("%d message queued.", "%d messages queued.", count) % count)
