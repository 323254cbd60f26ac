"""The limits of a campaign as fields of its form."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from campaigns.limits import limits_rule
from campaigns.models import Campaign
from promoengine.core.models import Project
from promoengine.core.prices import major_units, minor_units

MOST = 10**9
LIMIT_FIELDS = [("limit_total", "limit_daily"), ("limit_customer", "limit_discount")]
WHO_FIELDS = ["one_customer_by", "guests"]
KEYS = [
    ("email", _("E-mail address, however it is spelled")),
    ("phone", _("Phone number")),
    ("card", _("Payment card")),
    ("device", _("Device or browser")),
    ("address", _("Postal address")),
]
GUESTS = [
    (Campaign.Guests.UNLESS_LIMITED, _("Yes, unless uses by each customer are limited")),
    (Campaign.Guests.ALLOWED, _("Yes, in any case: nobody counts their uses")),
    (Campaign.Guests.COUNTED, _("Only if their device or address is known, which then counts their uses")),
    (Campaign.Guests.REFUSED, _("No, they have to sign in, or give an e-mail address or phone number")),
]


def uses(label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST,
        label=label,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class LimitFields(forms.Form):
    """How often all codes or promotions of a campaign may be used together, by whom, and at which cost."""

    limit_total = uses(_("Uses in all"), _("Of all its codes or promotions together; empty means no limit."))
    limit_daily = uses(_("Uses a day"), _("From midnight to midnight in the shop's zone."))
    limit_customer = uses(_("Uses by each customer"), _("Who counts as one customer is said below."))
    limit_discount = forms.DecimalField(
        required=False,
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=3,
        label=_("Discount given in all"),
        help_text=_("As you would write it on a price tag; a use that would pass it is refused."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    one_customer_by = forms.MultipleChoiceField(
        choices=KEYS,
        required=False,
        label=_("Who shares one of these"),
        help_text=_(
            "Limits by customer then count all who share it together, whatever account they use. Tick none to"
            " count each customer record alone. Card and device are what your shop sends of them."
        ),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    guests = forms.ChoiceField(
        choices=GUESTS,
        required=False,
        label=_("May guests use it?"),
        help_text=_("People of whom nothing is known, or only their browser."),
        widget=UnfoldAdminSelectWidget(choices=GUESTS),
    )


def shown_limits(project: Project, campaign: Campaign) -> dict[str, Any]:
    """Return a campaign's limits as the fields show them."""
    _rule, limits = limits_rule(project, campaign)
    shown: dict[str, Any] = {f"limit_{name}": most for name, most in limits.items()}
    shown |= {name: getattr(campaign, name) for name in WHO_FIELDS}
    if "discount" in limits:
        shown["limit_discount"] = major_units(limits["discount"], project.currency)
    return shown


def limits_filled_in(project: Project, cleaned: dict[str, Any]) -> dict[str, int | None]:
    """Return what was filled in as the service takes it."""
    discount = cleaned["limit_discount"]
    return {
        **{name: cleaned[f"limit_{name}"] for name in ("total", "daily", "customer")},
        "discount": None if discount is None else minor_units(discount, project.currency),
    }
