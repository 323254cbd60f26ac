"""Redemption: gather, decide, claim, record. What is used up is used up for good, and never too often."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from customers.models import Customer
from customers.services.upsert import upsert_customer
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from promoengine.engine.decide import Decision, decide
from promoengine.engine.refusals import Refusal
from redemptions.facts import Gathered, gather
from redemptions.models import Order
from redemptions.requests import CheckoutRequest
from redemptions.services.claim import ClaimLost, claim
from redemptions.services.orders import lock_order, save_order
from redemptions.services.record import Channel, Recorded, record_failures, record_redemptions
from redemptions.services.validate import voucher_claims

ATTEMPTS = 5


class RedemptionRefused(DomainError):
    """The first redeemable that does not apply ends the whole redemption, with its own reason."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            refusal.details, resource_id=refusal.resource_id, resource_type=refusal.resource_type
        )
        self.key, self.status, self.message = refusal.key, refusal.code, refusal.message


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
    the true reason.

    Raises:
        RedemptionRefused: a redeemable does not apply; the attempt is kept, and nothing else changed.
        NotFound: the customer or order is named by an id that the project does not have.
        ClaimLost: other requests were quicker, time after time.
    """
    attempt = 1
    while True:
        gathered = gather(project, asked, now=now, overwrite_order=True)
        decision = decide(gathered.case)
        if not decision.is_valid:
            refused = decision.inapplicable[0].refusal
            record_failures(project, asked, gathered, decision, channel=channel, now=now)
            raise RedemptionRefused(refused)
        try:
            recorded = _use(project, asked, gathered, decision, channel=channel, now=now)
        except ClaimLost:
            if attempt == ATTEMPTS:
                raise
            attempt += 1
        else:
            return Checkout(asked, gathered, decision, recorded)


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
    if gathered.order is not None and gathered.order.stored is not None:
        lock_order(gathered.order.stored)
    customer = _customer(project, asked, gathered, channel=channel, now=now)
    session_key = asked.session.key or "" if asked.session else ""
    claim(voucher_claims(gathered, decision), session_key=session_key, now=now)
    order = save_order(project, gathered.order, decision, customer=customer, now=now)
    return record_redemptions(
        project,
        asked,
        gathered,
        decision,
        customer=customer,
        order=order,
        session_key=session_key,
        channel=channel,
        now=now,
    )


def _customer(
    project: Project, asked: CheckoutRequest, gathered: Gathered, *, channel: Channel, now: datetime
) -> Customer | None:
    if asked.customer:
        return upsert_customer(project, data=asked.customer, channel=channel.name, now=now)
    stored: Order | None = gathered.order.stored if gathered.order else None
    return stored.customer if stored else None
