"""The forms marketers fill in: amounts as they are written, time in the shop's zone, no JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from campaigns.admin.names import name_taken
from campaigns.admin.offers import OfferFields, shown_discount
from campaigns.models import Campaign
from campaigns.services.create import schema_of_campaign
from promoengine.core.admin_attribute_fields import AttributeFields
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from promoengine.core.prices import major_units, minor_units
from vouchers.admin.limits import LimitFields, shown_limits
from vouchers.models import Voucher
from vouchers.patterns import DEFAULT_CHARSET, LEGIBLE_CHARSET, parse_code_config
from vouchers.services.batches import BatchTerms
from vouchers.services.generate import check_room

OFFERS = [
    ("PERCENT", _("Percent off the order")),
    ("AMOUNT", _("Amount off the order")),
    ("FIXED", _("Fixed price of the order")),
    ("GIFT", _("Gift card")),
]
BATCH_FIELDS = ["batch_name", "locked_until", "one_per_person"]
PATTERN = "#####-#####"
CHARSETS = [
    (LEGIBLE_CHARSET, _("Letters and digits that are not mistaken for each other")),
    (DEFAULT_CHARSET, _("All digits and letters, small and capital")),
    ("0123456789", _("Digits only")),
]


def code_config_of(filled: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wire's `code_config` that the fields of a campaign's codes say."""
    return {
        "pattern": filled.get("pattern") or PATTERN,
        "charset": filled.get("charset") or LEGIBLE_CHARSET,
        "check_character": bool(filled.get("check_character")),
        "avoid_words": bool(filled.get("avoid_words")),
    }


class BatchFields(forms.Form):
    """What is said of the batch that codes become."""

    batch_name = forms.CharField(
        label=_("Name of this batch"),
        required=False,
        max_length=255,
        help_text=_("As in “Christmas giveaway”; codes that are made together are a batch."),
        widget=UnfoldAdminTextInputWidget,
    )
    locked_until = forms.SplitDateTimeField(
        label=_("Locked until"),
        required=False,
        help_text=_("None of them can be got or used before; empty means at once."),
        widget=UnfoldAdminSplitDateTimeWidget,
    )
    one_per_person = forms.BooleanField(
        label=_("One code of this batch for each person"), required=False, widget=UnfoldBooleanWidget
    )

    def clean_locked_until(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["locked_until"]
        if moment is not None and moment <= timezone.now():
            raise forms.ValidationError(_("This is past; leave it empty to give codes at once."))
        return moment

    def batch_terms(self) -> BatchTerms:
        """Return what was filled in as the service takes it."""
        cleaned = self.cleaned_data
        return BatchTerms(
            cleaned.get("batch_name") or "", cleaned.get("locked_until"), bool(cleaned.get("one_per_person"))
        )


class CampaignForm(OfferFields, BatchFields, LimitFields, AttributeFields, forms.ModelForm):
    """Makes and changes a campaign of codes."""

    offer = forms.ChoiceField(
        choices=OFFERS, label=_("Offer"), widget=UnfoldAdminSelectWidget(choices=OFFERS)
    )
    codes = forms.IntegerField(
        label=_("Number of codes"),
        required=False,
        min_value=0,
        initial=0,
        help_text=_("Made as soon as you save; many are made in the background."),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    pattern = forms.CharField(
        label=_("Pattern of the codes"),
        required=False,
        max_length=200,
        initial=PATTERN,
        help_text=_("Each # becomes a random character, the rest stays, as in SPRING-####-####."),
        widget=UnfoldAdminTextInputWidget,
    )
    charset = forms.ChoiceField(
        label=_("Characters"),
        choices=CHARSETS,
        required=False,
        widget=UnfoldAdminSelectWidget(choices=CHARSETS),
    )
    check_character = forms.BooleanField(
        label=_("Add a check character"),
        required=False,
        help_text=_("One more character at the end, by which a till can tell a slip of the pen."),
        widget=UnfoldBooleanWidget,
    )
    avoid_words = forms.BooleanField(
        label=_("Leave out rude words"), required=False, initial=True, widget=UnfoldBooleanWidget
    )
    common_code = forms.CharField(
        label=_("The one code"),
        required=False,
        max_length=255,
        help_text=_("Only for one code for everybody, as in SUMMER26; empty makes one by the pattern."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Campaign
        fields = [
            "name",
            "description",
            "type",
            "start_date",
            "expiration_date",
            "quantity",
            "join_once",
            "rollbacks",
            "rollbacks_until",
        ]

    project: Project

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quantity"].label = _("Uses of each code")
        self.fields["join_once"].label = _("One code for each customer")
        self.fields["rollbacks"].label = _("May a use be taken back?")
        self.fields["rollbacks"].help_text = _("As for a canceled order; the code can then be used again.")
        self.fields["rollbacks"].required = False
        self.fields["rollbacks_until"].label = _("Only until")
        self.fields["rollbacks_until"].help_text = _("Empty is without end.")
        self.fields["description"].widget.attrs["rows"] = 3
        if not self.is_new:
            self._show(self.instance)
            self.initial |= shown_limits(self.project, self.instance)

    @property
    def is_new(self) -> bool:
        return bool(self.instance._state.adding)

    def schema_name(self) -> str:
        return schema_of_campaign(uses_voucher_schema=self.instance.use_voucher_metadata_schema)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("quantity") == 0:
            self.add_error("quantity", _("Leave it empty for no limit, or write at least 1."))
        self._check_name(cleaned.get("name"))
        self._check_codes(cleaned)
        return cleaned

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the services take it."""
        cleaned = self.cleaned_data
        data: dict[str, Any] = {
            name: cleaned[name]
            for name in ("name", "description", "start_date", "expiration_date", "join_once")
            if name in cleaned and (self.is_new or name in self.changed_data)
        }
        data |= {
            "category": cleaned["category_name"] or None,
            "one_customer_by": cleaned["one_customer_by"],
            "guests": cleaned["guests"] or None,
            **self.metadata_to_wire(),
        }
        if self.is_new or {"rollbacks", "rollbacks_until"} & set(self.changed_data):
            until = cleaned["rollbacks_until"]
            data["rollback_policy"] = {"allowed": cleaned["rollbacks"] or None, "until": until}
        if "offer" not in cleaned:
            return data
        voucher: dict[str, Any] = {"redemption": {"quantity": cleaned["quantity"]}}
        if cleaned["offer"] == "GIFT":
            voucher |= {
                "type": "GIFT_VOUCHER",
                "gift": {"amount": minor_units(cleaned["value"], self.project.currency)},
            }
        else:
            voucher |= {"type": "DISCOUNT_VOUCHER", "discount": self.discount_to_wire()}
        if self.is_new:
            data |= {"type": cleaned["type"], "vouchers_count": cleaned["codes"] or 0}
            voucher |= {"code_config": code_config_of(cleaned), "code": cleaned["common_code"] or None}
        return data | {"voucher": voucher}

    def _check_name(self, name: str | None) -> None:
        if taken := name and name_taken(self.project, name, self.instance):
            self.add_error("name", taken)

    def _check_codes(self, cleaned: dict[str, Any]) -> None:
        config = code_config_of(cleaned) if self.is_new else self.instance.code_config
        try:
            check_room(self.project, parse_code_config(config), cleaned.get("codes") or 0)
        except DomainError as refusal:
            self.add_error("pattern" if self.is_new else "codes", refusal.details)

    def _show(self, campaign: Campaign) -> None:
        for name in ("pattern", "charset", "check_character", "avoid_words", "common_code"):
            del self.fields[name]
        self.fields["codes"].label = _("More codes to make")
        self.initial["category_name"] = campaign.category.name if campaign.category else ""
        if campaign.gift:
            self.initial |= {
                "offer": "GIFT",
                "value": major_units(campaign.gift["amount"], self.project.currency),
            }
            self.fields["value"].disabled = self.fields["elsewhere"].disabled = True
        elif campaign.discount:
            self.initial |= shown_discount(campaign.discount, self.project.currency)
        else:
            gone = ("offer", "value", "most", "elsewhere", "quantity", "join_once", "type", "codes")
            for name in (*gone, *BATCH_FIELDS):
                del self.fields[name]
        for name in {"name", "type", "offer"} & self.fields.keys():
            self.fields[name].disabled = True


class VoucherForm(AttributeFields, forms.ModelForm):
    """Changes one code."""

    class Meta:
        model = Voucher
        fields = ["active", "start_date", "expiration_date", "quantity", "additional_info"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quantity"].label = _("Uses")

    def schema_name(self) -> str:
        return "voucher"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("start_date"), cleaned.get("expiration_date")
        if start and end and end <= start:
            self.add_error("expiration_date", _("The end must be after the start."))
        quantity = cleaned.get("quantity")
        if quantity == 0 or (quantity is not None and quantity < self.instance.redeemed_quantity):
            self.add_error("quantity", _("It may not be below the uses there have been, nor 0."))
        return cleaned

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the service takes it."""
        cleaned = self.cleaned_data
        changed = {name: cleaned[name] for name in self.own_changes if name != "quantity"}
        if "quantity" in self.changed_data:
            changed["redemption"] = {"quantity": cleaned["quantity"]}
        return changed | self.metadata_to_wire()
