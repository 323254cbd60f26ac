"""Redemptions in the dashboard: what was used, what failed and why, and undoing it."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from campaigns.sentences import money
from promoengine.core.admin_details import details_in_words
from promoengine.core.admin_project import ReadOnlyAdmin, current_project
from promoengine.core.errors import DomainError
from redemptions.admin import simulator
from redemptions.channel import Channel
from redemptions.models import Redemption
from redemptions.services.roll_back import roll_back_redemptions
from vouchers.criteria import with_fragment
from vouchers.models import Voucher

SHOWN = 50
CODES_SEARCHED = 1000


@admin.register(Redemption)
class RedemptionAdmin(ReadOnlyAdmin):
    nothing_yet = _("Each use of a code or promotion will stand here, and each attempt that was refused.")
    list_display = ["created_at", "what", "kind", "outcome", "customer", "campaign", "taken_off"]
    list_filter = ["kind", "result", "status"]
    list_select_related = ["customer", "campaign", "promotion_tier", "project"]
    search_fields = ["voucher_code"]
    search_help_text = _("Any part of a code")
    list_before_template = "dashboard/export_link.html"
    ordering = ["-created_at", "-id"]
    actions = ["roll_back"]
    fields = [
        "what",
        "kind",
        "outcome",
        "customer",
        "campaign",
        "taken_off",
        "order",
        "reason",
        "failure_message",
        "details",
        "created_at",
    ]
    readonly_fields = ["what", "outcome", "taken_off", "details"]

    def get_urls(self) -> list[Any]:
        panel = self.admin_site.admin_view(self.of_voucher)
        pages = [
            ("try/", simulator.simulator),
            ("try/goods/", simulator.simulator_goods),
            ("try/customers/", simulator.simulator_customers),
            ("try/promotions/", simulator.simulator_promotions),
        ]
        return [
            path("of-voucher/<uuid:voucher_id>/", panel, name="redemptions_of_voucher"),
            *(
                path(route, self.admin_site.admin_view(page), name=f"redemptions_{page.__name__}")
                for route, page in pages
            ),
            *super().get_urls(),
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Redemption], search_term: str
    ) -> tuple[QuerySet[Redemption], bool]:
        """Find any fragment of a code there is, and the whole of one that was only tried."""
        fragment = search_term.strip()
        if not fragment:
            return queryset, False
        codes = Voucher.objects.filter(with_fragment(fragment).indexed, project=current_project(request))
        keys = list(codes.values_list("pk", flat=True)[:CODES_SEARCHED])
        return queryset.filter(Q(voucher_id__in=keys) | Q(voucher_code=fragment)), False

    def of_voucher(self, request: HttpRequest, voucher_id: uuid.UUID) -> HttpResponse:
        """Show the redemptions of one code, for its own page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).filter(voucher_id=voucher_id).select_related("customer", "project")
        found = list(rows.order_by("-created_at", "-id")[: SHOWN + 1])
        context = {
            "rows": [
                {
                    "redemption": row,
                    "outcome": self.outcome(row),
                    "taken_off": self.taken_off(row),
                }
                for row in found[:SHOWN]
            ],
            "has_more": len(found) > SHOWN,
        }
        return render(request, "redemptions/of_voucher.html", context)

    @display(description=_("Code or promotion"))
    def what(self, redemption: Redemption) -> str:
        if redemption.promotion_tier:
            return redemption.promotion_tier.name
        return redemption.voucher_code or str(_("several"))

    @display(description=_("Outcome"))
    def outcome(self, redemption: Redemption) -> str:
        return redemption.failure_message or redemption.get_status_display()

    @display(description=_("Discount"))
    def taken_off(self, redemption: Redemption) -> str:
        return money(redemption.discount_amount, redemption.currency or redemption.project.currency)

    @display(description=_("Details"))
    def details(self, redemption: Redemption) -> str:
        return details_in_words(redemption.metadata or {})

    def has_roll_back_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("redemptions.change_redemption"))

    @admin.action(description=_("Roll back selected redemptions"), permissions=["roll_back"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> None:
        project, now, count = current_project(request), timezone.now(), 0
        channel = Channel(str(request.user.pk), "USER", "USER_PORTAL")
        for redemption in queryset:
            whole = redemption if redemption.parent_id is None else Redemption(id=redemption.parent_id)
            try:
                roll_back_redemptions(
                    project, whole.public_id, reason=str(_("by the dashboard")), channel=channel, now=now
                )
                count += 1
            except DomainError as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
        if count:
            text = ngettext("%d redemption rolled back.", "%d redemptions rolled back.", count)
            self.message_user(request, text % count)
