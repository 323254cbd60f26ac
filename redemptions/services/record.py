"""Writing down what a redemption did or failed to do: rows, gift card ledger, outbox events."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import IntegrityError, transaction

from customers.models import Customer
from customers.tracking import tracking_id_of
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.events import Happening, new_events
from promoengine.core.ids import new_id
from promoengine.core.inserts import Call, insert_rows
from promoengine.core.models import OutboxEvent, Project
from promoengine.engine.decide import Decision, Inapplicable
from redemptions.allocations import Allocation
from redemptions.channel import Channel
from redemptions.facts import Gathered
from redemptions.models import Order, Redemption
from redemptions.offers import Redeemable
from redemptions.order_wire import order_frame, order_to_wire
from redemptions.requests import CheckoutRequest
from redemptions.services.claim import CLAIM_LOST, ClaimLost
from redemptions.services.order_events import Standing, order_happenings
from redemptions.wire import redemption_to_wire, related_object_id
from vouchers.models import Voucher, VoucherTransaction


@dataclass(frozen=True)
class Written:
    """A redemption row with the rows it is about; its wire is put together once, when all is known."""

    redemption: Redemption
    row: Redeemable | None
    customer: Customer | None

    @cached_property
    def wire(self) -> dict[str, Any]:
        return redemption_to_wire(
            self.redemption,
            customer=self.customer,
            voucher=self.row if isinstance(self.row, Voucher) else None,
            tier=None if isinstance(self.row, Voucher) else self.row,
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a redemption wrote: one row per redeemable, a parent where there are several, the order."""

    redemptions: tuple[Written, ...]
    parent: Written | None
    order: dict[str, Any] | None
    customer: Customer | None


def record_redemptions(
    project: Project,
    asked: CheckoutRequest,
    gathered: Gathered,
    decision: Decision,
    *,
    customer: Customer | None,
    order: Order | None,
    order_before: Standing | None,
    allocations: Sequence[Allocation | None],
    session_key: str,
    channel: Channel,
    claiming: Call | None = None,
    now: datetime,
) -> Recorded:
    """Write the redemptions of a decision that has been claimed, in the caller's transaction.

    An order that is new, without a standing before, is written with them. `allocations` says what each takes
    off the order's lines. What has not been claimed yet is claimed by `claiming`, in the same statement.

    Raises:
        ClaimLost: another request has just made an order of that source id, or taken what is claimed.
    """
    checkout_order = gathered.order
    if checkout_order and order:
        checkout_order = replace(checkout_order, stored=order, lines=tuple(order.items))
    common = {
        "project": project,
        "customer_id": customer.pk if customer else None,
        "order_id": order.pk if order else None,
        "tracking_id": tracking_id(asked, customer),
        "session_key": session_key,
        "channel_id": channel.id,
        "channel_type": channel.type,
        "metadata": asked.metadata or {},
        "created_at": now,
    }
    whole = None
    if checkout_order and decision.initial_order and decision.order:
        whole = order_to_wire(checkout_order, decision.initial_order, decision.order, customer=customer)
    elif checkout_order:
        whole = order_frame(checkout_order, customer)
    parent = None
    if len(decision.applicable) > 1:
        parent = Redemption(
            **common,
            id=new_id(),
            related_object_type=Redemption.RelatedObject.REDEMPTION,
            order_snapshot=whole,
        )
    rows = _rows_by_offer(gathered)
    written = []
    for outcome, allocation in zip(decision.applicable, allocations, strict=True):
        row = rows[id(outcome.offer)]
        snapshot = whole
        if parent and checkout_order and outcome.before is not None and outcome.after is not None:
            snapshot = order_to_wire(checkout_order, outcome.before, outcome.after, customer=customer)
        redemption = Redemption(
            **common,
            **_about(row, outcome.offer.object, outcome.offer.id),
            parent_id=parent.pk if parent else None,
            identity_keys=list(gathered.context.subjects.identity_keys) or None,
            amount=outcome.credits if outcome.offer.gift is not None else None,
            discount_amount=outcome.saving,
            order_amount=outcome.before.amount if outcome.before else 0,
            currency=outcome.before.currency if outcome.before else "",
            allocation=allocation,
            units={claim.counter.entry: claim.amount for claim in outcome.counted if claim.counter.entry},
            order_snapshot=snapshot,
        )
        written.append(Written(redemption, row, customer))
    happened = []
    if order is not None and whole is not None:
        _list_redemptions(order, written, parent, [whole, *(w.redemption.order_snapshot for w in written)])
        # A guest's checkout is told by its redemptions, which carry the order: most of a busy shop's are.
        if customer is not None:
            happened = order_happenings(
                order,
                whole,
                before=order_before,
                customer=customer,
                referrer=order.referrer,
                redemption={"id": (parent or written[0].redemption).public_id, "object": "redemption"},
            )
    try:
        insert_rows(
            [order] if order is not None and order._state.adding else [],
            [*([parent] if parent else []), *(one.redemption for one in written)],
            _credits(project, written, channel=channel, now=now),
            _events(project, "redemption.succeeded", written, happened, channel=channel, now=now),
            only_if=claiming,
        )
    except IntegrityError as error:
        raise ClaimLost(CLAIM_LOST) from error
    return Recorded(tuple(written), Written(parent, None, customer) if parent else None, whole, customer)


@transaction.atomic
def record_failures(
    project: Project,
    asked: CheckoutRequest,
    gathered: Gathered,
    decision: Decision,
    *,
    channel: Channel,
    now: datetime,
) -> None:
    """Keep an attempt that failed: a row and an event for each redeemable that did not apply."""
    rows = _rows_by_offer(gathered)
    customer, order = gathered.customer, gathered.order
    snapshot, amounts = None, gathered.case.order
    if order is not None:
        snapshot = (
            order_to_wire(order, amounts, amounts, customer=customer)
            if amounts
            else order_frame(order, customer)
        )
    written = [
        Written(
            Redemption(
                project=project,
                result=Redemption.Result.FAILURE,
                status=Redemption.Status.FAILED,
                **_about(rows[id(outcome.offer)], outcome.offer.object, outcome.offer.id),
                **_failure_of(outcome),
                customer_id=customer.pk if customer else None,
                order_id=order.stored.pk if order and order.stored else None,
                order_snapshot=snapshot,
                tracking_id=tracking_id(asked, customer),
                channel_id=channel.id,
                channel_type=channel.type,
                metadata=asked.metadata or {},
                created_at=now,
            ),
            rows[id(outcome.offer)],
            customer,
        )
        for outcome in decision.inapplicable
    ]
    events = _events(project, "redemption.failed", written, [], channel=channel, now=now)
    insert_rows([one.redemption for one in written], events)


def tracking_id(asked: CheckoutRequest, customer: Customer | None) -> str | None:
    """Return the tracking id that was sent, or the customer's."""
    if asked.tracking_id:
        return asked.tracking_id
    if customer is not None:
        return customer.tracking_id or tracking_id_of(customer.source_id or customer.public_id)
    named = (asked.customer or {}).get("source_id")
    return tracking_id_of(named) if isinstance(named, str) and named else None


def _failure_of(outcome: Inapplicable) -> dict[str, str]:
    key = "resource_not_found" if outcome.refusal.key == "not_found" else outcome.refusal.key
    return {
        "failure_code": key,
        "failure_message": outcome.refusal.own_message or outcome.refusal.message,
    }


def _rows_by_offer(gathered: Gathered) -> dict[int, Redeemable | None]:
    return dict(zip((id(offer) for offer in gathered.case.offers), gathered.redeemables, strict=True))


def _about(row: Redeemable | None, kind: str, ref: str) -> dict[str, Any]:
    is_voucher = kind == "voucher"
    related = Redemption.RelatedObject.VOUCHER if is_voucher else Redemption.RelatedObject.PROMOTION_TIER
    about: dict[str, Any] = {"related_object_type": related, "voucher_code": ref[:255]}
    if isinstance(row, Voucher):
        return about | {"voucher": row, "voucher_code": row.code, "campaign_id": row.campaign_id}
    if row is not None:
        return about | {"promotion_tier": row, "voucher_code": "", "campaign_id": row.campaign_id}
    return about


def _list_redemptions(
    order: Order,
    written: Sequence[Written],
    parent: Redemption | None,
    snapshots: Sequence[dict[str, Any] | None],
) -> None:
    """Put the map of its redemptions into each picture of the order."""
    date = wire_datetime(written[0].redemption.created_at)
    if parent is not None:
        entry = {
            "date": date,
            "related_object_type": "redemption",
            "related_object_id": parent.public_id,
            "stacked": [one.redemption.public_id for one in written],
        }
        listed = {parent.public_id: entry}
    else:
        one = written[0]
        entry = {
            "date": date,
            "related_object_type": one.redemption.related_object_type,
            "related_object_id": related_object_id(one.redemption),
        }
        if one.row is not None and one.row.campaign:
            entry["related_object_parent_id"] = one.row.campaign.public_id
        listed = {one.redemption.public_id: entry}
    for snapshot in snapshots:
        if snapshot is not None:
            snapshot["redemptions"] = listed


def _credits(
    project: Project, written: Sequence[Written], *, channel: Channel, now: datetime
) -> list[VoucherTransaction]:
    return [
        VoucherTransaction(
            project=project,
            voucher=one.row,
            campaign_id=one.row.campaign_id,
            type=VoucherTransaction.Type.CREDITS_REDEMPTION,
            amount=-one.redemption.amount,
            balance=one.row.gift_balance or 0,
            source=channel.name,
            created_at=now,
        )
        for one in written
        if isinstance(one.row, Voucher) and one.redemption.amount is not None
    ]


def _events(
    project: Project,
    event: str,
    written: Sequence[Written],
    besides: Sequence[Happening],
    *,
    channel: Channel,
    now: datetime,
) -> list[OutboxEvent]:
    happenings = [
        Happening(
            event,
            one.wire,
            entity_id=one.redemption.public_id,
            customer_id=one.redemption.customer_id,
            campaign_id=one.redemption.campaign_id,
        )
        for one in written
    ]
    return new_events(project, [*happenings, *besides], now=now, channel=channel.name)
