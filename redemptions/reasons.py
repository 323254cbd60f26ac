"""Why a redeemable is refused or left out, in words for marketers."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "voucher_disabled": _("The code is switched off."),
    "voucher_expired": _("The code has expired."),
    "voucher_not_active": _("The code can not be used yet."),
    "voucher_not_active_now": _("The code can not be used at this hour or on this day."),
    "promotion_inactive": _("The promotion is switched off, has ended or has not begun."),
    "promotion_not_active_now": _("The promotion does not run at this hour or on this day."),
    "quantity_exceeded": _("The code has been used as often as it may be."),
    "gift_amount_exceeded": _("The gift card has less on it than this takes."),
    "missing_order": _("It needs an order, and the cart is empty."),
    "missing_order_items": _("It needs to know the products of the order."),
    "missing_amount": _("It needs to know what the order costs."),
    "missing_customer": _("It needs to know the customer."),
    "customer_rules_violated": _("The customer does not meet its rules."),
    "order_rules_violated": _("The order does not meet its rules."),
    "redemption_rules_violated": _("Its limits or rules do not allow this use."),
    "invalid_product": _("It gives a product that the catalogue does not have."),
    "currency_mismatch": _("It says no amount in the currency of the order."),
    "invalid_payload": _("Something it needs to know is missing."),
    "not_found": _("There is no such code or promotion."),
    "applicable_redeemables_limit_exceeded": _("One order may not use more offers than there are before it."),
    "applicable_redeemables_per_category_limit_exceeded": _(
        "One order may not use more offers of its category."
    ),
    "applicable_exclusive_redeemables_limit_exceeded": _(
        "One order may not use more offers that stand alone."
    ),
    "applicable_exclusive_redeemables_per_category_limit_exceeded": _(
        "One order may not use more offers of its category that stand alone."
    ),
    "exclusion_rules_not_met": _("It can not be used together with the others."),
    "no_effect": _("It would change nothing."),
    "preceding_validation_failed": _("An offer before it does not apply, and then none is used."),
}


def reason_in_words(key: str, otherwise: str) -> str:
    """Return a reason as a sentence; `otherwise` where nobody has put it into words yet."""
    return str(REASONS.get(key, otherwise))
