"""What browsers are told of codes that they can't use: no more than the project wants told.

A code of which nothing is told is decided and answered like one that does not exist, so that nothing in the
answer, what it says of other redeemables included, tells one from the other. What is kept of it is true.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from promoengine.core.models import Project
from promoengine.engine.decide import Case, Decision, Inapplicable, Outcome, Skipped, decide
from promoengine.engine.judging import Turn, lacks_cart_alone
from promoengine.engine.offers import Offer
from promoengine.engine.refusals import PRECEDING_FAILED
from redemptions.channel import Channel
from redemptions.facts import Gathered
from redemptions.offers import Redeemable, unknown_offer
from redemptions.requests import CheckoutRequest
from vouchers.models import Voucher


def as_told(
    project: Project,
    asked: CheckoutRequest,
    gathered: Gathered,
    decision: Decision,
    *,
    channel: Channel,
    decide_again: Callable[[Case], Decision] = decide,
) -> tuple[Gathered, Decision]:
    """Return what was gathered and decided as whoever asked may know it."""
    if not channel.is_public or project.client_refusals == Project.ClientRefusals.ALL:
        return gathered, decision
    while withheld := _withheld(project, asked, gathered, decision):
        gathered = _without(gathered, withheld)
        decision = decide_again(gathered.case)
    return gathered, decision


def unknown_codes(decision: Decision) -> int:
    """Return how many codes were named that, as far as it is told, do not exist."""
    return sum(one.offer.object == "voucher" and bool(one.offer.missing) for one in decision.inapplicable)


def _withheld(
    project: Project, asked: CheckoutRequest, gathered: Gathered, decision: Decision
) -> list[Offer]:
    """Return the codes of which nothing may be told, though something would be."""
    rows = dict(zip((id(offer) for offer in gathered.case.offers), gathered.redeemables, strict=True))
    return [
        outcome.offer
        for outcome in decision.outcomes
        if _is_refused(outcome, gathered.case)
        and isinstance(row := rows[id(outcome.offer)], Voucher)
        and not _is_holder(asked, gathered, row)
        and not _is_told(project, outcome.offer, gathered.case)
    ]


def _is_refused(outcome: Outcome, case: Case) -> bool:
    """Return whether an offer does not apply; one left out for others' sake might not even alone."""
    if not isinstance(outcome, Skipped) or outcome.skip is PRECEDING_FAILED:
        return isinstance(outcome, Inapplicable)
    return bool(decide(replace(case, offers=(outcome.offer,))).inapplicable)


def _is_holder(asked: CheckoutRequest, gathered: Gathered, row: Redeemable) -> bool:
    """Return whether the customer is named by an id, and is who the code was given to."""
    named = asked.customer or {}
    if gathered.customer is None or not (named.get("id") or named.get("source_id")):
        return False
    return isinstance(row, Voucher) and row.holder_id == gathered.customer.pk


def _is_told(project: Project, offer: Offer, case: Case) -> bool:
    if project.client_refusals == Project.ClientRefusals.NONE:
        return False
    return lacks_cart_alone(Turn(offer, case.facts, before=case.order, initial=case.order, taken={}))


def _without(gathered: Gathered, withheld: Collection[Offer]) -> Gathered:
    hidden = {id(offer) for offer in withheld}
    offers = gathered.case.offers
    return replace(
        gathered,
        case=replace(
            gathered.case,
            offers=tuple(
                unknown_offer(offer.object, offer.id) if id(offer) in hidden else offer for offer in offers
            ),
        ),
        redeemables=tuple(
            None if id(offer) in hidden else row
            for offer, row in zip(offers, gathered.redeemables, strict=True)
        ),
    )
