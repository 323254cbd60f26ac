"""Validation: would these redeemables apply? Nothing is used up; a session may hold what was found."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from customers.services.merge import merge_guest
from promoengine.core.ids import new_id, public_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import hold_off_checkouts
from promoengine.engine.best import Combination, decide_best
from promoengine.engine.decide import Case, Claim, Decision, decide
from redemptions.channel import Channel
from redemptions.disclosure import as_told
from redemptions.facts import Gathered, gather
from redemptions.metadata import check_checkout
from redemptions.requests import CheckoutRequest
from redemptions.services.claim import ClaimLost
from redemptions.services.count import RowClaim, row_claims
from redemptions.services.orders import refuse_refunded
from redemptions.services.sessions import new_session_key, reserve
from vouchers.models import Voucher

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Validation:
    """A decision with the rows it is about; `session_key` is set where a session now holds it."""

    id: str
    project: Project
    asked: CheckoutRequest
    gathered: Gathered
    decision: Decision
    session_key: str | None = None
    best: Combination | None = None


def validate(project: Project, asked: CheckoutRequest, *, channel: Channel, now: datetime) -> Validation:
    """Decide what would become of the redeemables, and hold it for the session that was asked for.

    Raises:
        MetadataRefused: metadata sent break the project's schemas; the details name the attribute.
        NotFound: the customer or order is named by an id that the project does not have.
        OrderRefunded: something of the order has been refunded.
        ClaimLost: a session was asked for and a code was changed, time after time.
    """
    for _ in range(ATTEMPTS):
        try:
            return _validate(project, asked, channel=channel, now=now)
        except ClaimLost:
            continue
    with transaction.atomic():
        hold_off_checkouts(project)
        return _validate(project, asked, channel=channel, now=now)


def _validate(project: Project, asked: CheckoutRequest, *, channel: Channel, now: datetime) -> Validation:
    gathered = gather(project, asked, channel=channel, now=now)
    context = gathered.context
    if asked.session and context.customer is not None and context.guest is not None:
        # What is held is held by the two as one.
        merge_guest(project, context.customer, context.guest, channel=channel.name, now=now)
        gathered = gather(project, asked, channel=channel, now=now)
    if gathered.order is not None and gathered.order.stored is not None:
        refuse_refunded(gathered.order.stored)
    check_checkout(project, asked, gathered.context, creates=False)
    decision, best = _decided(asked, gathered.case)
    told, decision = as_told(
        project,
        asked,
        gathered,
        decision,
        channel=channel,
        decide_again=lambda case: _decided(asked, case)[0],
    )
    if best is not None and told is not gathered:
        _, best = _decided(asked, told.case)
    gathered = told
    session_key = _hold(project, asked, gathered, decision, now=now)
    return Validation(public_id("valid", new_id()), project, asked, gathered, decision, session_key, best)


def _decided(asked: CheckoutRequest, case: Case) -> tuple[Decision, Combination | None]:
    return decide_best(case) if asked.wants_best else (decide(case), None)


def voucher_claims(gathered: Gathered, decision: Decision) -> list[tuple[Voucher, Claim]]:
    """Return what using the decision takes of vouchers; promotion tiers have no limit of their own."""
    rows = dict(zip((id(offer) for offer in gathered.case.offers), gathered.redeemables, strict=True))
    return [(row, claim) for claim in decision.claims if isinstance(row := rows[id(claim.offer)], Voucher)]


def _hold(
    project: Project, asked: CheckoutRequest, gathered: Gathered, decision: Decision, *, now: datetime
) -> str | None:
    if asked.session is None or not decision.is_valid:
        return None
    key = asked.session.key or new_session_key()
    reserve(
        project,
        key=key,
        session=asked.session,
        claims=voucher_claims(gathered, decision),
        counted=counted_by_redeemable(gathered, decision),
        bounds=row_claims(decision.counted, gathered.context.subjects, gathered.context.moment),
        version=gathered.context.version,
        now=now,
    )
    return key


def counted_by_redeemable(gathered: Gathered, decision: Decision) -> list[tuple[uuid.UUID, RowClaim]]:
    """Return what each applicable redeemable would add to which counter."""
    return [
        (outcome.offer.key, claim)
        for outcome in decision.applicable
        if isinstance(outcome.offer.key, uuid.UUID)
        for claim in row_claims(outcome.counted, gathered.context.subjects, gathered.context.moment)
    ]
