"""Codes in the dashboard."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from campaigns.admin.guarded import GuardedAdmin
from campaigns.sentences import money, offer_in_words
from campaigns.services.related_objects import RelatedObject
from promoengine.core.admin_attribute_fields import attribute_fieldset
from promoengine.core.admin_details import details_in_words
from promoengine.core.admin_project import (
    QUICKLY_FOUND,
    ProjectModelAdmin,
    current_project,
    is_quick_search,
    user_id,
)
from promoengine.core.models import Project
from vouchers.admin import import_codes
from vouchers.admin.change_many import change_many
from vouchers.admin.forms import VoucherForm
from vouchers.admin.voucher_list import CodesFilter, CodesList
from vouchers.criteria import with_fragment
from vouchers.models import Publication, Voucher
from vouchers.search import find_codes
from vouchers.selections import Selection
from vouchers.selectors import vouchers_for_wire
from vouchers.services.delete import delete_voucher
from vouchers.services.related_objects import related_object
from vouchers.services.update import set_vouchers_active, update_voucher

CHANNEL = "USER_PORTAL"
CODES_SHOWN = 100
# What the actions are called on the page where all that match are changed.
ACROSS = {"enable": "enable", "disable": "disable", "change_picked": "", "delete_selected": "delete"}


@admin.register(Voucher)
class VoucherAdmin(GuardedAdmin):
    deletion_says = _("It goes to the trash, can't be used any more, and can be brought back from there.")
    nothing_yet = _("Codes are made with a campaign, or come from a file.")
    form = VoucherForm
    list_display = ["code", "campaign", "offer", "state", "uses", "holder", "expiration_date"]
    list_filter = [CodesFilter]
    list_filter_submit = True
    search_fields = ["code_key"]
    search_help_text = _("Any part of a code")
    ordering = ["-created_at", "-id"]
    # Only what an index has is quick among millions, so a search says the order itself.
    sortable_by: tuple[str, ...] = ()
    list_disable_select_all = True  # "Change all that match" does, in the background
    actions = ["enable", "disable", "change_picked"]
    list_before_template = "vouchers/change_many_link.html"
    readonly_fields = ["code", "campaign", "offer", "uses", "holder", "created_at"]
    fields = [
        "code",
        "campaign",
        "offer",
        "active",
        "start_date",
        "expiration_date",
        ("quantity", "uses"),
        "holder",
        "additional_info",
        "created_at",
    ]
    looked_at = fields
    actions_detail = ["try_out"]
    change_form_outer_after_template = "vouchers/voucher_redemptions.html"

    def related(self, project: Project, row: Voucher) -> RelatedObject:
        return related_object(project, "voucher", row.public_id)

    def tried(self, row: Voucher) -> list[tuple[str, str]]:
        return [("codes", row.code)]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        if self.only_looks(request, obj):
            return [(None, {"fields": self.looked_at})]
        return [(None, {"fields": self.fields}), *attribute_fieldset(self, request, obj, "voucher")]

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = VoucherForm.Meta.fields
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def get_urls(self) -> list[Any]:
        many = self.admin_site.admin_view(change_many)
        return [
            path("change-many/", many, name="vouchers_voucher_change_many"),
            *import_codes.urls(),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Voucher]:
        return vouchers_for_wire(current_project(request)).select_related("holder", "project")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CodesList]:
        return CodesList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Voucher], search_term: str
    ) -> tuple[QuerySet[Voucher], bool]:
        """Find any fragment in any letter case, with or without the blanks and dashes that paper has."""
        fragment = search_term.replace("\0", "").strip()
        if not is_quick_search(request):
            return (queryset.filter(with_fragment(fragment).indexed) if fragment else queryset), False
        found = find_codes(current_project(request), Selection(search=fragment), limit=QUICKLY_FOUND)
        return queryset.filter(pk__in=[voucher.pk for voucher in found.rows]), False

    def response_action(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> HttpResponse | None:
        """Let what is meant for all that match be done in the background: they may be millions."""
        name = request.POST.get("action", "")
        if request.POST.get("select_across") == "1" and name in ACROSS:
            query = request.GET.copy()
            query["kind"] = ACROSS[name]
            url = reverse("admin:vouchers_voucher_change_many")
            return HttpResponseRedirect(f"{url}?{query.urlencode()}")
        return super().response_action(request, queryset)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if (voucher := context.get("original")) and request.user.has_perm("redemptions.view_redemption"):
            context["redemptions_url"] = reverse("admin:redemptions_of_voucher", args=[voucher.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Voucher, form: ModelForm, change: bool) -> None:
        update_voucher(
            current_project(request),
            obj.public_id,
            data=form.to_wire(),
            channel=CHANNEL,
            now=timezone.now(),
        )

    def delete_model(self, request: HttpRequest, obj: Voucher) -> None:
        delete_voucher(
            current_project(request),
            obj.public_id,
            channel=CHANNEL,
            deleted_by=user_id(request),
            now=timezone.now(),
        )

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> None:
        for voucher in queryset:
            self.delete_model(request, voucher)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the codes: what was redeemed keeps its history."""
        return [voucher.code for voucher in objs], {_("codes"): len(objs)}, set(), []

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Codes come from campaigns, files and the API."""
        return False

    @display(description=_("Offer"))
    def offer(self, voucher: Voucher) -> str:
        if voucher.gift_amount is not None:
            currency = voucher.project.currency
            balance, amount = money(voucher.gift_balance or 0, currency), money(voucher.gift_amount, currency)
            return str(_("%(balance)s left of %(amount)s") % {"balance": balance, "amount": amount})
        return offer_in_words(voucher.discount_in_force, None, voucher.project.currency)

    @display(
        description=_("State"),
        label={
            Voucher.State.ACTIVE.label: "success",
            Voucher.State.DISABLED.label: "danger",
            Voucher.State.USED.label: "warning",
            Voucher.State.EXPIRED.label: "warning",
            Voucher.State.NO_BALANCE.label: "warning",
            Voucher.State.NOT_ACTIVE_YET.label: "info",
        },
    )
    def state(self, voucher: Voucher) -> str:
        return str(voucher.state_at(timezone.now()).label)

    @display(description=_("Used"))
    def uses(self, voucher: Voucher) -> str:
        used = voucher.redeemed_quantity + voucher.pending_quantity
        return str(used) if voucher.quantity is None else f"{used} / {voucher.quantity}"

    @admin.action(description=_("Enable selected codes"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> None:
        count = self._switch(request, queryset, active=True)
        self.message_user(request, ngettext("%d code enabled.", "%d codes enabled.", count) % count)

    @admin.action(description=_("Disable selected codes"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> None:
        count = self._switch(request, queryset, active=False)
        self.message_user(request, ngettext("%d code disabled.", "%d codes disabled.", count) % count)

    @admin.action(description=_("Change selected codes…"), permissions=["change"])
    def change_picked(self, request: HttpRequest, queryset: QuerySet[Voucher]) -> HttpResponse:
        keys = queryset.order_by().values_list("pk", flat=True)
        url = reverse("admin:vouchers_voucher_change_many")
        return HttpResponseRedirect(f"{url}?{urlencode([('picked', key) for key in keys])}")

    def _switch(self, request: HttpRequest, queryset: QuerySet[Voucher], *, active: bool) -> int:
        keys = list(queryset.order_by().values_list("pk", flat=True))
        return set_vouchers_active(
            current_project(request), voucher_ids=keys, active=active, channel=CHANNEL, now=timezone.now()
        )


@admin.register(Publication)
class PublicationAdmin(ProjectModelAdmin):
    nothing_yet = _("Each code that is given to a customer will stand here.")
    list_display = ["created_at", "given", "customer", "campaign", "channel", "result", "failure_message"]
    list_filter = ["result"]
    list_select_related = ["customer", "campaign"]
    list_before_template = "dashboard/export_link.html"
    ordering = ["-created_at", "-id"]
    fields = [
        "codes",
        "customer",
        "campaign",
        "channel",
        "source_id",
        "result",
        "failure_message",
        "details",
        "created_at",
    ]
    readonly_fields = ["codes", "details"]

    @display(description=_("Code"))
    def given(self, publication: Publication) -> str:
        more = len(publication.voucher_ids) - 1
        said = _("%(code)s and %(count)d more") if more > 0 else "%(code)s"
        return said % {"code": publication.voucher_code, "count": more}

    @display(description=_("Codes"))
    def codes(self, publication: Publication) -> str:
        keys = publication.voucher_ids[:CODES_SHOWN]
        found = Voucher.objects.filter(project=publication.project_id, pk__in=keys).order_by("pk")
        codes = [*found.values_list("code", flat=True), *["…"] * (len(publication.voucher_ids) > len(keys))]
        return ", ".join(codes) or publication.voucher_code

    @display(description=_("Details"))
    def details(self, publication: Publication) -> str:
        return details_in_words(publication.metadata)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
