"""Why a redeemable does not apply: the published keys, with their messages and HTTP codes."""

from dataclasses import dataclass

MESSAGES = {
    "voucher_disabled": "voucher is disabled",
    "voucher_expired": "voucher expired",
    "voucher_not_active": "voucher is not active yet",
    "voucher_not_active_now": "voucher not active now",
    "promotion_inactive": "Inactive Promotion",
    "promotion_not_active_now": "promotion not active now",
    "quantity_exceeded": "quantity exceeded",
    "gift_amount_exceeded": "gift amount exceeded",
    "loyalty_card_points_exceeded": "loyalty card points exceeded",
    "missing_order": "Missing order",
    "missing_order_items": "Missing order items",
    "missing_amount": "Missing Amount",
    "missing_customer": "Missing customer",
    "customer_rules_violated": "customer does not match validation rules",
    "order_rules_violated": "order does not match validation rules",
    "redemption_rules_violated": "redemption does not match validation rules",
    "invalid_product": "Invalid product",
    "currency_mismatch": "currency mismatch",
    "invalid_payload": "Invalid payload",
    "not_found": "Resource not found",
}
CODES = {"not_found": 404}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason: its key on the wire, and what it is about; `own_message` is a validation rule's words."""

    key: str
    details: str = ""
    resource_id: str | None = None
    resource_type: str | None = None
    own_message: str | None = None

    @property
    def message(self) -> str:
        return MESSAGES[self.key]

    @property
    def code(self) -> int:
        """The HTTP status the wire format gives this reason."""
        return CODES.get(self.key, 400)


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a redeemable was left out: stacking rules say so, or what came before it failed."""

    key: str
    message: str


LIMIT_EXCEEDED = Skip("applicable_redeemables_limit_exceeded", "Applicable redeemables limit exceeded")
CATEGORY_LIMIT_EXCEEDED = Skip(
    "applicable_redeemables_per_category_limit_exceeded",
    "Applicable redeemables limit per category exceeded",
)
EXCLUSIVE_LIMIT_EXCEEDED = Skip(
    "applicable_exclusive_redeemables_limit_exceeded", "Applicable exclusive redeemables limit exceeded"
)
EXCLUSIVE_CATEGORY_LIMIT_EXCEEDED = Skip(
    "applicable_exclusive_redeemables_per_category_limit_exceeded",
    "Applicable exclusive redeemables limit per category exceeded",
)
EXCLUDED = Skip("exclusion_rules_not_met", "Redeemable cannot be applied due to exclusion rules")
NOT_CHOSEN = Skip("not_in_best_combination", "Other redeemables together save more")
NO_EFFECT = Skip("no_effect", "Redeemable cannot be applied due to no effect")
PRECEDING_FAILED = Skip(
    "preceding_validation_failed",
    "Redeemable cannot be applied due to preceding validation failure",
)
