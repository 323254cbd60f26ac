"""Qualification: what could this customer use on this order? Each candidate is decided alone."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heapify, heappush, heappushpop, merge, nlargest
from itertools import islice

from campaigns.models import PromotionTier
from promoengine.core.models import Project
from promoengine.engine.ceilings import Ceilings
from promoengine.engine.decide import Applicable, Case, decide
from promoengine.engine.discounts import DEFAULT_EFFECT
from promoengine.engine.findings import KINDS
from promoengine.engine.offers import Offer
from promoengine.engine.operators import Moment
from promoengine.engine.order import Order as Amounts
from redemptions.channel import Channel
from redemptions.facts import (
    Context,
    gather_context,
    settings_of,
    with_segments,
)
from redemptions.metadata import check_checkout
from redemptions.offers import voucher_offer
from redemptions.publications import with_publications
from redemptions.qualification_filters import Candidate, Filters
from redemptions.qualification_pages import (
    after,
    cursor_after,
    cursor_of_deals,
    deals_shown,
    end_before,
)
from redemptions.requests import CheckoutRequest
from redemptions.shelf import Shelf, asked_by, shelf_of
from redemptions.voucher_rows import qualifying_vouchers
from vouchers.models import Voucher

VOUCHERS_MAX = 1000
ALL, WALLET, AUDIENCE, STACKS = "ALL", "CUSTOMER_WALLET", "AUDIENCE_ONLY", "PROMOTION_STACKS"
ON_PRODUCTS = ("PRODUCTS", "PRODUCTS_DISCOUNT", "PRODUCTS_BY_CUSTOMER", "PRODUCTS_DISCOUNT_BY_CUSTOMER")
SCENARIOS = (ALL, WALLET, AUDIENCE, STACKS, *ON_PRODUCTS)
SORTINGS = ("DEFAULT", "BEST_DEAL", "LEAST_DEAL")
NAMING_ITEMS = ("order.items.any", "order.items.every", "product.id", "sku.id")


@dataclass(frozen=True, slots=True)
class QualificationRequest:
    """What is asked, and how the answer is sorted, cut and narrowed; `codes`, if any, are all that may be."""

    checkout: CheckoutRequest
    scenario: str = ALL
    limit: int = 5
    starting_after: datetime | None = None
    sorting: str = "DEFAULT"
    filters: Filters = Filters()
    codes: frozenset[str] = frozenset()

    @property
    def end(self) -> datetime | None:
        """The moment before which all was made that may still be shown; None where any may."""
        if self.starting_after is None or self.sorting != "DEFAULT":
            return None
        return end_before(self.starting_after)


@dataclass(frozen=True, slots=True)
class Qualified:
    """A redeemable that applies, with what it would do; a stack has an outcome for each of its tiers."""

    row: Candidate
    outcomes: tuple[Applicable, ...]
    tiers: tuple[PromotionTier, ...] = ()

    @property
    def created_at(self) -> datetime:
        return self.row.created_at

    @property
    def saving(self) -> int:
        """What it takes off, in minor units."""
        return sum(outcome.saving for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Source:
    """Offers of one kind, the newest first, and how to find out which of them apply."""

    offers: Iterable[Offer]
    judge: Callable[[Iterable[Offer]], Iterator[Qualified]]


@dataclass(frozen=True, slots=True)
class Qualification:
    """One page of what applies, and the cursor of the next one where there is one."""

    context: Context
    found: tuple[Qualified, ...]
    next_after: datetime | None = None

    @property
    def has_more(self) -> bool:
        return self.next_after is not None


def qualify(
    project: Project, asked: QualificationRequest, *, channel: Channel, now: datetime
) -> Qualification:
    """Return what the customer could use, newest first or by what it saves.

    Limits that other people's redemptions use up are not looked at, as published.

    Raises:
        MetadataRefused: metadata sent break the project's schemas; the details name the attribute.
        NotFound: the customer or order is named by an id that the project does not have.
    """
    settings = settings_of(project)
    shelf = shelf_of(project, settings.version)
    context = gather_context(
        project, asked.checkout, settings, good_refs=shelf.good_refs, channel=channel, now=now
    )
    check_checkout(project, asked.checkout, context, creates=False)
    context = with_segments(project, context)
    case = Case(
        (), context.amounts, replace(context.facts, ignored=_ignored(asked.scenario)), context.stacking
    )
    sources = _sources(project, asked, context, shelf, case, now=now)
    stacks = _kept(_stacks(shelf, context, case), asked, context.moment)
    if asked.scenario not in (ALL, STACKS):
        stacks = iter(())
    if asked.sorting == "DEFAULT":
        return _newest(asked, context, _newest_first(sources, stacks))
    end = deals_shown(asked.starting_after) + asked.limit
    if asked.sorting == "BEST_DEAL":
        found = _best_deals(sources, stacks, context.amounts, count=end + 1)
    else:
        found = sorted(_newest_first(sources, stacks), key=lambda one: one.saving)
    page = found[end - asked.limit : end]
    return Qualification(context, tuple(page), cursor_of_deals(end) if len(found) > end else None)


def applicable_tiers(
    project: Project,
    asked: CheckoutRequest,
    tiers: Iterable[PromotionTier],
    *,
    channel: Channel,
    now: datetime,
) -> tuple[Context, list[Qualified]]:
    """Return those of the tiers that apply, each decided alone, in a constant number of queries.

    Raises:
        MetadataRefused: metadata sent break the project's schemas; the details name the attribute.
        NotFound: the customer or order is named by an id that the project does not have.
    """
    settings = settings_of(project)
    shelf = shelf_of(project, settings.version)
    context = gather_context(project, asked, settings, good_refs=shelf.good_refs, channel=channel, now=now)
    check_checkout(project, asked, context, creates=False)
    context = with_segments(project, context)
    case = Case((), context.amounts, context.facts, context.stacking)
    offers = (asked_by(shelf.offers[tier.pk], context.asking) for tier in tiers if tier.pk in shelf.offers)
    return context, list(_judged(offers, shelf.row_of, case))


def _newest_first(sources: Sequence[Source], stacks: Iterable[Qualified]) -> Iterator[Qualified]:
    judged = [source.judge(source.offers) for source in sources]
    return merge(*judged, stacks, key=lambda one: one.created_at, reverse=True)


def _newest(asked: QualificationRequest, context: Context, found: Iterator[Qualified]) -> Qualification:
    """Return the page after the request's cursor."""
    page = list(islice(after(asked.starting_after, found), asked.limit + 1))
    if len(page) <= asked.limit:
        return Qualification(context, tuple(page))
    following = page.pop()
    return Qualification(context, tuple(page), cursor_after(page, following, asked.starting_after))


def _best_deals(
    sources: Sequence[Source], stacks: Iterable[Qualified], order: Amounts | None, *, count: int
) -> list[Qualified]:
    """Return the `count` that save most, of equal ones the first, and judge no more than it takes."""
    ceilings = Ceilings(order)
    offers = [(offer, source) for source in sources for offer in source.offers]
    places = sorted((-ceilings.of(offer), place) for place, (offer, _) in enumerate(offers))
    best = [(one.saving, -len(offers) - place, one) for place, one in enumerate(stacks)]
    best = nlargest(count, best)
    heapify(best)
    for ceiling, place in places:
        if len(best) == count and (-ceiling, -place) < best[0][:2]:
            break
        offer, source = offers[place]
        for one in source.judge([offer]):
            (heappush if len(best) < count else heappushpop)(best, (one.saving, -place, one))
    return [one for *_, one in sorted(best, reverse=True)]


def _sources(
    project: Project,
    asked: QualificationRequest,
    context: Context,
    shelf: Shelf,
    case: Case,
    *,
    now: datetime,
) -> list[Source]:
    """Return the offers of each kind of redeemable that could qualify, but for stacks."""
    sources: list[Source] = []
    if asked.scenario != STACKS:
        sources.append(_vouchers(project, asked, context, case, now=now))
    if asked.scenario in (ALL, AUDIENCE, *ON_PRODUCTS):
        cart = (context.amounts, context.facts.customer, _ignored(asked.scenario))
        everything = asked.scenario == AUDIENCE
        for index in (shelf.tiers, shelf.campaigns):
            offers = index.offers if everything else index.candidates(*cart)
            sources.append(_source(offers, shelf.row_of, asked, context, case))
    return sources


def _source(
    offers: Iterable[Offer],
    row_of: Callable[[Offer], Candidate],
    asked: QualificationRequest,
    context: Context,
    case: Case,
) -> Source:
    def judge(some: Iterable[Offer]) -> Iterator[Qualified]:
        ready = (asked_by(offer, context.asking) for offer in some)
        return _kept(_judged(ready, row_of, case), asked, context.moment)

    return Source(_of_products(offers, asked), judge)


def _judged(offers: Iterable[Offer], row_of: Callable[[Offer], Candidate], case: Case) -> Iterator[Qualified]:
    for offer in offers:
        alone = decide(replace(case, offers=(offer,)))
        if alone.applicable:
            yield Qualified(row_of(offer), alone.applicable)


def _stacks(shelf: Shelf, context: Context, case: Case) -> Iterator[Qualified]:
    for stack in shelf.stacks:
        if not all(tier_id in shelf.offers for tier_id in stack.tier_ids):
            continue
        offers = tuple(asked_by(shelf.offers[tier_id], context.asking) for tier_id in stack.tier_ids)
        together = decide(replace(case, offers=offers))
        if together.is_valid:
            tiers = [shelf.row_of(outcome.offer) for outcome in together.applicable]
            yield Qualified(
                stack,
                together.applicable,
                tuple(tier for tier in tiers if isinstance(tier, PromotionTier)),
            )


def _vouchers(
    project: Project, asked: QualificationRequest, context: Context, case: Case, *, now: datetime
) -> Source:
    customer = context.customer
    rows = qualifying_vouchers(
        project,
        context.version,
        holder_id=customer.pk if customer else None,
        with_open=asked.scenario != WALLET,
        codes=asked.codes,
        before=asked.end,
        limit=VOUCHERS_MAX,
        now=now,
    )
    by_key: dict[Hashable, Voucher] = {row.pk: row for row in rows}

    def row_of(offer: Offer) -> Voucher:
        return by_key[offer.key]

    asking = with_publications(project, context.asking, rows)
    ready = (voucher_offer(row, credits=_asked_credits(row, case), asking=asking) for row in rows)
    return _source(ready, row_of, asked, context, case)


def _asked_credits(row: Voucher, case: Case) -> int | None:
    """Return what is asked of a gift card where no order says it: all that is left."""
    if row.gift_balance is None or case.order is not None:
        return None
    return max(0, row.gift_balance - row.reserved_amount)


def _kept(found: Iterator[Qualified], asked: QualificationRequest, moment: Moment) -> Iterator[Qualified]:
    """Yield what the request's cursor and filters let through."""
    for one in found:
        is_in_time = asked.end is None or one.created_at < asked.end
        if is_in_time and asked.filters.let_through(one.row, moment):
            yield one


def _of_products(offers: Iterable[Offer], asked: QualificationRequest) -> Iterator[Offer]:
    """Yield the offers that are about products, where the scenario asks for those alone."""
    for offer in offers:
        if asked.scenario not in ON_PRODUCTS or _is_on_products(offer, asked.scenario):
            yield offer


def _is_on_products(offer: Offer, scenario: str) -> bool:
    scope, discount = offer.scope, offer.discount
    if discount is not None and scope.has_entries and discount.effect_under(scope) != DEFAULT_EFFECT:
        return True
    if "DISCOUNT" in scenario:
        return False
    return any(node.name in NAMING_ITEMS for rule in offer.rules for node in rule.nodes.values())


def _ignored(scenario: str) -> Callable[[str], bool]:
    """Return which conditions are taken as met: limits, and in some scenarios all but the audience's."""
    if scenario == AUDIENCE:
        return lambda name: not name.startswith("customer.")
    if scenario in ("PRODUCTS", "PRODUCTS_DISCOUNT"):
        return lambda name: name.startswith("customer.") or _is_limit(name)
    return _is_limit


def _is_limit(name: str) -> bool:
    return KINDS[name].counter is not None or name == "order.initial_amount"
