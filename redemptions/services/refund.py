"""Refunds: units of an order come back, and exactly what was paid for them is paid back, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from promoengine.core.errors import DomainError
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.engine.refunds import Mode, RefundedPlace, work_out_refund
from promoengine.engine.refunds import Refund as Amounts
from redemptions.channel import Channel
from redemptions.models import Order, Redemption, Refund, RefundedUnits
from redemptions.order_selectors import order_by_ref, orders_for_wire
from redemptions.reevaluation import kept_worth
from redemptions.refund_requests import RefundRequest
from redemptions.refund_wire import refund_to_wire
from redemptions.refunds import SoldOrder, asked_units, sold_order
from redemptions.services.claim import return_credits
from redemptions.wire import related_object_id
from vouchers.models import Voucher, VoucherTransaction

UNPAID = (Order.Status.CREATED, Order.Status.CANCELED)


class OrderNotPaid(DomainError):
    """Nothing was paid for the order, or it is canceled."""

    key = "invalid_order"
    message = "Invalid order"


class RefundAmountChanged(DomainError):
    """Another refund, or a change of what is redeemed, came between the calculation and the refund."""

    key = "refund_amount_changed"
    message = "Refund amount has changed"
    status = 409


class DuplicateRefund(DomainError):
    """The source id belongs to another refund, or to the same with other units."""

    key = "duplicate_source_id"
    message = "Duplicated source id"


class CreditsGivenBack(DomainError):
    """A card's credits were given back by another request."""

    key = "multiple_requests"
    message = "Multiple requests"


@dataclass(frozen=True, slots=True)
class Made:
    """A refund with its units and its order; the rows are not written where it is only calculated."""

    refund: Refund
    units: tuple[RefundedUnits, ...]
    order: Order


def calculate_refund(project: Project, order_ref: str, asked: RefundRequest, *, now: datetime) -> Made:
    """Return what a refund would be, and change nothing.

    Raises:
        NotFound: the project has no such order.
        OrderNotPaid: there is nothing to pay back.
        RefundQuantityExceeded: more units are named than are left.
        InvalidPayload: something is named that is no line of the order.
    """
    return _made(project, order_by_ref(project, order_ref), asked, now=now)[0]


def refund_order(
    project: Project, order_ref: str, asked: RefundRequest, *, channel: Channel, now: datetime
) -> Made:
    """Take units back and keep what is paid back for them; gift credits go back to their cards.

    The same source id with the same units answers the refund that was made first.

    Raises:
        NotFound: the project has no such order.
        OrderNotPaid: there is nothing to pay back.
        RefundQuantityExceeded: more units are named than are left.
        InvalidPayload: something is named that is no line of the order.
        DuplicateRefund: the source id came with other units, or on another order.
        RefundAmountChanged: the money is not what was expected.
    """
    try:
        with transaction.atomic():
            return _refund(project, order_ref, asked, channel=channel, now=now)
    except IntegrityError as error:
        # Two orders at once; refunds of one wait for each other.
        if asked.source_id and Refund.objects.filter(project=project, source_id=asked.source_id).exists():
            raise DuplicateRefund(asked.source_id) from error
        raise


def _refund(
    project: Project, order_ref: str, asked: RefundRequest, *, channel: Channel, now: datetime
) -> Made:
    order = order_by_ref(project, order_ref)
    # Locked by its key and read anew: what was read may have changed.
    order = orders_for_wire(project).select_for_update(of=("self",), no_key=True).get(pk=order.pk)
    if asked.source_id and (earlier := _earlier(project, order, asked)):
        return earlier
    made, sold, amounts = _made(project, order, asked, now=now)
    if asked.expected_amount not in (None, amounts.money):
        raise RefundAmountChanged(
            f"{amounts.money} would be paid back, and {asked.expected_amount} was expected"
        )
    order.refunded_amount = (order.refunded_amount or 0) + amounts.money
    order.is_refunded, order.updated_at = amounts.is_last, now
    order.save(update_fields=["refunded_amount", "is_refunded", "updated_at"])
    made.refund.save(force_insert=True)
    RefundedUnits.objects.bulk_create(made.units)
    _return_credits(project, sold, amounts.credits, channel=channel, now=now)
    record_event(
        project,
        "order.refunded",
        refund_to_wire(made.refund, made.units, order),
        now=now,
        entity_id=order.public_id,
        customer_id=order.customer_id,
        channel=channel.name,
    )
    return made


def _made(
    project: Project, order: Order, asked: RefundRequest, *, now: datetime
) -> tuple[Made, SoldOrder, Amounts]:
    """Return the rows of a refund, unwritten, and what they were worked out from."""
    if order.status in UNPAID:
        raise OrderNotPaid(f"Order {order.public_id} is {order.status}: only what was paid is refunded")
    sold = sold_order(project, order)
    counts = asked_units(sold, asked)
    amounts = work_out_refund(
        sold.places,
        counts,
        gifts=sold.gifts,
        paid_back=sold.paid_back,
        kept_worth=kept_worth(project, sold, counts) if asked.mode == Mode.REEVALUATE else None,
    )
    refund = Refund(
        project=project,
        order=order,
        source_id=asked.source_id,
        mode=asked.mode,
        units_amount=amounts.shares.worth,
        discount_amount=sum(amounts.shares.discounts.values()),
        gift_amount=sum(amounts.credits.values()),
        held_back_amount=amounts.held_back,
        refund_amount=amounts.money,
        discounts=_of_uses(sold, amounts.shares.discounts),
        gift_credits=_of_uses(sold, amounts.credits),
        asked=asked.identity,
        reason=asked.reason,
        metadata=dict(asked.metadata),
        created_at=now,
    )
    units = tuple(_units(refund, sold, place) for place in amounts.places)
    return Made(refund, units, order), sold, amounts


def _units(refund: Refund, sold: SoldOrder, place: RefundedPlace) -> RefundedUnits:
    return RefundedUnits(
        refund=refund,
        order=sold.order,
        line=RefundedUnits.OFF_LINES if place.place == sold.off_lines else place.place,
        first_unit=place.first,
        quantity=place.count,
        sold_quantity=sold.places[place.place].quantity,
        units_amount=place.shares.worth,
        discount_amount=sum(place.shares.discounts.values()),
        gift_amount=place.credits,
        refund_amount=place.money,
        discounts=_of_uses(sold, place.shares.discounts),
    )


def _of_uses(sold: SoldOrder, amounts: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return amounts with the redemptions they are of, as the wire names what was redeemed."""
    return [
        {
            "redemption_id": sold.uses[number].public_id,
            "related_object_type": sold.uses[number].related_object_type,
            "related_object_id": related_object_id(sold.uses[number]),
            "amount": amount,
        }
        for number, amount in amounts.items()
        if number < len(sold.uses)
    ]


def _earlier(project: Project, order: Order, asked: RefundRequest) -> Made | None:
    refund = Refund.objects.filter(project=project, source_id=asked.source_id).first()
    if refund is None:
        return None
    if refund.order_id != order.pk or refund.asked != asked.identity:
        raise DuplicateRefund(f"Source id {asked.source_id} belongs to another refund, {refund.public_id}")
    return Made(refund, tuple(refund.units.order_by("id")), order)


def _return_credits(
    project: Project, sold: SoldOrder, credits: Mapping[int, int], *, channel: Channel, now: datetime
) -> None:
    """Put gift credits, by the numbers of their uses, back on their cards and into the cards' ledger."""
    by_card: dict[Any, int] = {}
    for number, amount in credits.items():
        use = sold.uses[number]
        given = Redemption.objects.filter(
            Q(refunded_credits=None, amount__gte=amount) | Q(amount__gte=F("refunded_credits") + amount),
            pk=use.pk,
            status=Redemption.Status.SUCCEEDED,
        ).update(refunded_credits=Coalesce("refunded_credits", 0) + amount)
        if not given:
            raise CreditsGivenBack(f"Credits of redemption {use.public_id} are given back already")
        by_card[use.voucher_id] = by_card.get(use.voucher_id, 0) + amount
    if not by_card:
        return
    balances = return_credits(by_card)
    cards = Voucher.objects.filter(project=project, pk__in=balances)
    VoucherTransaction.objects.bulk_create(
        VoucherTransaction(
            project=project,
            voucher=card,
            campaign_id=card.campaign_id,
            type=VoucherTransaction.Type.CREDITS_REFUND,
            amount=by_card[card.pk],
            balance=balances[card.pk],
            source=channel.name,
            created_at=now,
        )
        for card in cards
    )
