"""Orders, validations, redemptions and rollbacks as the wire has them."""

from collections.abc import Sequence
from typing import Any

from campaigns.models import PromotionTier
from campaigns.wire import categories_to_wire, empty_list, tier_to_wire
from customers.models import Customer
from customers.wire import simple_customer
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id
from promoengine.engine.decide import Applicable, Inapplicable, Outcome, Skipped
from promoengine.engine.refusals import Refusal
from promoengine.engine.stacking import StackingRules
from redemptions.models import Redemption
from redemptions.offers import Redeemable
from redemptions.order_wire import order_to_wire
from redemptions.orders import CheckoutOrder
from vouchers.models import Voucher
from vouchers.wire import voucher_to_wire


def error_to_wire(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Return a refusal as an error body."""
    error: dict[str, Any] = {"code": refusal.code, "key": refusal.key, "message": refusal.message}
    if refusal.details:
        error["details"] = refusal.details
    error["request_id"] = request_id
    if refusal.own_message:
        error["error"] = {"message": refusal.own_message}
    if refusal.resource_id is not None:
        error |= {"resource_id": refusal.resource_id, "resource_type": refusal.resource_type}
    return error


def outcome_to_wire(
    outcome: Outcome,
    row: Redeemable | None,
    *,
    order: CheckoutOrder | None,
    customer: Customer | None,
    expand: frozenset[str],
    stacking: StackingRules,
    request_id: str,
) -> dict[str, Any]:
    """Return what became of one redeemable of a validation."""
    wire: dict[str, Any] = {"id": outcome.offer.id, "object": outcome.offer.object}
    match outcome:
        case Applicable():
            wire = {"status": "APPLICABLE"} | wire
            if order is not None and outcome.before is not None and outcome.after is not None:
                wire["order"] = order_to_wire(order, outcome.before, outcome.after, customer=customer)
            wire |= reach_to_wire(outcome) | {"result": result_to_wire(outcome)}
        case Inapplicable():
            wire = {"status": "INAPPLICABLE"} | wire
            wire["result"] = {
                "error": error_to_wire(outcome.refusal, request_id),
                "details": {
                    "key": outcome.refusal.key,
                    "message": outcome.refusal.own_message or outcome.refusal.message,
                },
            }
            if outcome.bundle is not None:
                wire["result"]["bundle"] = outcome.bundle.to_wire()
        case Skipped():
            wire = {"status": "SKIPPED"} | wire
            wire["result"] = {"details": {"key": outcome.skip.key, "message": outcome.skip.message}}
    return wire | redeemable_to_wire(row, expand, stacking)


def result_to_wire(outcome: Applicable) -> dict[str, Any]:
    """Return what an applicable redeemable gives."""
    if outcome.offer.gift is not None:
        return {"gift": {"balance": outcome.offer.gift.balance, "credits": outcome.credits}}
    result: dict[str, Any] = {}
    if outcome.discount is not None:
        result["discount"] = dict(outcome.discount)
    if outcome.bundle is not None:
        result["bundle"] = outcome.bundle.to_wire()
    return result


def reach_to_wire(outcome: Applicable) -> dict[str, Any]:
    """Return which items a discount reaches and which it may not."""
    applied = outcome.applied
    return {
        "applicable_to": _listed(applied.applicable_to if applied else ()),
        "inapplicable_to": _listed(applied.inapplicable_to if applied else ()),
    }


def _listed(rows: Sequence[Any]) -> dict[str, Any]:
    return empty_list() | {"data": [dict(row) for row in rows], "total": len(rows)}


def redeemable_to_wire(
    row: Redeemable | None, expand: frozenset[str], stacking: StackingRules
) -> dict[str, Any]:
    """Return what a validation says of the redeemable itself; more of it when asked to expand."""
    if row is None:
        return {"metadata": {}, "categories": []}
    category = row.category_in_force if isinstance(row, Voucher) else row.category or row.campaign.category
    wire: dict[str, Any] = {"metadata": row.metadata, "categories": categories_to_wire(category, stacking)}
    if "redeemable" in expand and row.campaign:
        wire |= {"campaign_name": row.campaign.name, "campaign_id": row.campaign.public_id}
    if "redeemable" in expand and isinstance(row, PromotionTier):
        wire["name"] = row.name
    return wire


def redemption_to_wire(
    redemption: Redemption,
    *,
    customer: Customer | None,
    voucher: Voucher | None = None,
    tier: PromotionTier | None = None,
    rollbacks: list[Redemption] | None = None,
    children: list[Redemption] | None = None,
) -> dict[str, Any]:
    """Return a redemption, a failed one or a rollback, with the rows it is about."""
    wire: dict[str, Any] = {
        "id": redemption.public_id,
        "object": redemption.kind,
        "date": wire_datetime(redemption.created_at),
        "customer_id": _public(Customer.prefix, redemption.customer_id),
        "tracking_id": redemption.tracking_id,
        "metadata": redemption.metadata,
        "redemption": _parent_or_undone(redemption),
        "result": redemption.result,
        "status": redemption.status,
        "order": redemption.order_snapshot,
        "channel": {"channel_id": redemption.channel_id, "channel_type": redemption.channel_type},
        "customer": simple_customer(customer) if customer else None,
        "related_object_type": redemption.related_object_type,
        "related_object_id": related_object_id(redemption),
    }
    if redemption.amount is not None:
        wire |= {"amount": redemption.amount, "gift": {"amount": redemption.amount}}
    if redemption.reason:
        wire["reason"] = redemption.reason
    if redemption.session_key:
        wire["session"] = {"key": redemption.session_key}
    if redemption.failure_code:
        wire |= {"failure_code": redemption.failure_code, "failure_message": redemption.failure_message}
    if voucher is not None:
        wire["voucher"] = voucher_to_wire(voucher)
    elif redemption.voucher_code and redemption.related_object_type == Redemption.RelatedObject.VOUCHER:
        wire["voucher"] = {"code": redemption.voucher_code, "object": "voucher"}
    if tier is not None:
        wire["promotion_tier"] = tier_to_wire(tier)
    related = {
        "rollbacks": [_related(rollback) for rollback in rollbacks or []],
        "redemptions": [_related(child) for child in children or []],
    }
    if any(related.values()):
        wire["related_redemptions"] = {name: rows for name, rows in related.items() if rows}
    return wire


def _related(redemption: Redemption) -> dict[str, Any]:
    return {"id": redemption.public_id, "date": wire_datetime(redemption.created_at)}


def _parent_or_undone(redemption: Redemption) -> str | None:
    if redemption.kind == Redemption.Kind.ROLLBACK:
        return _public("r", redemption.redemption_id)
    return _public("r", redemption.parent_id)


def related_object_id(redemption: Redemption) -> str | None:
    """Return the id of what a redemption used: a code, a promotion tier, or itself where it used several."""
    match redemption.related_object_type:
        case Redemption.RelatedObject.VOUCHER:
            return _public(Voucher.prefix, redemption.voucher_id) or redemption.voucher_code
        case Redemption.RelatedObject.PROMOTION_TIER:
            return _public(PromotionTier.prefix, redemption.promotion_tier_id) or redemption.voucher_code
        case _:
            return redemption.public_id


def _public(prefix: str, key: Any) -> str | None:
    return public_id(prefix, key) if key else None
