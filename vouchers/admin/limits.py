"""The limits of a campaign as fields of its form."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget

from campaigns.admin.prices import major_units, minor_units
from campaigns.limits import limits_rule
from campaigns.models import Campaign
from promoengine.core.models import Project

MOST = 10**9
LIMIT_FIELDS = [("limit_total", "limit_daily"), ("limit_customer", "limit_discount")]


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
    """How often all codes or promotions of a campaign may be used together, and what they may cost."""

    limit_total = uses(_("Uses in all"), _("Of all its codes or promotions together; empty means no limit."))
    limit_daily = uses(_("Uses a day"), _("From midnight to midnight in the shop's zone."))
    limit_customer = uses(_("Uses by each customer"), _("Guests can not use it then: nobody could count."))
    limit_discount = forms.DecimalField(
        required=False,
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=3,
        label=_("Discount given in all"),
        help_text=_("As you would write it on a price tag; a use that would pass it is refused."),
        widget=UnfoldAdminDecimalFieldWidget,
    )


def shown_limits(project: Project, campaign: Campaign) -> dict[str, Any]:
    """Return a campaign's limits as the fields show them."""
    _rule, limits = limits_rule(project, campaign)
    shown: dict[str, Any] = {f"limit_{name}": most for name, most in limits.items()}
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
