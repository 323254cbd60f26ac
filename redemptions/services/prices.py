"""Prices to show in a shop's lists: what each product costs now under its best promotion without a code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from campaigns.models import PromotionTier
from promoengine.core.models import Project
from promoengine.engine.ceilings import Ceilings
from promoengine.engine.decide import Applicable, Case, decide
from promoengine.engine.offers import Offer
from promoengine.engine.order import Item
from promoengine.engine.order import Order as Amounts
from redemptions.channel import Channel
from redemptions.counting import counter_rows, counters_standing
from redemptions.facts import Context, gather_context, settings_of, with_segments
from redemptions.metadata import check_checkout
from redemptions.orders import Line
from redemptions.requests import CheckoutRequest
from redemptions.shelf import Shelf, asked_by, shelf_of

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Saving:
    """A promotion that makes a product cheaper, by so many minor units."""

    tier: PromotionTier
    amount: int


@dataclass(frozen=True, slots=True)
class Price:
    """A line as it was asked about, and the promotions that make it cheaper, the best first."""

    line: Line
    item: Item
    savings: tuple[Saving, ...]

    @property
    def saving(self) -> int:
        """What the best promotion takes off, in minor units."""
        return self.savings[0].amount if self.savings else 0


@dataclass(frozen=True, slots=True)
class PriceList:
    """A price for each line, in a currency of ISO 4217."""

    prices: tuple[Price, ...]
    currency: str


def price_list(project: Project, asked: CheckoutRequest, *, channel: Channel, now: datetime) -> PriceList:
    """Return what each line of the order that is asked about would cost in an order of its own.

    Every running promotion is judged by all of its rules, limits included, for this customer, in a number of
    queries that depends neither on the lines nor on the promotions. Promotions are not added up.

    Raises:
        MetadataRefused: metadata sent break the project's schemas; the details name the attribute.
        NotFound: the customer is named by an id that the project does not have.
        CurrencyMismatch: a line without a price is asked for in another currency than the catalogue's.
    """
    settings = settings_of(project)
    shelf = shelf_of(project, settings.version)
    context = gather_context(project, asked, settings, good_refs=shelf.good_refs, channel=channel, now=now)
    check_checkout(project, asked, context, creates=False)
    whole, amounts = context.order, context.amounts
    if whole is None or amounts is None:
        return PriceList((), project.currency)
    context = with_segments(project, context)
    orders = [replace(amounts, amount=item.amount, items=(item,)) for item in amounts.items]
    offers = [_candidates(shelf, context, order) for order in orders]
    case = _case(project, context, offers, now=now)
    prices = tuple(
        Price(line, item, _savings(shelf, case, order, some))
        for line, item, order, some in zip(whole.lines, amounts.items, orders, offers, strict=True)
    )
    return PriceList(prices, amounts.currency or project.currency)


def _candidates(shelf: Shelf, context: Context, order: Amounts) -> list[Offer]:
    found = shelf.tier_candidates(order, context.facts.customer)
    return [asked_by(offer, context.asking) for offer in found]


def _case(project: Project, context: Context, offers: Sequence[Sequence[Offer]], *, now: datetime) -> Case:
    """Return the case without an order, which knows what the limits of all the offers stand at."""
    counters = {counter for some in offers for offer in some for counter in offer.counters(context.amounts)}
    rows = counter_rows(counters, context.subjects, context.moment)
    standing = counters_standing(project, rows, session_key="", now=now)
    return Case((), None, replace(context.facts, used=standing.used), context.stacking)


def _savings(shelf: Shelf, case: Case, order: Amounts, offers: Sequence[Offer]) -> tuple[Saving, ...]:
    """Return the promotions that make an order cheaper, the best first, and judge no more than it takes."""
    ceilings = Ceilings(order)
    places = sorted((-ceilings.of(offer), place) for place, offer in enumerate(offers))
    found: list[Saving] = []
    for ceiling, place in places:
        if -ceiling <= 0 or (len(found) == SHOWN and -ceiling <= found[-1].amount):
            break
        (outcome,) = decide(replace(case, offers=(offers[place],), order=order)).outcomes
        row = shelf.row_of(offers[place])
        if isinstance(outcome, Applicable) and outcome.after and isinstance(row, PromotionTier):
            # Units added for free cost nothing and make nothing cheaper.
            found.append(Saving(row, order.total - outcome.after.total))
            found = sorted(found, key=lambda one: -one.amount)[:SHOWN]
    return tuple(one for one in found if one.amount > 0)
