"""Promotions, offers that need no code, in the dashboard."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.admin.guarded import GuardedAdmin
from campaigns.admin.names import name_taken
from campaigns.admin.offers import VALUE_FIELDS, OfferFields, shown_discount
from campaigns.models import Campaign, PromotionTier
from campaigns.selectors import tiers_for_wire
from campaigns.sentences import offer_in_words
from campaigns.services.create import create_campaign
from campaigns.services.promotions import (
    HIERARCHY_MAX,
    create_tier,
    delete_tier,
    set_tier_active,
    update_tier,
)
from campaigns.services.related_objects import RelatedObject, related_object
from promoengine.core.admin_attribute_fields import AttributeFields, attribute_fieldset
from promoengine.core.admin_project import current_project
from promoengine.core.errors import DomainError
from promoengine.core.models import Project

CHANNEL = "USER_PORTAL"
OFFERS = [("PERCENT", _("Percent off")), ("AMOUNT", _("Amount off")), ("FIXED", _("New price"))]
SCOPES = [
    ("APPLY_TO_ORDER", _("The order as a whole")),
    ("APPLY_TO_ITEMS", _("Each item")),
    ("APPLY_TO_ITEMS_BY_QUANTITY", _("Each unit of each item")),
    ("APPLY_TO_ITEMS_PROPORTIONALLY", _("The items together, by their prices")),
]
SCOPES_OF_AMOUNTS = ("APPLY_TO_ITEMS_BY_QUANTITY", "APPLY_TO_ITEMS_PROPORTIONALLY")
OFFER_FIELDS = ["offer", "value", "most", "elsewhere", "scope"]


class PromotionForm(OfferFields, AttributeFields, forms.ModelForm):
    """Makes and changes a promotion tier; one that says more than the form can show keeps its offer."""

    campaign = forms.ModelChoiceField(
        Campaign.objects.none(),
        required=False,
        label=_("Campaign"),
        help_text=_("Promotions of one campaign start, end and are switched off together."),
        widget=UnfoldAdminSelectWidget,
    )
    new_campaign = forms.CharField(
        required=False,
        max_length=255,
        label=_("or a new campaign"),
        help_text=_("Its name, where none of those there are fits."),
        widget=UnfoldAdminTextInputWidget,
    )
    offer = forms.ChoiceField(
        choices=OFFERS, label=_("Offer"), widget=UnfoldAdminSelectWidget(choices=OFFERS)
    )
    scope = forms.ChoiceField(
        choices=SCOPES, label=_("It reduces"), widget=UnfoldAdminSelectWidget(choices=SCOPES)
    )
    hierarchy = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=HIERARCHY_MAX,
        label=_("Place"),
        help_text=_("1 comes first; empty puts it after the others of its campaign."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = PromotionTier
        fields = ["name", "banner", "active", "start_date", "expiration_date"]

    project: Project

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["banner"].label = _("Shown to customers")
        self.fields["banner"].widget.attrs["rows"] = 2
        self.fields["active"].label = _("Switched on")
        if self.is_new:
            promotions = Campaign.objects.present().filter(project=self.project, campaign_type="PROMOTION")
            self.fields["campaign"].queryset = promotions.order_by("-pk")
        else:
            self._show(self.instance)

    @property
    def is_new(self) -> bool:
        return bool(self.instance._state.adding)

    def schema_name(self) -> str:
        return "promotion_tier"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("scope") in SCOPES_OF_AMOUNTS and cleaned.get("offer") != "AMOUNT":
            self.add_error("scope", _("Only an amount off can be given so; choose the order or each item."))
        if self.is_new:
            self._check_campaign(cleaned)
        return cleaned

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the services take it."""
        cleaned = self.cleaned_data
        names = ("name", "banner", "active", "start_date", "expiration_date", "hierarchy")
        data = {name: cleaned[name] for name in names if self.is_new or name in self.changed_data}
        if "category_name" in self.changed_data:
            data["category"] = cleaned["category_name"] or None
        if {*OFFER_FIELDS} & {*self.changed_data}:
            data["action"] = {"discount": self.discount_to_wire() | {"effect": cleaned["scope"]}}
        return data | self.metadata_to_wire()

    def _check_campaign(self, cleaned: dict[str, Any]) -> None:
        name = cleaned.get("new_campaign")
        if bool(name) == bool(cleaned.get("campaign")):
            self.add_error("campaign", _("Choose a campaign, or write the name of a new one."))
        if taken := name and name_taken(self.project, name):
            self.add_error("new_campaign", taken)

    def _show(self, tier: PromotionTier) -> None:
        for name in ("campaign", "new_campaign"):
            del self.fields[name]
        self.initial |= {
            "category_name": tier.category.name if tier.category else "",
            "hierarchy": tier.hierarchy,
        }
        discount = tier.discount
        if not fits_form(discount):
            for name in OFFER_FIELDS:
                del self.fields[name]
        elif discount:
            self.initial |= shown_discount(discount, self.project.currency)
            self.initial["scope"] = discount.get("effect") or "APPLY_TO_ORDER"


def fits_form(discount: dict[str, Any] | None) -> bool:
    """Return whether the form shows all that a discount says, so that saving it loses nothing."""
    if not discount:
        return True
    if discount["type"] not in VALUE_FIELDS or discount.get("effect", "APPLY_TO_ORDER") not in dict(SCOPES):
        return False
    value = VALUE_FIELDS[discount["type"]]
    said = (
        {"amount_limit", "amount_limit_by_currency"}
        if discount["type"] == "PERCENT"
        else {f"{value}_by_currency"}
    )
    return discount.keys() <= {"type", value, "effect"} | said


@admin.register(PromotionTier)
class PromotionAdmin(GuardedAdmin):
    nothing_yet = _("A promotion is an offer without a code: every cart that fits can use it.")
    form = PromotionForm
    list_display = ["name", "campaign_name", "offer", "state", "place", "uses"]
    list_filter = ["active"]
    search_fields = ["name", "campaign__name"]
    ordering = ["-campaign_id", "hierarchy", "id"]
    actions = ["enable", "disable"]
    actions_detail = ["switch", "try_out"]
    conditional_fields = {"most": "offer == 'PERCENT'"}
    looked_at = [
        "name",
        "banner",
        "campaign",
        "category",
        "offer",
        ("start_date", "expiration_date"),
        "hierarchy",
        "active",
    ]
    change_form_outer_after_template = "campaigns/guards_of_row.html"

    def related(self, project: Project, row: PromotionTier) -> RelatedObject:
        return related_object(project, "promotion_tier", row.public_id)

    def tried(self, row: PromotionTier) -> list[tuple[str, str]]:
        return [("promotions", row.public_id)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromotionTier]:
        rows = super().get_queryset(request).filter(pk__in=tiers_for_wire(current_project(request)))
        return rows.select_related("project", "campaign", "category")

    def get_fieldsets(self, request: HttpRequest, obj: PromotionTier | None = None) -> list[Any]:
        if self.only_looks(request, obj):
            return [(None, {"fields": self.looked_at})]
        what = ["name", "banner", "category_name"]
        sets = [
            (None, {"fields": what if obj else [*what, "campaign", "new_campaign"]}),
            (_("When"), {"fields": ["start_date", "expiration_date", "hierarchy", "active"]}),
        ]
        if obj is None or fits_form(obj.discount):
            sets.insert(1, (_("Offer"), {"fields": ["offer", ("value", "most"), "elsewhere", "scope"]}))
        return [*sets, *attribute_fieldset(self, request, obj, "promotion_tier")]

    def get_form(
        self, request: HttpRequest, obj: PromotionTier | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = PromotionForm.Meta.fields
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def save_model(self, request: HttpRequest, obj: PromotionTier, form: PromotionForm, change: bool) -> None:
        project, now, data = current_project(request), timezone.now(), form.to_wire()
        if change:
            update_tier(project, obj.public_id, data=data, channel=CHANNEL, now=now)
            return
        campaign = form.cleaned_data["campaign"]
        if campaign is None:
            body = {"name": form.cleaned_data["new_campaign"], "campaign_type": "PROMOTION"}
            campaign = create_campaign(project, data=body, channel=CHANNEL, now=now)
        saved = create_tier(project, campaign.public_id, data=data, channel=CHANNEL, now=now)
        obj.pk, obj.project, obj.campaign = saved.pk, project, saved.campaign

    def delete_model(self, request: HttpRequest, obj: PromotionTier) -> None:
        delete_tier(current_project(request), obj.public_id, channel=CHANNEL, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PromotionTier]) -> None:
        for tier in queryset:
            self.delete_model(request, tier)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the promotions: their redemptions stay."""
        return [str(tier) for tier in objs], {_("promotions"): len(objs)}, set(), []

    @display(description=_("Campaign"), ordering="campaign__name")
    def campaign_name(self, tier: PromotionTier) -> str:
        return tier.campaign.name

    @display(description=_("Place"), ordering="hierarchy")
    def place(self, tier: PromotionTier) -> int:
        return tier.hierarchy

    @display(description=_("Uses"), ordering="redeemed_count")
    def uses(self, tier: PromotionTier) -> int:
        return tier.redeemed_count

    @display(description=_("Offer"))
    def offer(self, tier: PromotionTier) -> str:
        return offer_in_words(tier.discount, None, tier.project.currency)

    @display(
        description=_("State"),
        label={_("Running"): "success", _("Disabled"): "danger", _("Ended"): "warning", _("Planned"): "info"},
    )
    def state(self, tier: PromotionTier) -> Any:
        now = timezone.now()
        if not (tier.active and tier.campaign.active):
            return _("Disabled")
        if any(row.expiration_date and row.expiration_date <= now for row in (tier, tier.campaign)):
            return _("Ended")
        if any(row.start_date and row.start_date > now for row in (tier, tier.campaign)):
            return _("Planned")
        return _("Running")

    @admin.action(description=_("Enable selected promotions"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[PromotionTier]) -> None:
        self._switch(request, queryset, active=True)

    @admin.action(description=_("Disable selected promotions"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[PromotionTier]) -> None:
        self._switch(request, queryset, active=False)

    @action(description=_("Enable or disable"), url_path="switch", permissions=["change"])
    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tier = self.get_queryset(request).get(pk=object_id)
        self._switch(request, [tier], active=not tier.active)
        return HttpResponseRedirect(reverse("admin:campaigns_promotiontier_change", args=[object_id]))

    def _switch(self, request: HttpRequest, tiers: Any, *, active: bool) -> None:
        project, now, count = current_project(request), timezone.now(), 0
        for tier in tiers:
            try:
                set_tier_active(project, tier.public_id, active=active, channel=CHANNEL, now=now)
                count += 1
            except DomainError as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
        if active:
            text = ngettext("%d promotion enabled.", "%d promotions enabled.", count)
        else:
            text = ngettext("%d promotion disabled.", "%d promotions disabled.", count)
        self.message_user(request, text % count)
