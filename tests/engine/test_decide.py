"""What becomes of offers on an order."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from promoengine.engine.decide import Case, decide
from promoengine.engine.discounts import parse_discount
from promoengine.engine.facts import Facts
from promoengine.engine.offers import Offer, Usage
from promoengine.engine.operators import Moment
from promoengine.engine.order import Order
from promoengine.engine.payments import GiftCredits
from promoengine.engine.refusals import Refusal
from promoengine.engine.stacking import StackingRules
from promoengine.engine.timeframes import Validity

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FACTS = Facts(Moment(NOW, ZoneInfo("UTC")))
TEN_OFF = parse_discount({"type": "AMOUNT", "amount_off": 1000})
PARTIAL = StackingRules(redeemables_application_mode="PARTIAL")


def code(name="A", **facts):
    return Offer("voucher", name, **({"discount": TEN_OFF} | facts))


def decided(*offers, order=None, stacking=None):
    order = Order(20000) if order is None else order
    return decide(Case(offers, order, FACTS, stacking or StackingRules()))


@pytest.mark.parametrize(
    ("facts", "key"),
    [
        ({"is_active": False}, "voucher_disabled"),
        ({"is_campaign_active": False}, "voucher_disabled"),
        ({"validity": Validity(starts_at=NOW + timedelta(seconds=1))}, "voucher_not_active"),
        ({"validity": Validity(expires_at=NOW)}, "voucher_expired"),
        ({"validity": Validity(days=frozenset({0}))}, "voucher_not_active_now"),
        ({"usage": Usage(quantity=3, used=3)}, "quantity_exceeded"),
        ({"usage": Usage(quantity=3, used=1, reserved=2)}, "quantity_exceeded"),
        ({"discount": None, "gift": GiftCredits(balance=0)}, "gift_amount_exceeded"),
        ({"discount": None, "gift": GiftCredits(balance=5, asked=6)}, "gift_amount_exceeded"),
        ({"missing": Refusal("not_found")}, "not_found"),
    ],
)
def test_an_offer_is_refused_with_its_reason(facts, key):
    assert [outcome.refusal.key for outcome in decided(code(**facts)).inapplicable] == [key]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"usage": Usage(quantity=None, used=10**9)},
        {"usage": Usage(quantity=3, used=2)},
        {"validity": Validity(starts_at=NOW, expires_at=NOW + timedelta(microseconds=1))},
        {"discount": None, "gift": GiftCredits(balance=5, asked=5)},
        {"discount": None},
    ],
)
def test_an_offer_applies(facts):
    assert decided(code(**facts)).is_valid


def test_each_offer_sees_the_order_as_those_before_left_it():
    half = parse_discount({"type": "PERCENT", "percent_off": 50})

    decision = decided(code("A"), code("B", discount=half))

    assert [one.after.total for one in decision.applicable] == [19000, 9500]


def test_one_that_fails_ends_it_and_skips_the_rest():
    decision = decided(code("A"), code("B", is_active=False), code("C"))

    assert not decision.is_valid
    assert [type(outcome).__name__ for outcome in decision.outcomes] == [
        "Applicable",
        "Inapplicable",
        "Skipped",
    ]


def test_in_partial_mode_those_that_apply_are_used():
    decision = decided(code("A", is_active=False), code("B"), stacking=PARTIAL)

    assert decision.is_valid
    assert [claim.offer.id for claim in decision.claims] == ["B"]


def test_in_partial_mode_nothing_that_applies_is_no_validation():
    assert not decided(code("A", is_active=False), stacking=PARTIAL).is_valid


def test_past_the_limit_offers_are_skipped():
    decision = decided(*[code(str(number)) for number in range(7)])

    assert (len(decision.applicable), len(decision.skipped)) == (5, 2)


def test_a_gift_card_pays_no_more_than_is_left():
    decision = decided(code(discount=None, gift=GiftCredits(balance=50000)))

    assert [(claim.quantity, claim.credits) for claim in decision.claims] == [(1, 20000)]


def test_without_an_order_a_gift_card_must_say_how_much():
    case = Case((code(discount=None, gift=GiftCredits(balance=5)),), None, FACTS)

    assert decide(case).inapplicable[0].refusal.key == "missing_amount"
