"""Redemption: gather, decide, claim, record. What is used up is used up for good, and never too often."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from campaigns.services.override import store_overrides
from customers.identities import key_id
from customers.models import Customer
from customers.services.merge import merge_guest
from customers.services.upsert import upsert_in_transaction
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from promoengine.core.services.definitions import hold_off_checkouts
from promoengine.engine.decide import Decision, decide
from promoengine.engine.refusals import Refusal
from redemptions.allocations import allocate
from redemptions.channel import Channel
from redemptions.disclosure import as_told, unknown_codes
from redemptions.facts import Gathered, InvalidRedeemables, gather
from redemptions.metadata import check_checkout
from redemptions.models import Order
from redemptions.requests import CheckoutRequest
from redemptions.services.claim import CLAIM_LOST, NOTHING, ClaimLost, Wanted, claim
from redemptions.services.count import count_up, open_counters, row_claims
from redemptions.services.enter import enter, entering
from redemptions.services.order_events import Standing
from redemptions.services.orders import lock_order, save_order
from redemptions.services.record import Recorded, record_failures, record_redemptions
from redemptions.services.sessions import lock_session, release_redeemables
from redemptions.services.validate import voucher_claims
from vouchers.models import Voucher

ATTEMPTS = 5


class RedemptionRefused(DomainError):
    """The first redeemable that does not apply ends the whole redemption, with its own reason."""

    def __init__(self, refusal: Refusal, *, unknown_codes: int = 0) -> None:
        super().__init__(
            refusal.details, resource_id=refusal.resource_id, resource_type=refusal.resource_type
        )
        self.key, self.status, self.message = refusal.key, refusal.code, refusal.message
        self.own_message = refusal.own_message
        self.unknown_codes = unknown_codes

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the published error body, with a validation rule's own words where it has some."""
        body = super().body(request_id)
        return body | {"error": {"message": self.own_message}} if self.own_message else body


@dataclass(frozen=True, slots=True)
class Checkout:
    """A redemption that went through: the decision, the rows it is about, and the rows it wrote."""

    asked: CheckoutRequest
    gathered: Gathered
    decision: Decision
    recorded: Recorded


def redeem(project: Project, asked: CheckoutRequest, *, channel: Channel, now: datetime) -> Checkout:
    """Use the redeemables for good, all of them or, in partial mode, those that apply.

    A limit that another request takes in the same moment makes this decide anew, so that the answer names
    the true reason; where that happens time after time, it waits until it is alone in its project.

    Raises:
        RedemptionRefused: a redeemable does not apply; the attempt is kept, and nothing else changed.
        InvalidRedeemables: stacking rules leave out all that is named.
        MetadataRefused: metadata break the project's schemas; the details name the attribute.
        NotFound: the customer or order is named by an id that the project does not have.
        ClaimLost: a code was changed, or the order used by another request, time after time.
    """
    for attempt in range(ATTEMPTS):
        gathered, decision = _decide(project, asked, channel=channel, now=now)
        if not decision.is_valid:
            break
        use = _use_at_once if attempt == 0 and _is_plain(asked, gathered, decision) else _use
        try:
            recorded = use(project, asked, gathered, decision, channel=channel, now=now)
        except ClaimLost:
            continue
        return Checkout(asked, *as_told(project, asked, gathered, decision, channel=channel), recorded)
    else:
        with transaction.atomic():
            hold_off_checkouts(project)
            gathered, decision = _decide(project, asked, channel=channel, now=now)
            if decision.is_valid:
                recorded = _use(project, asked, gathered, decision, channel=channel, now=now)
                return Checkout(
                    asked, *as_told(project, asked, gathered, decision, channel=channel), recorded
                )
    # Who was told to be somebody else is, whatever becomes of what they asked: or they would ask as that one.
    _merge_guest(project, gathered, channel=channel, now=now)
    record_failures(project, asked, gathered, decision, channel=channel, now=now)
    raise _refused(as_told(project, asked, gathered, decision, channel=channel)[1])


def _decide(
    project: Project, asked: CheckoutRequest, *, channel: Channel, now: datetime
) -> tuple[Gathered, Decision]:
    gathered = gather(project, asked, channel=channel, now=now, overwrite_order=True)
    check_checkout(project, asked, gathered.context, creates=True)
    return gathered, decide(gathered.case)


def _refused(decision: Decision) -> DomainError:
    """Return why nothing is used: the first that does not apply, or that stacking rules leave all out."""
    if decision.inapplicable:
        return RedemptionRefused(decision.inapplicable[0].refusal, unknown_codes=unknown_codes(decision))
    return InvalidRedeemables(decision.skipped[0].skip.message)


def _is_plain(asked: CheckoutRequest, gathered: Gathered, decision: Decision) -> bool:
    """Return whether nothing is changed but the codes, and nothing counted but on them."""
    return not (
        asked.session
        or gathered.context.guest
        or decision.counted
        or any(isinstance(row, Voucher) and row.has_counters for row in gathered.redeemables)
        or _writes_customer(asked, gathered)
        or (gathered.order is not None and gathered.order.stored is not None)
        or any(_says_override(line) for line in (asked.order.items if asked.order else None) or ())
    )


def _says_override(line: Mapping[str, Any]) -> bool:
    return any(
        isinstance(line.get(kind), Mapping) and "override" in line[kind] for kind in ("product", "sku")
    )


def _use_at_once(
    project: Project,
    asked: CheckoutRequest,
    gathered: Gathered,
    decision: Decision,
    *,
    channel: Channel,
    now: datetime,
) -> Recorded:
    """Claim and write a plain redemption in one statement, which is its whole transaction.

    Raises:
        ClaimLost: definitions or codes have moved meanwhile, or there are counters to count up.
    """
    customer = gathered.customer
    allocations, shares = allocate(gathered.order, decision)
    order = save_order(project, gathered.order, decision, shares=shares, customer=customer, now=now)
    claiming = entering(
        project,
        version=gathered.context.version,
        counted_by=_used_keys(decision, gathered, customer),
        wanted=Wanted.of(voucher_claims(gathered, decision)),
        customer=customer,
        now=now,
    )
    # Whoever is in a transaction already goes on with it where the claim is lost.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        return record_redemptions(
            project,
            asked,
            gathered,
            decision,
            customer=customer,
            order=order,
            order_before=None,
            allocations=allocations,
            session_key="",
            channel=channel,
            claiming=claiming,
            now=now,
        )


@transaction.atomic
def _use(
    project: Project,
    asked: CheckoutRequest,
    gathered: Gathered,
    decision: Decision,
    *,
    channel: Channel,
    now: datetime,
) -> Recorded:
    session_key = asked.session.key or "" if asked.session else ""
    _merge_guest(project, gathered, channel=channel, now=now)
    # A customer's row, a session and counters yet to be made have locks that must come later, one by one.
    at_once = not (
        gathered.context.guest or session_key or _writes_customer(asked, gathered)
    ) and _are_counted(decision, gathered)
    claims = voucher_claims(gathered, decision)
    shared = _used_keys(decision, gathered, gathered.customer) if at_once else set()
    wanted = Wanted.of(claims) if at_once else NOTHING
    version = gathered.context.version
    # The catalogue is not for anybody's browser to write.
    items = (asked.order.items if asked.order and not channel.is_public else None) or ()
    if growth := store_overrides(project, items, now=now):
        if growth.before != version:
            raise ClaimLost(CLAIM_LOST)
        version = growth.after
    has_counters = enter(
        project, version=version, customer=gathered.customer, counted_by=shared, wanted=wanted, now=now
    )
    stored = gathered.order.stored if gathered.order is not None else None
    if stored is not None:
        lock_order(stored)
    customer = _customer(project, asked, gathered, channel=channel, now=now)
    context = gathered.context
    subjects = replace(context.subjects, customer=customer.pk if customer else None)
    counted = row_claims(decision.counted, subjects, context.moment)
    if session_key:
        lock_session(project, session_key)
    used = _used_keys(decision, gathered, customer)
    if at_once and not used <= shared:
        raise ClaimLost(CLAIM_LOST)
    if not at_once:
        open_counters(project, [one.row for one in counted], sharing=used)
    if session_key:
        keys = [outcome.offer.key for outcome in decision.applicable if isinstance(outcome.offer.key, UUID)]
        release_redeemables(project, key=session_key, redeemable_ids=keys)
    if not at_once:
        claim(claims, now=now)
    order_before = Standing.of(stored) if stored else None
    allocations, shares = allocate(gathered.order, decision)
    order = save_order(project, gathered.order, decision, shares=shares, customer=customer, now=now)
    recorded = record_redemptions(
        project,
        asked,
        gathered,
        decision,
        customer=customer,
        order=order,
        order_before=order_before,
        allocations=allocations,
        session_key=session_key,
        channel=channel,
        now=now,
    )
    if has_counters or not at_once:
        count_up(
            project,
            counted,
            session_key=session_key,
            redemption_ids=[written.redemption.pk for written in recorded.redemptions],
            moment=context.moment,
        )
    return recorded


def _merge_guest(project: Project, gathered: Gathered, *, channel: Channel, now: datetime) -> None:
    customer, guest = gathered.customer, gathered.context.guest
    if customer is not None and guest is not None:
        merge_guest(project, customer, guest, channel=channel.name, now=now)


def _are_counted(decision: Decision, gathered: Gathered) -> bool:
    """Return whether all counters that the decision counts up are there."""
    known = row_claims(decision.counted, gathered.context.subjects, gathered.context.moment)
    return len(known) == len(decision.counted) and all(one.row.id in gathered.counters for one in known)


def _writes_customer(asked: CheckoutRequest, gathered: Gathered) -> bool:
    """Return whether the customer may be new or changed: their row is locked before what is counted."""
    customer = gathered.customer
    if customer is None or asked.identities:
        return bool(asked.customer or asked.tracking_id)
    named = asked.customer or {}
    source_id = named.get("source_id", customer.source_id)
    return not (named.keys() <= {"id", "source_id", "object"} and source_id == customer.source_id)


def _used_keys(decision: Decision, gathered: Gathered, customer: Customer | None) -> set[UUID]:
    offers = [outcome.offer for outcome in decision.applicable]
    keys = {key for offer in offers for key in (offer.key, offer.campaign_key) if isinstance(key, UUID)}
    keys |= {key_id(key) for key in gathered.context.subjects.identity_keys}
    return keys | {customer.pk} if customer else keys


def _customer(
    project: Project, asked: CheckoutRequest, gathered: Gathered, *, channel: Channel, now: datetime
) -> Customer | None:
    """Return the customer, made or changed as sent; that of the order, where nobody is named."""
    stored: Order | None = gathered.order.stored if gathered.order else None
    if not asked.customer and stored is not None and stored.customer is not None:
        return stored.customer
    if not (asked.customer or asked.tracking_id):
        return None
    data = {**(asked.customer or {}), "identities": asked.identities}
    return upsert_in_transaction(
        project, data=data, tracking_id=asked.tracking_id, channel=channel.name, now=now
    )
