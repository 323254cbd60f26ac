"""Campaigns in the dashboard."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from campaigns.admin.guarded import GuardedAdmin
from campaigns.models import Campaign, PromotionTier
from campaigns.sentences import offer_in_words
from campaigns.services.change import set_campaign_active
from campaigns.services.create import schema_of_campaign
from campaigns.services.limits import save_limits
from campaigns.services.related_objects import RelatedObject
from promoengine.core.admin_attribute_fields import attribute_fieldset
from promoengine.core.admin_project import current_project, user_id
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from vouchers.admin.batches import batches_panel, pool_context
from vouchers.admin.campaign_work import campaign_work, may_see_work
from vouchers.admin.forms import BATCH_FIELDS, CampaignForm, code_config_of
from vouchers.admin.limits import KEYS, LIMIT_FIELDS, WHO_FIELDS, limits_filled_in
from vouchers.models import Voucher
from vouchers.services.batches import NewCodes
from vouchers.services.campaigns import (
    add_vouchers,
    delete_campaign,
    launch_campaign,
    update_campaign,
)
from vouchers.services.preview import preview_codes
from vouchers.services.related_objects import related_object

CHANNEL = "USER_PORTAL"
TRIED = 10
LIMITS = (_("Limits of the whole campaign"), {"fields": LIMIT_FIELDS})
TAKING_BACK = (_("Taking back"), {"fields": ["rollbacks", "rollbacks_until"]})


@admin.register(Campaign)
class CampaignAdmin(GuardedAdmin):
    deletion_says = _(
        "It goes to the trash with its codes, which can't be used any more, until it is brought back."
    )
    nothing_yet = _("A campaign is an offer with its codes: a discount, or gift cards.")
    form = CampaignForm
    list_display = ["name", "offer", "state", "codes", "start_date", "expiration_date"]
    list_filter = ["active", "campaign_type"]
    list_select_related = ["project", "category"]
    search_fields = ["name"]
    ordering = ["-id"]
    actions = ["enable", "disable"]
    actions_detail = ["switch", "try_out"]
    fieldsets = [
        (None, {"fields": ["name", "description", "category_name"]}),
        (_("Offer"), {"fields": ["offer", ("value", "most"), "elsewhere"]}),
        (_("When and how often"), {"fields": ["start_date", "expiration_date", "quantity", "join_once"]}),
        LIMITS,
        (_("Who counts as one customer"), {"fields": WHO_FIELDS}),
        TAKING_BACK,
        (
            _("Codes"),
            {
                "fields": [
                    "type",
                    "codes",
                    *BATCH_FIELDS,
                    "pattern",
                    "charset",
                    ("check_character", "avoid_words"),
                    "preview",
                    "common_code",
                ]
            },
        ),
    ]
    readonly_fields = ["preview"]
    looked_at = [
        "name",
        "description",
        "category",
        "offer",
        ("start_date", "expiration_date"),
        "quantity",
        "join_once",
        "counted_by",
        "guests",
        ("rollbacks", "rollbacks_until"),
        "codes_made",
    ]
    conditional_fields = {
        "most": "offer == 'PERCENT'",
        "elsewhere": "offer != 'GIFT'",
        "codes": "type != 'STANDALONE'",
        "batch_name": "type != 'STANDALONE'",
        "locked_until": "type != 'STANDALONE'",
        "one_per_person": "type != 'STANDALONE'",
        "common_code": "type == 'STANDALONE'",
    }
    change_form_outer_before_template = "vouchers/campaign_summary.html"
    change_form_outer_after_template = "vouchers/campaign_panels.html"

    def related(self, project: Project, row: Campaign) -> RelatedObject:
        return related_object(project, "campaign", row.public_id)

    def tried(self, row: Campaign) -> list[tuple[str, str]]:
        """Try its promotions, or the first of its codes that can be used."""
        if row.voucher_type is None:
            tiers = PromotionTier.objects.filter(campaign=row, active=True).order_by("hierarchy", "pk")
            return [("promotions", tier.public_id) for tier in tiers[:TRIED]]
        code = Voucher.objects.filter(campaign=row, active=True).order_by("pk").values_list("code", flat=True)
        return [("codes", one) for one in code[:1]]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).filter(deleted_at=None)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        if self.only_looks(request, obj):
            return [(None, {"fields": self.looked_at})]
        uses_voucher_schema = obj is None or obj.use_voucher_metadata_schema
        schema = schema_of_campaign(uses_voucher_schema=uses_voucher_schema)
        first, *others = self._fieldsets(list(super().get_fieldsets(request, obj)), obj)
        return [first, *attribute_fieldset(self, request, obj, schema), *others]

    def _fieldsets(self, sets: list[Any], obj: Model | None) -> list[Any]:
        if obj is None:
            return sets
        if obj.voucher_type is None:
            dates = (_("When"), {"fields": ["start_date", "expiration_date"]})
            return [sets[0], dates, *sets[3:6]]
        return [*sets[:-1], (_("Codes"), {"fields": ["type", "codes", *BATCH_FIELDS]})]

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = CampaignForm.Meta.fields
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        campaign = context.get("original")
        if campaign:
            context["offer_sentence"] = self.offer(campaign)
            context["codes_url"] = codes_url(campaign)
            context["promotions_url"] = promotions_url(campaign)
            if campaign.voucher_type and campaign.type != Campaign.Type.STANDALONE:
                context["batches_url"] = reverse("admin:campaigns_campaign_batches", args=[campaign.pk])
                context |= pool_context(campaign, now=timezone.now())
            if campaign.voucher_type and may_see_work(request):
                context["work_url"] = reverse("admin:campaigns_campaign_work", args=[campaign.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        preview = self.admin_site.admin_view(self.preview_codes)
        batches = self.admin_site.admin_view(batches_panel)
        work = self.admin_site.admin_view(campaign_work)
        return [
            path("preview-codes/", preview, name="campaigns_campaign_preview_codes"),
            path("<uuid:object_id>/batches/", batches, name="campaigns_campaign_batches"),
            path("<uuid:object_id>/progress/", work, name="campaigns_campaign_work"),
            *super().get_urls(),
        ]

    @display(description=_("Like these"))
    def preview(self, campaign: Campaign) -> str:
        url = reverse("admin:campaigns_campaign_preview_codes")
        return render_to_string("vouchers/preview_place.html", {"url": url})

    def preview_codes(self, request: HttpRequest) -> HttpResponse:
        """Show what codes of the pattern that is filled in would be like."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        codes = request.GET.get("codes", "")
        count = int(codes) if codes.isascii() and codes.isdigit() and len(codes) < 10 else 0
        try:
            config = code_config_of(request.GET)
            preview = preview_codes(current_project(request), code_config=config, count=count)
        except DomainError as refusal:
            return render(request, "vouchers/preview_codes.html", {"problem": refusal.details})
        context = {"preview": preview, "count": count, "problem": preview.problem}
        return render(request, "vouchers/preview_codes.html", context)

    def save_model(self, request: HttpRequest, obj: Campaign, form: ModelForm, change: bool) -> None:
        project, now, data, more = current_project(request), timezone.now(), form.to_wire(), None
        if change:
            one, more = _more_of(form)
            saved = update_campaign(project, obj.public_id, data=data, more=more, channel=CHANNEL, now=now)
            if one:
                add_vouchers(project, obj.public_id, count=1, data={}, channel=CHANNEL, now=now)
            saved.refresh_from_db()
        else:
            terms = form.batch_terms()
            saved = launch_campaign(project, data=data, batch=terms, channel=CHANNEL, now=now)
        limits = limits_filled_in(project, form.cleaned_data)
        save_limits(project, saved, limits=limits, channel=CHANNEL, now=now)
        for field in Campaign._meta.concrete_fields:
            setattr(obj, field.attname, getattr(saved, field.attname))
        if saved.generation_status == Campaign.GenerationStatus.MODIFYING and more:
            self.message_user(
                request, _("The codes there are follow the change; then the new ones are made.")
            )
        elif saved.generation_status == Campaign.GenerationStatus.IN_PROGRESS:
            self.message_user(request, _("The codes are being made; you can watch them arrive."))

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        delete_campaign(
            current_project(request),
            obj.public_id,
            channel=CHANNEL,
            deleted_by=user_id(request),
            now=timezone.now(),
        )

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        for campaign in queryset:
            self.delete_model(request, campaign)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the campaigns: their codes go into the bin with them."""
        return [str(campaign) for campaign in objs], {_("campaigns"): len(objs)}, set(), []

    @display(description=_("Offer"))
    def offer(self, campaign: Campaign) -> str:
        return offer_in_words(campaign.discount, campaign.gift, campaign.project.currency)

    @display(
        description=_("State"),
        label={_("Running"): "success", _("Disabled"): "danger", _("Ended"): "warning", _("Planned"): "info"},
    )
    def state(self, campaign: Campaign) -> Any:
        now = timezone.now()
        if not campaign.active:
            return _("Disabled")
        if campaign.expiration_date and campaign.expiration_date <= now:
            return _("Ended")
        if campaign.start_date and campaign.start_date > now:
            return _("Planned")
        return _("Running")

    @display(description=_("Codes"), ordering="vouchers_count")
    def codes(self, campaign: Campaign) -> str:
        if campaign.voucher_type is None:
            return format_html(
                '<a class="underline" href="{}">{}</a>', promotions_url(campaign), _("Promotions")
            )
        return format_html(
            '<a class="underline" href="{}">{}</a>', codes_url(campaign), campaign.vouchers_count
        )

    @display(description=_("Codes"))
    def codes_made(self, campaign: Campaign) -> str:
        """Return them under a name that the form, which shows its own by other fields, has no field of."""
        return self.codes(campaign)

    @display(description=_("Who shares one of these counts as one customer"))
    def counted_by(self, campaign: Campaign) -> str:
        names = dict(KEYS)
        return ", ".join(str(names[kind]) for kind in campaign.one_customer_by) or "-"

    @admin.action(description=_("Enable selected campaigns"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self._switch(request, queryset, active=True)

    @admin.action(description=_("Disable selected campaigns"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        self._switch(request, queryset, active=False)

    @action(description=_("Enable or disable"), url_path="switch", permissions=["change"])
    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        campaign = self.get_queryset(request).get(pk=object_id)
        self._switch(request, [campaign], active=not campaign.active)
        return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[object_id]))

    def _switch(self, request: HttpRequest, campaigns: Any, *, active: bool) -> None:
        project, now, count = current_project(request), timezone.now(), 0
        for campaign in campaigns:
            try:
                set_campaign_active(project, campaign.public_id, active=active, channel=CHANNEL, now=now)
                count += 1
            except DomainError as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
        if active:
            text = ngettext("%d campaign enabled.", "%d campaigns enabled.", count)
        else:
            text = ngettext("%d campaign disabled.", "%d campaigns disabled.", count)
        self.message_user(request, text % count)


def _more_of(form: Any) -> tuple[bool, NewCodes | None]:
    """Return whether one code more is to be made, at once, and which others in the background."""
    more = NewCodes(form.cleaned_data.get("codes") or 0, form.batch_terms())
    is_one = more == NewCodes(1)
    return is_one, more if more.count and not is_one else None


def codes_url(campaign: Campaign) -> str:
    """Return the page that lists a campaign's codes."""
    return f"{reverse('admin:vouchers_voucher_changelist')}?campaign__id__exact={campaign.pk}"


def promotions_url(campaign: Campaign) -> str:
    """Return the page that lists the promotions of a campaign without codes."""
    return f"{reverse('admin:campaigns_promotiontier_changelist')}?campaign__id__exact={campaign.pk}"
