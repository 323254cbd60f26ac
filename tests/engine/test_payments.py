"""Paying with points: what they are worth, how many an order takes, and what a rule may say of them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.engine.decide import Case, decide
from promoengine.engine.facts import Facts
from promoengine.engine.offers import Offer
from promoengine.engine.operators import Moment
from promoengine.engine.order import Order
from promoengine.engine.payments import LoyaltyPoints
from promoengine.engine.rules import parse_rule

FACTS = Facts(Moment(datetime(2026, 11, 21, 12, tzinfo=UTC), ZoneInfo("UTC")))


def card(balance, asked=None, *, ratio=(100, 10), rules=()):
    exchange, points = ratio
    return Offer("voucher", "CARD", points=LoyaltyPoints(balance, exchange, points, asked), rules=rules)


def paid(offer, amount):
    (outcome,) = decide(Case((offer,), Order(amount), FACTS)).outcomes
    return outcome


@pytest.mark.parametrize(
    ("offer", "amount", "points", "saved"),
    [
        (card(100), 5000, 100, 1000),
        (card(100, asked=30), 5000, 30, 300),
        (card(1000), 990, 99, 990),
        (card(1000), 985, 99, 985),  # the 99th point is worth more than is left to pay
        (card(7, ratio=(100, 3)), 5000, 7, 233),
        (card(50), 0, 0, 0),
    ],
)
def test_an_order_takes_no_more_points_than_it_needs(offer, amount, points, saved):
    outcome = paid(offer, amount)

    assert (outcome.points, outcome.saving) == (points, saved)


@pytest.mark.parametrize("offer", [card(0), card(10, asked=11), card(-5)])
def test_points_that_are_not_there_pay_nothing(offer):
    assert paid(offer, 5000).refusal.key == "loyalty_card_points_exceeded"


def test_a_rule_may_limit_the_points_used():
    conditions = {"$less_than_or_equal": [50]}
    most = {"1": {"name": "redemption.reward.pay_with_points.points_used", "conditions": conditions}}
    rule = parse_rule({"rules": most})

    assert paid(card(100, asked=50, rules=(rule,)), 5000).points == 50
    assert paid(card(100, asked=51, rules=(rule,)), 5000).refusal.key == "redemption_rules_violated"


@given(st.integers(1, 10**6), st.integers(1, 10**4), st.integers(1, 10**4), st.integers(0, 10**7))
def test_one_point_less_would_not_have_paid_as_much(balance, exchange, points_ratio, amount):
    points = LoyaltyPoints(balance, exchange, points_ratio)

    spent = points.spend_on(amount)

    assert 0 <= spent <= balance
    assert spent == balance or points.worth(spent) >= amount
    assert spent == 0 or points.worth(spent - 1) < amount
