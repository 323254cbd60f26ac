"""Vouchers as the wire has them: what is not set is null, except the holder, which is absent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from campaigns.models import Campaign
from campaigns.rule_selectors import load_assignments
from campaigns.rule_wire import assignments_to_wire
from campaigns.wire import WINDOWS, categories_to_wire
from customers.models import Customer
from customers.wire import customer_to_wire
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id
from promoengine.core.models import Project
from vouchers.batches import FreeCodes
from vouchers.models import CodeBatch, Publication, Voucher, VoucherTransaction

MANUAL = (VoucherTransaction.Type.CREDITS_ADDITION, VoucherTransaction.Type.CREDITS_REMOVAL)


def voucher_to_wire(voucher: Voucher) -> dict[str, Any]:
    """Return a voucher that came from `vouchers_for_wire`, with the rules that have been loaded."""
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
        "validation_rules_assignments": assignments_to_wire(voucher.rule_assignments),
        "object": "voucher",
    }
    if "hours" in windows:
        wire[WINDOWS["hours"]] = windows["hours"]
    if voucher.holder_id:
        wire["holder_id"] = public_id(Customer.prefix, voucher.holder_id)
    return wire


def vouchers_to_wire(vouchers: list[Voucher]) -> list[dict[str, Any]]:
    """Return several vouchers with the rules on them and on their campaigns, in one more query."""
    load_assignments(vouchers)
    return [voucher_to_wire(voucher) for voucher in vouchers]


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
        "code": voucher.code,
        "object": "voucher",
        "campaign": voucher.campaign.name if voucher.campaign else None,
        "is_referral_code": voucher.is_referral_code,
    }


def publication_to_wire(
    publication: Publication, customer: Customer | None, vouchers: list[Voucher]
) -> dict[str, Any]:
    """Return a publication with its customer whole, and its one voucher or the codes of several."""
    wire: dict[str, Any] = {
        "id": publication.public_id,
        "object": "publication",
        "created_at": wire_datetime(publication.created_at),
        "customer_id": customer.public_id if customer else None,
        "tracking_id": publication.tracking_id,
        "metadata": publication.metadata,
        "channel": publication.channel,
        "source_id": publication.source_id,
        "result": publication.result,
        "customer": customer_to_wire(customer) if customer else None,
        "vouchers_id": [public_id(Voucher.prefix, key) for key in publication.voucher_ids],
    }
    if len(publication.voucher_ids) > 1:
        wire["vouchers"] = [voucher.code for voucher in vouchers]
    elif vouchers:
        wire["voucher"] = voucher_to_wire(vouchers[0])
    if publication.failure_code:
        wire |= {"failure_code": publication.failure_code, "failure_message": publication.failure_message}
    return wire


def batch_to_wire(batch: CodeBatch) -> dict[str, Any]:
    """Return a batch of codes; it is our own beside the published wire."""
    return {
        "id": batch.public_id,
        "object": "batch",
        "campaign_id": public_id(Campaign.prefix, batch.campaign_id),
        "name": batch.name,
        "vouchers_count": batch.count,
        "locked_until": wire_datetime(batch.locked_until),
        "one_per_person": batch.one_per_person,
        "created_at": wire_datetime(batch.created_at),
        "updated_at": wire_datetime(batch.updated_at),
    }


def free_to_wire(free: FreeCodes) -> dict[str, Any]:
    """Return how many codes are free, and where that is not all, that there are more."""
    return {"free_count": free.count} | ({"has_more_free": True} if free.has_more else {})


def transaction_to_wire(row: VoucherTransaction, voucher: Voucher) -> dict[str, Any]:
    """Return a line of a gift card's ledger."""
    return {
        "id": row.public_id,
        "source_id": row.source_id,
        "voucher_id": voucher.public_id,
        "campaign_id": voucher.campaign.public_id if voucher.campaign else None,
        "source": row.source,
        "reason": row.reason,
        "type": row.type,
        "details": {
            "balance": {
                "type": "gift_voucher",
                "total": voucher.gift_amount,
                "object": "balance",
                "amount": row.amount,
                "balance": row.balance,
                "operation_type": "MANUAL" if row.type in MANUAL else "AUTOMATIC",
                "related_object": {"id": voucher.public_id, "type": "voucher"},
            }
        },
        "related_transaction_id": None,
        "created_at": wire_datetime(row.created_at),
    }


def holdings_to_wire(vouchers: list[Voucher], *, now: datetime) -> list[dict[str, Any]]:
    """Return vouchers as their holder's wallet lists them, in one more query for the rules on them."""
    load_assignments(vouchers)
    return [_holding_to_wire(voucher, now=now) for voucher in vouchers]


def _holding_to_wire(voucher: Voucher, *, now: datetime) -> dict[str, Any]:
    campaign = voucher.campaign
    return {
        "id": public_id("rh", voucher.pk),
        "created_at": wire_datetime(voucher.created_at),
        "redeemable_id": voucher.public_id,
        "redeemable_object": "voucher",
        "customer_id": public_id(Customer.prefix, voucher.holder_id),
        "holder_role": "OWNER",
        "campaign_id": campaign.public_id if campaign else None,
        "campaign_type": campaign.campaign_type if campaign else None,
        "voucher_type": voucher.type,
        "redeemable": {
            "type": "voucher",
            "voucher": voucher_to_wire(voucher),
            "status": voucher.state_at(now),
        },
        "object": "redeemable_holder",
    }


def publication_rows_to_wire(project: Project, rows: Sequence[Publication]) -> list[dict[str, Any]]:
    """Return several publications with short vouchers, in one more query."""
    keys = {key for row in rows for key in row.voucher_ids}
    vouchers = Voucher.objects.filter(project=project).select_related("campaign").in_bulk(keys)
    wires = []
    for row in rows:
        found = [vouchers[key] for key in row.voucher_ids if key in vouchers]
        wire = publication_to_wire(row, row.customer, [])
        if len(found) == 1:
            wire["voucher"] = short_voucher(found[0])
        elif found:
            wire["vouchers"] = [voucher.code for voucher in found]
        wires.append(wire)
    return wires
