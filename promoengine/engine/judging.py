"""One offer before the running order: its rules, what it does, and what it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from promoengine.engine.bundles import BundleFound
from promoengine.engine.discounts import Applied, Discount, Terms
from promoengine.engine.facts import Facts, Situation, Use
from promoengine.engine.figures import MONEY, Figure, Setting
from promoengine.engine.findings import Finding, asks_money
from promoengine.engine.limits import (
    GUEST_KEYS,
    GUESTS_COUNTED,
    GUESTS_REFUSED,
    Counter,
    CounterClaim,
)
from promoengine.engine.offers import Offer, counter_kind_of
from promoengine.engine.operators import UNKNOWN
from promoengine.engine.order import Order
from promoengine.engine.payments import LoyaltyPoints
from promoengine.engine.refusals import Refusal
from promoengine.engine.rules import Rule, Verdict
from promoengine.engine.scopes import UnitLimit

RULES_KEYS = {
    "customer": "customer_rules_violated",
    "order": "order_rules_violated",
    "product": "order_rules_violated",
    "sku": "order_rules_violated",
}
SUBJECTS = {"promotion_tier": "Promotion Tier", "promotion_stack": "Promotion Stack", "campaign": "Campaign"}


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What became of an offer: a refusal with the conditions that failed, or the order after it."""

    after: Order | None = None
    credits: int = 0
    points: int = 0
    applied: Applied | None = None
    has_effect: bool = True
    refusal: Refusal | None = None
    findings: tuple[Finding, ...] = ()
    reasons: tuple[Finding, ...] = ()
    counted: tuple[CounterClaim, ...] = ()


@dataclass(frozen=True)
class Turn:
    """An offer and what it finds: the order that those before it left, and what they took of counters."""

    offer: Offer
    facts: Facts
    before: Order | None
    initial: Order | None
    taken: Mapping[Counter, int]
    from_initial: bool = False
    once: bool = False

    @property
    def situation(self) -> Situation:
        # Not kept: it knows the turn, and a turn that knew it as well would be garbage for the collector.
        return Situation(self.facts, self.offer, self.before, self.initial, self.taken, lambda: self.use)

    @cached_property
    def bundle(self) -> BundleFound | None:
        """The bundles the order holds; None where the offer is for none in particular."""
        bundle = self.offer.bundle
        return bundle.identify(self.before) if bundle is not None and self.before is not None else None

    @cached_property
    def unit_limits(self) -> tuple[UnitLimit, ...]:
        """The limits on discounted units that the order's own lines count against."""
        return self.offer.unit_limits(self.initial)

    @cached_property
    def units_left(self) -> dict[str, int]:
        """What limits on discounted units still allow, by their keys."""
        if self.before is None or not self.unit_limits:
            return {}
        moment = self.facts.moment
        setting = Setting(self.before, self.offer.formula_facts, moment.now, moment.zone)
        left = {}
        for limit in self.unit_limits:
            fullest, *_ = self.unit_counters(limit)
            left[limit.key] = max(0, int(limit.limit.of(setting) or 0) - self.situation.standing(fullest))
        return left

    def unit_counters(self, limit: UnitLimit) -> tuple[Counter, ...]:
        """Return the counters of a limit on discounted units, the fullest first."""
        kind = counter_kind_of(limit)
        return self.situation.counters(kind) or (self.offer.counter(kind),)

    @cached_property
    def terms(self) -> Terms:
        moment = self.facts.moment
        return Terms(
            scope=self.offer.scope,
            bundle=self.bundle,
            from_initial=self.from_initial,
            once=self.once,
            goods=self.facts.goods,
            units_left=self.units_left,
            formula_facts=self.offer.formula_facts,
            now=moment.now,
            zone=moment.zone,
        )

    @cached_property
    def applied(self) -> Applied | None:
        """What the offer's discount, or gift card on items, does to the order."""
        if self.before is None:
            return None
        discount = self.offer.discount
        if discount is not None and (stated := discount.in_currency(self.before.currency)) is not None:
            return stated.apply(self.before, self.terms)
        return None

    @cached_property
    def use(self) -> Use:
        order, gift, points = self.before, self.offer.gift, self.offer.points
        if points is not None:
            return _pay_with_points(points, order)
        if gift is None:
            return Use(self.applied.order if self.applied else order)
        if order is None:
            return Use(None, gift.asked or 0)
        if gift.effect == "APPLY_TO_ITEMS":
            after = _credits_on_items(gift.wanted).apply(order, self.terms).order
        else:
            after = order.discount_order(gift.wanted)
        return Use(after, after.total_discount - order.total_discount)


def take_turn(turn: Turn) -> TurnResult:
    """Judge the offer's rules and, where they are met, work out what it does and what it counts."""
    if refusal := _guest_refusal(turn) or _currency_refusal(turn):
        return TurnResult(refusal=refusal)
    verdicts = [rule.judge(turn.situation) for rule in turn.offer.rules]
    findings = tuple(finding for verdict in verdicts for finding in verdict.findings)
    for rule, verdict in zip(turn.offer.rules, verdicts, strict=True):
        if not verdict.is_met:
            refusal = _rule_refusal(turn, verdict, rule)
            return TurnResult(refusal=refusal, findings=findings, reasons=verdict.reasons)
    if turn.bundle is not None and turn.bundle.quantity == 0:
        return TurnResult(refusal=_bundle_refusal(turn), findings=findings)
    if turn.applied is not None and turn.applied.refusal_key is not None:
        return TurnResult(refusal=turn.offer.refused(turn.applied.refusal_key), findings=findings)
    use = turn.use
    return TurnResult(
        after=use.after,
        credits=use.credits,
        points=use.points,
        applied=turn.applied,
        has_effect=_changes(turn.before, use),
        findings=findings,
        counted=_counted(turn, findings),
    )


def lacks_cart_alone(turn: Turn) -> bool:
    """Return whether an offer that does not apply could with another cart: all but the order suits it."""
    moment = turn.facts.moment
    if not turn.offer.can_be_used(moment.now, moment.zone) or _guest_refusal(turn):
        return False
    looking = replace(turn, facts=replace(turn.facts, is_traced=True))
    verdicts = [rule.judge(looking.situation) for rule in turn.offer.rules]
    return all(
        RULES_KEYS.get(_room(reason)) == "order_rules_violated"
        for verdict in verdicts
        if not verdict.is_met
        for reason in verdict.reasons
    )


def _room(reason: Finding) -> str:
    return reason.node.name.partition(".")[0]


def _rule_refusal(turn: Turn, verdict: Verdict, rule: Rule) -> Refusal:
    reason = next(iter(verdict.reasons), None)
    room = _room(reason) if reason else "redemption"
    key = RULES_KEYS.get(room, "redemption_rules_violated")
    about_customer = reason is not None and (room == "customer" or "customer" in reason.node.name)
    if about_customer and reason is not None and reason.truth is UNKNOWN and _is_nobody(turn.facts):
        return turn.offer.refused(
            "missing_customer", "Customer is required to validate rules", verdict.message
        )
    currency = turn.situation.currency
    if currency and reason is not None and reason.truth is UNKNOWN and asks_money(reason.node):
        details = f"{_violated(turn.offer, rule)}, which compares amounts, and not in {currency}"
        return turn.offer.refused("currency_mismatch", details)
    return turn.offer.refused(key, _violated(turn.offer, rule), verdict.message)


def _is_nobody(facts: Facts) -> bool:
    return facts.customer is None or facts.customer.is_guest


def _guest_refusal(turn: Turn) -> Refusal | None:
    """Return why somebody of whom nothing is known may not use the offer, where they may not."""
    guests, facts = turn.offer.guests, turn.facts
    if guests == GUESTS_REFUSED and not facts.is_person_known:
        return turn.offer.refused("missing_customer", "Customer is required: guests have to sign in")
    if guests == GUESTS_COUNTED and facts.customer is None and facts.identities.isdisjoint(GUEST_KEYS):
        return turn.offer.refused(
            "missing_customer", "Customer, or the device or address of a guest, is required to count uses"
        )
    return None


def _currency_refusal(turn: Turn) -> Refusal | None:
    """Return why an offer says nothing of money in the order's currency, where it would have to."""
    offer, currency = turn.offer, turn.situation.currency
    if not currency:
        return None
    if offer.gift is not None or offer.points is not None:
        return offer.refused("currency_mismatch", f"The card does not pay for orders in {currency}")
    discount = offer.discount
    is_stated = discount is None or discount.in_currency(currency) is not None
    if is_stated and not any(entry.names_money for entry in offer.scope.included):
        return None
    return offer.refused("currency_mismatch", f"The discount has no amount in {currency}")


def _bundle_refusal(turn: Turn) -> Refusal:
    """Return the refusal of an offer whose bundle the order does not hold once."""
    rule = next(rule for rule in turn.offer.rules if rule.bundle is not None)
    return turn.offer.refused("order_rules_violated", _violated(turn.offer, rule), rule.message)


def _violated(offer: Offer, rule: Rule) -> str:
    subject = SUBJECTS.get(offer.object) or ("Gift Card" if offer.gift else "Discount Coupon")
    return f"{subject} cannot be redeemed because of violated validation rules: {rule.id}"


def _pay_with_points(points: LoyaltyPoints, order: Order | None) -> Use:
    if order is None:
        return Use(None, points=points.asked or 0)
    spent = points.spend_on(order.total)
    return Use(order.discount_order(points.worth(spent)), points=spent)


def _credits_on_items(credits: int) -> Discount:
    """Return what a gift card does that pays for items: its credits are split over them."""
    return Discount("AMOUNT", "APPLY_TO_ITEMS_PROPORTIONALLY", Figure(MONEY, credits))


def _changes(before: Order | None, use: Use) -> bool:
    if before is None or use.after is None:
        return True
    if use.after.total_discount != before.total_discount or use.after.amount != before.amount:
        return True
    return _units(use.after) != _units(before)


def _units(order: Order) -> int:
    """Return how many units there are, which goods that cost nothing change, too."""
    return sum(item.quantity for item in order.items)


def _counted(turn: Turn, findings: tuple[Finding, ...]) -> tuple[CounterClaim, ...]:
    claims: dict[Counter, CounterClaim] = {}
    for rule in turn.offer.rules:
        for kind in rule.counters:
            for counter in turn.situation.counters(kind):
                claims[counter] = CounterClaim(counter, turn.situation.contribution(kind.measure))
    for finding in findings:
        if finding.counter is not None:
            claims[finding.counter] = claims[finding.counter].within(finding.low, finding.high)
        for counter in finding.also:
            claims[counter] = claims[counter].within(None, finding.high)
    if turn.applied is not None:
        for limit in turn.unit_limits:
            claims |= _units_claimed(turn, limit, turn.applied)
    return tuple(claims.values())


def _units_claimed(turn: Turn, limit: UnitLimit, applied: Applied) -> dict[Counter, CounterClaim]:
    fullest, *others = turn.unit_counters(limit)
    amount, left = applied.units.get(limit.key, 0), turn.units_left.get(limit.key)
    stands = turn.situation.standing(fullest)
    # With more left, more might be discounted; with less, so many could not have been reached.
    spare = None if left is None else left - applied.reached.get(limit.key, 0)
    low, high = stands + amount, None if spare is None else stands + amount + spare
    claims = {counter: CounterClaim(counter, amount, high=high) for counter in others}
    return {fullest: CounterClaim(fullest, amount, low=low, high=high), **claims}
