"""Vouchers as the wire has them: what is not set is null, except the holder, which is absent."""

from typing import Any

from campaigns.wire import WINDOWS, categories_to_wire, empty_list
from customers.models import Customer
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id
from vouchers.models import Voucher


def voucher_to_wire(voucher: Voucher) -> dict[str, Any]:
    """Return a voucher that came from `vouchers_for_wire`."""
    windows = voucher.validity_in_force or {}
    category = voucher.category_in_force
    wire = {
        "id": voucher.public_id,
        "code": voucher.code,
        "campaign": voucher.campaign.name if voucher.campaign else None,
        "campaign_id": voucher.campaign.public_id if voucher.campaign else None,
        "category": category.name if category else None,
        "category_id": category.public_id if category else None,
        "categories": categories_to_wire(category),
        "type": voucher.type,
        "discount": voucher.discount_in_force,
        "gift": gift_to_wire(voucher),
        "loyalty_card": None,
        "start_date": wire_datetime(voucher.start_date),
        "expiration_date": wire_datetime(voucher.expiration_date),
        "validity_timeframe": windows.get("timeframe"),
        "validity_day_of_week": windows.get("day_of_week"),
        "active": voucher.active,
        "additional_info": voucher.additional_info,
        "metadata": voucher.metadata,
        "is_referral_code": voucher.is_referral_code,
        "created_at": wire_datetime(voucher.created_at),
        "updated_at": wire_datetime(voucher.updated_at),
        "redemption": redemption_to_wire(voucher),
        "publish": {
            "object": "list",
            "count": voucher.published_count,
            "url": f"/v1/vouchers/{voucher.code}/publications?page=1&limit=10",
        },
        "validation_rules_assignments": empty_list(),
        "object": "voucher",
    }
    if "hours" in windows:
        wire[WINDOWS["hours"]] = windows["hours"]
    if voucher.holder_id:
        wire["holder_id"] = public_id(Customer.prefix, voucher.holder_id)
    return wire


def gift_to_wire(voucher: Voucher) -> dict[str, Any] | None:
    """Return a gift card's amounts in minor units, or None for another voucher."""
    if voucher.type != Voucher.Type.GIFT_VOUCHER:
        return None
    gift = {"amount": voucher.gift_amount, "balance": voucher.gift_balance}
    subtracted = voucher.gift_amount - voucher.redeemed_amount - voucher.gift_balance
    if subtracted:
        gift["subtracted_amount"] = subtracted
    return gift | {"effect": voucher.gift_effect or "APPLY_TO_ORDER"}


def redemption_to_wire(voucher: Voucher) -> dict[str, Any]:
    """Return how often a voucher may be and has been used."""
    redemption = {
        "quantity": voucher.quantity,
        "redeemed_quantity": voucher.redeemed_quantity + voucher.pending_quantity,
        "object": "list",
        "url": f"/v1/vouchers/{voucher.code}/redemptions?page=1&limit=10",
    }
    if voucher.type == Voucher.Type.GIFT_VOUCHER:
        redemption["redeemed_amount"] = voucher.redeemed_amount
    return redemption


def short_voucher(voucher: Voucher) -> dict[str, Any]:
    """Return the few fields of a voucher that lists of other things carry."""
    return {
        "id": voucher.public_id,
        "code": voucher.code,
        "object": "voucher",
        "campaign": voucher.campaign.name if voucher.campaign else None,
        "campaign_id": voucher.campaign.public_id if voucher.campaign else None,
        "type": voucher.type,
        "is_referral_code": voucher.is_referral_code,
    }
