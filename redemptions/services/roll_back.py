"""Rollback: everything a redemption took is given back, once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from campaigns.models import Campaign
from promoengine.core.errors import DomainError, NotFound
from promoengine.core.events import Happening, record_events
from promoengine.core.ids import new_id, parse_public_id
from promoengine.core.models import Project
from promoengine.core.services.metadata import check_metadata, schemas_at
from promoengine.engine.stacking import StackingRules
from redemptions.channel import Channel
from redemptions.facts import moment_of, settings_of, stacking_rules
from redemptions.models import Order, Redemption
from redemptions.order_wire import stored_order_frame
from redemptions.selectors import redemption_list_to_wire, redemptions_for_wire
from redemptions.services.claim import give_back
from redemptions.services.count import count_down, share_counters, used_keys
from redemptions.services.order_events import Standing, record_order_change
from redemptions.services.orders import cancel_order
from redemptions.services.summaries import PAID
from vouchers.models import Voucher, VoucherTransaction


class AlreadyRolledBack(DomainError):
    key = "already_rolled_back"
    message = "Already rolled back"


class InvalidRedemption(DomainError):
    """A redemption of several redeemables is undone as a whole."""

    key = "invalid_redemption"
    message = "Invalid redemption"


class InvalidRedemptionParent(DomainError):
    """A part of a redemption can't be undone without the others."""

    key = "invalid_redemption_parent"
    message = "Invalid redemption parent"


class RollbackNotAllowed(DomainError):
    """The campaign says that its uses are not taken back, or not any more."""

    key = "rollback_not_allowed"
    message = "Rollback not allowed"


@dataclass(frozen=True, slots=True)
class Undone:
    """The rollbacks written, the one that sums them up where there were several, and the order."""

    rollbacks: list[dict[str, Any]]
    parent: dict[str, Any] | None
    order: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class OrderAfter:
    """The order of a rollback as it is shown; its row and what it was before, where it is canceled."""

    wire: dict[str, Any] | None
    canceled: Order | None = None
    before: Standing | None = None


def roll_back_redemption(
    project: Project,
    redemption_id: str,
    *,
    reason: str = "",
    metadata: dict[str, Any] | None = None,
    channel: Channel,
    now: datetime,
) -> dict[str, Any]:
    """Undo one redemption and return the rollback as the wire has it.

    Raises:
        NotFound: the project has no such redemption.
        InvalidRedemption: it is one of several redeemables.
        AlreadyRolledBack: it is undone already; the attempt is kept.
        RollbackNotAllowed: its campaign takes no use back, or not any more.
    """
    redemption = _redemption(project, redemption_id)
    if redemption.related_object_type == Redemption.RelatedObject.REDEMPTION:
        raise InvalidRedemption(f"Redemption {redemption_id} has several redeemables; use 'rollbacks'")
    if redemption.parent_id:
        raise InvalidRedemption(f"Redemption {redemption_id} is part of a redemption of several redeemables")
    undone = _undo(project, [redemption], None, reason=reason, metadata=metadata, channel=channel, now=now)
    return undone.rollbacks[0]


def roll_back_redemptions(
    project: Project,
    redemption_id: str,
    *,
    reason: str = "",
    metadata: dict[str, Any] | None = None,
    channel: Channel,
    now: datetime,
) -> Undone:
    """Undo a redemption with all its parts, or a single one.

    Raises:
        NotFound: the project has no such redemption.
        InvalidRedemptionParent: it is a part of another.
        AlreadyRolledBack: it is undone already; the attempt is kept.
        RollbackNotAllowed: a campaign takes no use back, or not any more; nothing is given back.
    """
    redemption = _redemption(project, redemption_id)
    if redemption.parent_id:
        raise InvalidRedemptionParent(f"Redemption {redemption_id} is part of another; roll that one back")
    if redemption.related_object_type != Redemption.RelatedObject.REDEMPTION:
        return _undo(project, [redemption], None, reason=reason, metadata=metadata, channel=channel, now=now)
    parts = list(Redemption.objects.filter(project=project, parent_id=redemption.pk).order_by("pk"))
    return _undo(project, parts, redemption, reason=reason, metadata=metadata, channel=channel, now=now)


def _undo(
    project: Project,
    parts: list[Redemption],
    parent: Redemption | None,
    *,
    reason: str,
    metadata: dict[str, Any] | None,
    channel: Channel,
    now: datetime,
) -> Undone:
    whole = parent or parts[0]
    values = {
        "project": project,
        "kind": Redemption.Kind.ROLLBACK,
        "reason": reason,
        "channel_id": channel.id,
        "channel_type": channel.type,
        "metadata": metadata,
        "created_at": now,
    }
    try:
        with transaction.atomic():
            return _give_all_back(project, parts, parent, values, channel=channel, now=now)
    except AlreadyRolledBack as refusal:
        failed = _rollback_of(whole, values, order=None)
        failed.result, failed.status = Redemption.Result.FAILURE, Redemption.Status.FAILED
        failed.failure_code, failed.failure_message = refusal.key, refusal.message
        _record(project, [failed], "redemption.rollback.failed", channel=channel, now=now)
        raise AlreadyRolledBack(
            f"Redemption {whole.public_id} is rolled back already",
            resource_id=failed.public_id,
            resource_type="redemption_rollback",
        ) from refusal


def _read_customers(rows: list[Redemption]) -> None:
    """Read anew whose redemptions are: a guest may have become another customer before they were shared."""
    found = dict(Redemption.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "customer_id"))
    moved = [row for row in rows if row.customer_id != found.get(row.pk, row.customer_id)]
    for row in moved:
        row.customer_id = found[row.pk]
    if moved:
        share_counters({key for row in moved for key in used_keys(row)})


def _give_all_back(
    project: Project,
    parts: list[Redemption],
    parent: Redemption | None,
    values: dict[str, Any],
    *,
    channel: Channel,
    now: datetime,
) -> Undone:
    share_counters({key for part in parts for key in used_keys(part)})
    _read_customers([*([parent] if parent else []), *parts])
    # The order first, as refunds lock it, so that credits are given back by one of the two.
    order_row = _locked_order(project, parent or parts[0])
    rows = [*([parent] if parent else []), *parts]
    claimed = Redemption.objects.filter(
        pk__in=[row.pk for row in rows],
        kind=Redemption.Kind.REDEMPTION,
        status=Redemption.Status.SUCCEEDED,
    ).update(status=Redemption.Status.ROLLED_BACK)
    if claimed != len(rows):
        raise AlreadyRolledBack
    if order_row is not None and order_row.refunded_amount is not None:
        _read_refunded_credits(parts)
    _check_policies(project, parts, order_row, now=now)
    after = _order_after(project, parent or parts[0], order_row, now=now)
    order = after.wire
    give_back((part.voucher_id, part.credits_left or 0) for part in parts if part.voucher_id)
    # What was used on a day is given back to that day; parts of one redemption have one moment.
    settings = settings_of(project)
    check_metadata(schemas_at(project, settings.version), "redemption", values["metadata"], is_new=False)
    moment = moment_of(settings, parts[0].created_at)
    count_down([part.pk for part in parts], moment=moment)
    _refund_credits(project, parts, channel=channel, now=now)
    parent_rollback = _rollback_of(parent, values, order=order) if parent else None
    rollbacks = [
        _rollback_of(
            part, values | {"parent_id": parent_rollback.pk if parent_rollback else None}, order=order
        )
        for part in parts
    ]
    Redemption.objects.bulk_create([parent_rollback] if parent_rollback else [])
    wires = _record(project, rollbacks, "redemption.rollback.succeeded", channel=channel, now=now)
    parent_wire = _wires(project, [parent_rollback])[0] if parent_rollback else None
    if after.canceled is not None:
        record_order_change(project, after.canceled, after.before, channel=channel.name, now=now)
    return Undone(wires, parent_wire, order)


def _check_policies(project: Project, parts: list[Redemption], order: Order | None, *, now: datetime) -> None:
    """Refuse to take back uses of campaigns that say so.

    Raises:
        RollbackNotAllowed: one of the campaigns does not allow it, or not any more.
    """
    keys = [part.campaign_id for part in parts if part.campaign_id is not None]
    strict = Q(rollbacks_until__lte=now) | ~Q(rollbacks=Campaign.Rollbacks.ALWAYS)
    for campaign in Campaign.objects.filter(strict, project=project, pk__in=keys).order_by("name"):
        if campaign.rollbacks_until and campaign.rollbacks_until <= now:
            until = f"{campaign.rollbacks_until:%F %H:%M %Z}"
            raise RollbackNotAllowed(f"Uses of campaign {campaign.name} were taken back until {until}")
        if campaign.rollbacks == Campaign.Rollbacks.NEVER:
            raise RollbackNotAllowed(f"Uses of campaign {campaign.name} are not taken back")
        if order is not None and order.status in PAID:
            raise RollbackNotAllowed(
                f"Uses of campaign {campaign.name} are not taken back once the order is paid"
            )


def _locked_order(project: Project, redemption: Redemption) -> Order | None:
    if not redemption.order_id:
        return None
    orders = Order.objects.select_for_update(of=("self",))
    return orders.filter(project=project, pk=redemption.order_id).first()


def _read_refunded_credits(parts: list[Redemption]) -> None:
    """Bring redemptions up to date with the credits that refunds of their order gave back."""
    rows = Redemption.objects.filter(pk__in=[part.pk for part in parts])
    refunded = dict(rows.values_list("pk", "refunded_credits"))
    for part in parts:
        part.refunded_credits = refunded[part.pk]


def _order_after(
    project: Project, redemption: Redemption, order: Order | None, *, now: datetime
) -> "OrderAfter":
    """Return the order as the rollback leaves it: canceled and without discounts, unless rules keep it."""
    snapshot = redemption.order_snapshot
    if order is None or snapshot is None or "amount" not in snapshot:
        return OrderAfter(snapshot)
    rules: StackingRules = stacking_rules(project)
    if rules.redeemables_rollback_order_mode != "WITH_ORDER":
        return OrderAfter(snapshot | stored_order_frame(order))
    before = Standing.of(order)
    cancel_order(order, now=now)
    return OrderAfter(_without_discounts(snapshot) | stored_order_frame(order), order, before)


def _without_discounts(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return the picture of an order before its discounts and the units they added."""
    plain = {name: value for name, value in snapshot.items() if "discount" not in name}
    plain["amount"] = plain["total_amount"] = plain.pop("initial_amount", snapshot["amount"])
    if "items" in snapshot:
        plain["items"] = [
            _line_as_sent(item) for item in snapshot["items"] if item.get("initial_quantity") != 0
        ]
    return plain


def _line_as_sent(item: dict[str, Any]) -> dict[str, Any]:
    changed = ("discount", "applied_", "initial_")
    plain = {name: value for name, value in item.items() if not any(word in name for word in changed)}
    plain["quantity"] = item.get("initial_quantity", item["quantity"])
    amount = item.get("initial_amount", item["amount"])
    return plain | {"amount": amount, "subtotal_amount": amount}


def _refund_credits(project: Project, parts: list[Redemption], *, channel: Channel, now: datetime) -> None:
    refunds = {
        part.voucher_id: part.credits_left
        for part in parts
        if part.voucher_id and part.credits_left is not None
    }
    cards = Voucher.objects.filter(project=project, pk__in=refunds)
    VoucherTransaction.objects.bulk_create(
        VoucherTransaction(
            project=project,
            voucher=card,
            campaign_id=card.campaign_id,
            type=VoucherTransaction.Type.CREDITS_REFUND,
            amount=refunds[card.pk] or 0,
            balance=card.gift_balance or 0,
            source=channel.name,
            created_at=now,
        )
        for card in cards
    )


def _rollback_of(
    redemption: Redemption, values: dict[str, Any], *, order: dict[str, Any] | None
) -> Redemption:
    return Redemption(
        id=new_id(),
        **values,
        redemption_id=redemption.pk,
        related_object_type=redemption.related_object_type,
        voucher_id=redemption.voucher_id,
        voucher_code=redemption.voucher_code,
        promotion_tier_id=redemption.promotion_tier_id,
        campaign_id=redemption.campaign_id,
        customer_id=redemption.customer_id,
        order_id=redemption.order_id,
        tracking_id=redemption.tracking_id,
        amount=None if redemption.credits_left is None else -redemption.credits_left,
        discount_amount=-redemption.discount_amount,
        currency=redemption.currency,
        order_snapshot=order if order is not None else redemption.order_snapshot,
    )


def _record(
    project: Project, rollbacks: list[Redemption], event: str, *, channel: Channel, now: datetime
) -> list[dict[str, Any]]:
    Redemption.objects.bulk_create(rollbacks)
    wires = _wires(project, rollbacks)
    record_events(
        project,
        [
            Happening(
                event,
                wire,
                entity_id=rollback.public_id,
                customer_id=rollback.customer_id,
                campaign_id=rollback.campaign_id,
            )
            for rollback, wire in zip(rollbacks, wires, strict=True)
        ],
        now=now,
        channel=channel.name,
    )
    return wires


def _wires(project: Project, rollbacks: list[Redemption]) -> list[dict[str, Any]]:
    rows = {row.pk: row for row in redemptions_for_wire(project).filter(pk__in=[one.pk for one in rollbacks])}
    return redemption_list_to_wire(project, [rows[one.pk] for one in rollbacks])


def _redemption(project: Project, redemption_id: str) -> Redemption:
    key = parse_public_id("r", redemption_id)
    uses = Redemption.objects.filter(
        project=project, kind=Redemption.Kind.REDEMPTION, result=Redemption.Result.SUCCESS
    )
    found = uses.filter(pk=key).first() if key else None
    if found is None:
        raise NotFound("redemption", redemption_id)
    return found
