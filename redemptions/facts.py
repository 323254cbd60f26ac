"""Rows to engine values for a checkout, in a number of queries that does not depend on its size."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from campaigns.definitions import tiers_at
from campaigns.facts import catalogue_facts
from campaigns.models import PromotionStack, PromotionTier
from customers.identities import identity_keys
from customers.models import Customer
from customers.segments import segments_of
from customers.selectors import People, find_people
from promoengine.core.errors import DomainError, NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.engine import facts as engine
from promoengine.engine.decide import Case
from promoengine.engine.limits import Counter
from promoengine.engine.offers import Offer
from promoengine.engine.operators import Moment
from promoengine.engine.order import Order as Amounts
from promoengine.engine.stacking import StackingRules, parse_stacking_rules
from redemptions.channel import Channel
from redemptions.counting import Subjects, counter_rows, counters_standing
from redemptions.models import Order
from redemptions.offers import Asking, Redeemable, good_refs, tier_offer, unknown_offer, voucher_offer
from redemptions.orders import CheckoutOrder, lines_of, merge_order
from redemptions.publications import with_publications
from redemptions.requests import AskedOrder, AskedRedeemable, CheckoutRequest, refuse_doubles
from redemptions.voucher_rows import Settings, settings_and_vouchers
from vouchers.codes import code_key
from vouchers.models import Voucher

CUSTOMER_FIELDS = ("source_id", "name", "email", "phone", "birthdate", "address")


class InvalidRedeemables(DomainError):
    key = "invalid_redeemables"
    message = "Invalid redeemables"


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for a whole checkout, whatever is redeemed in it."""

    moment: Moment
    version: int
    stacking: StackingRules
    customer: Customer | None
    guest: Customer | None
    asking: Asking
    order: CheckoutOrder | None
    amounts: Amounts | None
    facts: engine.Facts
    subjects: Subjects


@dataclass(frozen=True, slots=True)
class Gathered:
    """A case to decide, and the rows behind it; `redeemables` stands beside `case.offers`.

    `counters` are the keys of the counters' rows that are there.
    """

    case: Case
    redeemables: tuple[Redeemable | None, ...]
    context: Context
    counters: frozenset[uuid.UUID] = frozenset()

    @property
    def customer(self) -> Customer | None:
        return self.context.customer

    @property
    def order(self) -> CheckoutOrder | None:
        return self.context.order


def gather(
    project: Project,
    asked: CheckoutRequest,
    *,
    channel: Channel,
    now: datetime,
    overwrite_order: bool = False,
) -> Gathered:
    """Collect all that deciding `asked` may need, in a constant number of queries.

    Raises:
        DuplicatedRedeemables: one code is named twice, as by its code and by its id.
        InvalidRedeemables: more are named than the project allows, or a stack beside others.
        NotFound: the customer or the order is named by an id that the project does not have.
    """
    session_key = (asked.session.key or "") if asked.session else ""
    redeemables = _expanded(project, asked.redeemables)
    settings, rows = _rows(project, redeemables, session_key=session_key, now=now)
    if len(asked.redeemables) > settings.stacking.redeemables_limit:
        limit = settings.stacking.redeemables_limit
        raise InvalidRedeemables(f"Up to {limit} redeemables can be used together")
    refs = set().union(*(good_refs(row) for row in rows))
    context = gather_context(
        project, asked, settings, good_refs=refs, channel=channel, now=now, overwrite_order=overwrite_order
    )
    asking = with_publications(project, context.asking, rows)
    offers = tuple(_offer_of(one, row, asking) for one, row in zip(redeemables, rows, strict=True))
    if any(offer.asks_segments for offer in offers):
        context = with_segments(project, context)
    counters = {counter for offer in offers for counter in offer.counters(context.amounts)}
    counted = counter_rows(counters, context.subjects, context.moment)
    standing = counters_standing(project, counted, session_key=session_key, now=now)
    used = standing.used
    if context.guest is not None:
        used = _with_guests_uses(project, used, context, session_key=session_key, now=now)
    case = Case(offers, context.amounts, replace(context.facts, used=used), context.stacking)
    return Gathered(case, rows, context, standing.there)


def gather_context(
    project: Project,
    asked: CheckoutRequest,
    settings: Settings,
    *,
    good_refs: Collection[str],
    channel: Channel,
    now: datetime,
    overwrite_order: bool = False,
) -> Context:
    """Collect what holds for a whole checkout; `good_refs` are goods that its redeemables may give.

    Raises:
        NotFound: the customer or the order is named by an id that the project does not have.
    """
    moment = moment_of(settings, now)
    stored = stored_order(project, asked.order)
    lines = lines_of(asked.order, stored, overwrite=overwrite_order)
    catalogue = catalogue_facts(project, refs=good_refs, lines=lines, version=settings.version, at=moment)
    order = merge_order(asked.order, stored, catalogue, home=project.currency, overwrite=overwrite_order)
    people = _people_at(project, asked, stored)
    customer = people.customer
    asking = _asking(customer, asked)
    known = _identity_keys(project, asked, customer)
    facts = engine.Facts(
        moment,
        customer=_customer_facts(customer, asked, asking),
        metadata=asking.redemption_metadata,
        api_key=channel.api_key,
        user=channel.user,
        identities=frozenset(key.partition(":")[0] for key in known),
        goods=catalogue.goods,
        is_traced="trace" in asked.expand,
    )
    return Context(
        moment,
        settings.version,
        settings.stacking,
        customer,
        people.guest,
        asking,
        order,
        order.to_engine(catalogue) if order and order.has_amount else None,
        facts,
        Subjects.of(
            customer.pk if customer else None, known, channel_id=channel.id, channel_type=channel.type
        ),
    )


def _with_guests_uses(
    project: Project,
    used: Mapping[Counter, int],
    context: Context,
    *,
    session_key: str,
    now: datetime,
) -> Mapping[Counter, int]:
    """Return what counters by customer stand at once the guest is the customer, as they are in redeeming."""
    assert context.guest is not None
    subjects = Subjects(customer=context.guest.pk)
    of_customers = [counter for counter in used if counter.subject == "customer"]
    rows = counter_rows(of_customers, subjects, context.moment)
    theirs = counters_standing(project, rows, session_key=session_key, now=now).used
    return {counter: value + theirs.get(counter, 0) for counter, value in used.items()}


def with_segments(project: Project, context: Context) -> Context:
    """Return the context with the segments that the customer is in, by what is stored and what was sent."""
    customer = context.facts.customer
    if customer is None:
        return context
    sent = {**customer.attributes, "metadata": customer.metadata}
    segments = segments_of(project, context.customer, sent, version=context.version, at=context.moment)
    return replace(context, facts=replace(context.facts, customer=replace(customer, segments=segments)))


def settings_of(project: Project) -> Settings:
    """Return the project's settings as they are at this moment, not as they were when its key was read."""
    row = Project.objects.values().get(pk=project.pk)
    return Settings.read(row["definitions_version"], row)


def moment_of(calendar: Project | Settings, now: datetime) -> Moment:
    """Return a moment with the calendar of the project."""
    return Moment(now, ZoneInfo(calendar.timezone), calendar.week_start)


def stored_order(project: Project, asked: AskedOrder | None) -> Order | None:
    """Return the row of the order that was named; a source id may be new, an id may not.

    Raises:
        NotFound: the project has no order of that id.
    """
    if asked is None or not (asked.id or asked.source_id):
        return None
    orders = Order.objects.filter(project=project).select_related("customer", "referrer")
    if asked.id is None:
        return orders.filter(source_id=asked.source_id).first()
    key = parse_public_id(Order.prefix, asked.id)
    found = orders.filter(Q(pk=key) if key else Q(source_id=asked.id)).first()
    if found is None:
        raise NotFound("order", asked.id)
    return found


def stacking_rules(project: Project) -> StackingRules:
    """Return the project's stacking rules."""
    return parse_stacking_rules(project.stacking_rules)


def _expanded(project: Project, asked: Sequence[AskedRedeemable]) -> tuple[AskedRedeemable, ...]:
    """Return what is asked with a promotion stack as its tiers, in their order."""
    stacks = [one for one in asked if one.object == "promotion_stack"]
    if stacks and len(asked) > 1:
        raise InvalidRedeemables("Promotion Stack cannot be used with other redeemables")
    if not stacks:
        return tuple(asked)
    key = parse_public_id(PromotionStack.prefix, stacks[0].id)
    present = PromotionStack.objects.filter(project=project, campaign__deleted_at=None)
    stack = present.filter(pk=key).first() if key else None
    if stack is None:
        return tuple(asked)
    tiers = [PromotionTier(id=tier_id).public_id for tier_id in stack.tier_ids]
    return tuple(AskedRedeemable("promotion_tier", tier) for tier in tiers)


def _rows(
    project: Project, asked: Sequence[AskedRedeemable], *, session_key: str, now: datetime
) -> tuple[Settings, tuple[Redeemable | None, ...]]:
    refs = [one.id for one in asked if one.object == "voucher"]
    refuse_doubles([f"voucher: {code_key(project, ref)}" for ref in refs])
    settings, vouchers = settings_and_vouchers(
        project,
        code_keys=[code_key(project, ref) for ref in refs],
        voucher_ids=[key for ref in refs if (key := parse_public_id(Voucher.prefix, ref))],
        session_key=session_key,
        now=now,
    )
    by_key: dict[str | uuid.UUID, Redeemable] = {}
    for voucher in vouchers:
        by_key[voucher.code_key] = by_key[voucher.pk] = voucher
    ids = [one.id for one in asked if one.object == "promotion_tier"]
    keys = [key for one in ids if (key := parse_public_id(PromotionTier.prefix, one))]
    by_key |= tiers_at(project, settings.version, keys) if keys else {}
    rows = tuple(_row_of(project, one, by_key) for one in asked)
    refuse_doubles([row.public_id if row else one.id for one, row in zip(asked, rows, strict=True)])
    return settings, rows


def _row_of(
    project: Project, asked: AskedRedeemable, by_key: Mapping[str | uuid.UUID, Redeemable]
) -> Redeemable | None:
    if asked.object == "voucher" and (found := by_key.get(code_key(project, asked.id))):
        return found
    prefix = Voucher.prefix if asked.object == "voucher" else PromotionTier.prefix
    key = parse_public_id(prefix, asked.id)
    return by_key.get(key) if key and asked.object in ("voucher", "promotion_tier") else None


def _offer_of(asked: AskedRedeemable, row: Redeemable | None, asking: Asking) -> Offer:
    if isinstance(row, Voucher):
        return voucher_offer(row, id_=asked.id, credits=asked.credits, asking=asking)
    if isinstance(row, PromotionTier):
        return tier_offer(row, id_=asked.id, asking=asking)
    return unknown_offer(asked.object, asked.id)


def _asking(customer: Customer | None, asked: CheckoutRequest) -> Asking:
    sent = (asked.customer or {}).get("metadata")
    metadata = (customer.metadata if customer else {}) | (sent if isinstance(sent, dict) else {})
    return Asking(customer, metadata, asked.metadata or {})


def _people_at(project: Project, asked: CheckoutRequest, stored: Order | None) -> People:
    """Return the customer that is named, or whose the order is, or the guest that came before."""
    if not asked.customer and stored is not None and stored.customer is not None:
        return People(stored.customer)
    if not (asked.customer or asked.tracking_id):
        return People()
    return find_people(project, asked.customer, tracking_id=asked.tracking_id)


def _identity_keys(project: Project, asked: CheckoutRequest, customer: Customer | None) -> list[str]:
    """Return what the customer is known by: what is stored and, over it, what was sent.

    Unless their device is named, it is the browser that the tracking id was given to.
    """
    named, identities = asked.customer or {}, asked.identities
    if asked.tracking_id and "device" not in identities:
        identities = {**identities, "device": asked.tracking_id}
    address = named.get("address") or (customer.address if customer else None)
    return identity_keys(
        project.pk,
        {name: named[name] for name in ("email", "phone", "address") if name in named}
        | {"identities": identities},
        customer.identity_keys if customer else (),
        country=address.get("country") if isinstance(address, dict) else None,
    )


def _customer_facts(
    customer: Customer | None, asked: CheckoutRequest, asking: Asking
) -> engine.Customer | None:
    """Return who is at the checkout, by what is stored and, over it, what was sent; None for a guest."""
    named = asked.customer or {}
    if customer is None and not (named or asked.tracking_id):
        return None
    sent = {name: named[name] for name in CUSTOMER_FIELDS if name in named}
    stored = {name: getattr(customer, name) for name in CUSTOMER_FIELDS} if customer else {}
    return engine.Customer(
        str(customer.pk) if customer else None,
        is_guest=not named and not _has_a_name(customer),
        metadata=asking.customer_metadata,
        attributes=_plain(stored) | sent,
    )


def _has_a_name(customer: Customer | None) -> bool:
    return customer is not None and bool(customer.source_id or customer.email or customer.phone)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
