"""The dashboard's sidebar, in the words of the people who use it."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

# No team has it: `has_perm` says yes to superusers alone, whatever they are asked about.
SUPERUSER = "superuser"
# Of these there are exports, for those who may see them.
EXPORTED = (
    "vouchers.view_voucher",
    "redemptions.view_redemption",
    "customers.view_customer",
    "vouchers.view_publication",
    "redemptions.view_order",
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of links that the user may open."""
    groups = [
        (
            "",
            [
                (_("Home"), "home", "admin:index", None),
                (
                    _("Campaigns"),
                    "campaign",
                    "admin:campaigns_campaign_changelist",
                    "campaigns.view_campaign",
                ),
                (
                    _("Promotions"),
                    "local_offer",
                    "admin:campaigns_promotiontier_changelist",
                    "campaigns.view_promotiontier",
                ),
                (_("Codes"), "sell", "admin:vouchers_voucher_changelist", "vouchers.view_voucher"),
                (
                    _("Redemptions"),
                    "receipt_long",
                    "admin:redemptions_redemption_changelist",
                    "redemptions.view_redemption",
                ),
                (
                    _("Rules"),
                    "rule",
                    "admin:campaigns_validationrule_changelist",
                    "campaigns.view_validationrule",
                ),
                (
                    _("Try it out"),
                    "science",
                    "admin:redemptions_simulator",
                    "redemptions.view_redemption",
                ),
                (_("Customers"), "group", "admin:customers_customer_changelist", "customers.view_customer"),
                (_("Consents"), "handshake", "admin:customers_consent_changelist", "customers.view_consent"),
                (_("Segments"), "groups_2", "admin:customers_segment_changelist", "customers.view_segment"),
                (
                    _("Locations"),
                    "location_on",
                    "admin:customers_location_changelist",
                    "customers.view_location",
                ),
                (
                    _("Products"),
                    "inventory_2",
                    "admin:campaigns_product_changelist",
                    "campaigns.view_product",
                ),
                (_("SKUs"), "style", "admin:campaigns_sku_changelist", "campaigns.view_sku"),
                (
                    _("Collections"),
                    "collections_bookmark",
                    "admin:campaigns_productcollection_changelist",
                    "campaigns.view_productcollection",
                ),
                (
                    _("Publications"),
                    "outbox",
                    "admin:vouchers_publication_changelist",
                    "vouchers.view_publication",
                ),
                (
                    _("Messages"),
                    "mail",
                    "admin:notifications_message_changelist",
                    "notifications.view_message",
                ),
                (
                    _("Orders"),
                    "shopping_cart",
                    "admin:redemptions_order_changelist",
                    "redemptions.view_order",
                ),
                (_("Exports"), "download", "admin:redemptions_export_changelist", EXPORTED),
            ],
        ),
        (
            _("Settings"),
            [
                (_("Projects"), "storefront", "admin:core_project_changelist", "core.view_project"),
                (_("API keys"), "key", "admin:core_apikey_changelist", "core.view_apikey"),
                (
                    _("Attributes"),
                    "data_object",
                    "admin:core_metadataschema_changelist",
                    "core.view_metadataschema",
                ),
                (
                    _("Categories"),
                    "category",
                    "admin:campaigns_category_changelist",
                    "campaigns.view_category",
                ),
                (
                    _("Stacking rules"),
                    "stacks",
                    "admin:campaigns_projectstacking_changelist",
                    "campaigns.view_projectstacking",
                ),
                (_("Trash"), "delete", "admin:campaigns_binentry_changelist", "campaigns.view_binentry"),
                (
                    _("Background work"),
                    "hourglass_top",
                    "admin:core_asyncaction_changelist",
                    "core.view_asyncaction",
                ),
                (
                    _("Keeping of data"),
                    "auto_delete",
                    "admin:core_retentionperiod_changelist",
                    "core.view_retentionperiod",
                ),
                (_("Health"), "monitor_heart", "health", SUPERUSER),
                (_("People"), "manage_accounts", "admin:auth_user_changelist", "auth.view_user"),
                (_("Teams"), "groups", "admin:auth_group_changelist", "auth.view_group"),
            ],
        ),
    ]
    here = _current(
        [reverse(url) for _title, links in groups for _label, _icon, url, _permission in links], request
    )
    return [
        {
            "title": title,
            "separator": bool(title),
            "items": [
                {
                    "title": label,
                    "icon": icon,
                    "link": reverse(url),
                    "active": partial(_is_at, reverse(url) == here),
                }
                for label, icon, url, permission in links
                if _may_open(request, permission)
            ],
        }
        for title, links in groups
    ]


def _may_open(request: HttpRequest, permission: str | tuple[str, ...] | None) -> bool:
    """Return whether the user has the permission, or one of several."""
    if permission is None:
        return True
    return any(map(request.user.has_perm, (permission,) if isinstance(permission, str) else permission))


def _current(links: list[str], request: HttpRequest) -> str:
    """Return the link of the page that is shown, or of the list it belongs to: the longest that fits."""
    home = reverse("admin:index")
    above = [link for link in links if link != home and request.path.startswith(link)]
    return max(above, key=len, default=request.path)


def _is_at(is_current: bool, request: HttpRequest) -> bool:
    return is_current
