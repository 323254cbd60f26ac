"""No offer takes off more than its ceiling says, or the best deals would be missed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.engine.ceilings import Ceilings
from promoengine.engine.decide import Case, decide
from promoengine.engine.discounts import parse_discount
from promoengine.engine.facts import Facts
from promoengine.engine.offers import Offer
from promoengine.engine.operators import Moment
from promoengine.engine.payments import GiftCredits
from promoengine.engine.rules import Rule
from promoengine.engine.stacking import StackingRules
from tests.engine.cart import cart, goods
from tests.engine.test_discount_properties import MANY, discounts, odd_orders, orders, scopes

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FACTS = Facts(Moment(NOW, ZoneInfo("UTC")), goods=goods(a="3.00", b="0.00"))


def saving(offer, order, mode="DISCOUNTED_AMOUNT"):
    outcomes = decide(Case((offer,), order, FACTS, StackingRules(discount_calculation_mode=mode))).applicable
    return max((outcome.saving for outcome in outcomes), default=0)


@MANY
@given(
    order=orders | odd_orders,
    wire=discounts(),
    scope=scopes,
    mode=st.sampled_from(["DISCOUNTED_AMOUNT", "INITIAL_AMOUNT"]),
)
def test_no_discount_passes_its_ceiling(order, wire, scope, mode):
    offer = Offer("voucher", "CODE", discount=parse_discount(wire), rules=(Rule(scope=scope),))

    assert saving(offer, order, mode) <= Ceilings(order).of(offer)


@pytest.mark.parametrize(
    ("discount", "ceiling"),
    [
        ({"type": "AMOUNT", "amount_off": 700}, 700),
        ({"type": "AMOUNT", "amount_off": 9900}, 2000),
        ({"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS"}, 200),
        ({"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"}, 300),
        ({"type": "PERCENT", "percent_off": 25}, 500),
        ({"type": "PERCENT", "percent_off": 25, "amount_limit": 300}, 300),
        ({"type": "PERCENT", "percent_off": 25, "effect": "APPLY_TO_ITEMS"}, 502),
        ({"type": "FIXED", "fixed_amount": 1500}, 2000),
        (None, 0),
    ],
)
def test_a_ceiling_is_near_what_is_taken(discount, ceiling):
    offer = Offer("voucher", "CODE", discount=parse_discount(discount) if discount else None)

    assert Ceilings(cart("2 hat @ 5.00, 1 shoe @ 10.00")).of(offer) == ceiling


def test_a_gift_card_pays_for_all():
    offer = Offer("voucher", "CODE", gift=GiftCredits(5000))

    assert Ceilings(cart("1 hat @ 5.00")).of(offer) == 500


def test_without_an_order_nothing_is_taken():
    offer = Offer("voucher", "CODE", discount=parse_discount({"type": "AMOUNT", "amount_off": 700}))

    assert Ceilings(None).of(offer) == 0
