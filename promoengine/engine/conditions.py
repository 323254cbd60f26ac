"""The named conditions on who asks, on the order as a whole, and on counters, by their published names."""

from collections.abc import Callable
from typing import Any

from promoengine.engine.checks import Truth
from promoengine.engine.facts import Situation
from promoengine.engine.findings import (
    COUNT,
    MONEY,
    QUANTITY,
    Finding,
    Kind,
    Node,
    judge_value,
    lookup,
    register,
)
from promoengine.engine.limits import GUESTS_ALLOWED, CounterKind
from promoengine.engine.operators import UNKNOWN
from promoengine.engine.order import Order

SEGMENT = "customer.segment"


def fact(
    name: str, read: Callable[[Node, Situation], Any], *, needs_property: bool = False, measure: str = ""
) -> None:
    """Register a condition on one value."""

    def judge(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
        return judge_value(node, read(node, situation), situation, findings, measure)

    register(name, Kind(judge, needs_property=needs_property, is_money=measure == MONEY))


def _customer_segments(node: Node, situation: Situation) -> Any:
    customer = situation.facts.customer
    return sorted(customer.segments) if customer else None


def _customer_metadata(node: Node, situation: Situation) -> Any:
    customer = situation.facts.customer
    return lookup(customer.metadata, node.property_name) if customer else None


def _customer_attribute(name: str) -> Callable[[Node, Situation], Any]:
    def read(node: Node, situation: Situation) -> Any:
        customer = situation.facts.customer
        return lookup(customer.attributes, name) if customer else None

    return read


def _of_order(read: Callable[[Order], Any]) -> Callable[[Node, Situation], Any]:
    def of_running(node: Node, situation: Situation) -> Any:
        return read(situation.before) if situation.before else None

    return of_running


def _initial_amount(node: Node, situation: Situation) -> Any:
    order = situation.initial
    if order is None:
        return None
    return order.amount if order.initial_amount is None else order.initial_amount


def _total_amount(node: Node, situation: Situation) -> Any:
    after = situation.use().after
    return after.total if after else None


def _order_metadata(node: Node, situation: Situation) -> Any:
    return lookup(situation.before.metadata, node.property_name) if situation.before else None


def _points_used(node: Node, situation: Situation) -> Any:
    """What it pays in points; unknown for what pays with something else."""
    return situation.use().points or None


def _redemption_metadata(node: Node, situation: Situation) -> Any:
    return lookup(situation.facts.metadata, node.property_name)


def _is_holder(node: Node, situation: Situation) -> Any:
    customer, holder = situation.facts.customer, situation.subject.holder_id
    return None if customer is None else holder is not None and customer.id == holder


fact(SEGMENT, _customer_segments)
fact("customer.metadata", _customer_metadata, needs_property=True)
fact("customer.loyalty.tier", _customer_attribute("loyalty_tier"))
for _name in ("name", "email", "phone", "birthdate", "address.city", "address.country", "source_id"):
    fact(f"customer.{_name}", _customer_attribute(_name))
# What is left to pay when this redeemable's turn comes; `total_amount` is what it would leave.
fact("order.amount", _of_order(lambda order: order.total), measure=MONEY)
fact("order.total_amount", _total_amount, measure=MONEY)
fact("order.initial_amount", _initial_amount, measure=MONEY)
fact(
    "order.items.count", _of_order(lambda order: sum(item.quantity for item in order.items)), measure=QUANTITY
)
fact("order.metadata", _order_metadata, needs_property=True)
fact("redemption.metadata", _redemption_metadata, needs_property=True)
fact("redemption.api_key", lambda node, case: case.facts.api_key)
fact("redemption.user.login", lambda node, case: case.facts.user)
fact("publication.redeemable_by_linked_customer", _is_holder)
fact("custom_event.metadata", lambda node, case: None, needs_property=True)
fact("redemption.reward.pay_with_points.points_used", _points_used, measure=COUNT)


def counted(name: str, counter: CounterKind, measure: str = COUNT) -> None:
    """Register a condition on a counter, as it would stand with this redemption counted."""

    def judge(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
        return _judge_counter(node, situation, findings, counter, measure)

    register(name, Kind(judge, counter=counter, is_money=measure == MONEY))


def _judge_counter(
    node: Node, situation: Situation, findings: list[Finding], kind: CounterKind, measure: str
) -> Truth:
    counters = situation.counters(kind)
    is_uncounted = kind.subject == "customer" and situation.subject.guests == GUESTS_ALLOWED
    if not counters and not is_uncounted:
        findings.append(Finding(node, UNKNOWN, measure=measure))
        return UNKNOWN
    fullest = counters[0] if counters else None
    value = (situation.standing(fullest) if fullest else 0) + situation.contribution(kind.measure)
    truth = node.condition.holds(value, situation.facts.moment)
    low, high = node.condition.interval(value)
    missing = node.condition.gap(value) if truth is not True else None
    findings.append(Finding(node, truth, value, missing, measure, fullest, low, high, counters[1:]))
    return truth


def _windows(name: str, owner: str, subject: str = "", *, ever: bool = True) -> None:
    if ever:
        counted(name, CounterKind(owner, "count", "ever", subject))
    for word, window in (("daily", "day"), ("weekly", "week"), ("monthly", "month")):
        counted(f"{name}.{word}", CounterKind(owner, "count", window, subject))


_windows("campaign.redemptions.count", "campaign")
_windows("campaign.redemptions.customers_count", "campaign", "customer")
_windows("redemption.count", "redeemable", ever=False)
_windows("redemption.count.per_customer", "redeemable", "customer")
_windows("redemption.count.per_api_key", "redeemable", "api_key")
_windows("redemption.count.per_user", "redeemable", "user")
counted("campaign.orders.amount", CounterKind("campaign", "orders_amount"), MONEY)
counted("campaign.orders.amount_discounted", CounterKind("campaign", "discount_amount"), MONEY)
counted("redemption.gift.amount", CounterKind("campaign", "gift_amount"), MONEY)
