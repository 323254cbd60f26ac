"""Orders in another currency than the project's: offers say what they are in it, or do not apply."""

from dataclasses import replace

import pytest

from promoengine.engine.ceilings import Ceilings
from promoengine.engine.discounts import InvalidDiscount, parse_discount
from promoengine.engine.index import OfferIndex
from promoengine.engine.limits import Counter
from promoengine.engine.payments import GiftCredits, LoyaltyPoints
from promoengine.engine.rules import parse_rule
from tests.engine.cart import cart, entry, goods
from tests.engine.offered import CAMPAIGN, amount, code, decided, percent, rule

LINES = "2 hat @ 50.00, 1 shoe @ 20.00"
DOLLARS = {"amount_off_by_currency": {"USD": 550, "JPY": 70}}


def priced(currency, lines=LINES):
    return replace(cart(lines), currency=currency)


def key_of(decision):
    return next((one.refusal.key for one in decision.inapplicable), None)


@pytest.mark.parametrize(("currency", "saving"), [("", 500), ("USD", 550), ("JPY", 70)])
def test_ask_35_a_fixed_amount_is_the_one_of_the_orders_currency(currency, saving):
    [applied] = decided(code(discount=amount(500, **DOLLARS)), order=priced(currency)).applicable

    assert applied.saving == saving
    assert applied.discount["amount_off"] == saving


@pytest.mark.parametrize(
    ("effect", "saving"),
    [
        ("APPLY_TO_ITEMS", 2 * 550),
        ("APPLY_TO_ITEMS_BY_QUANTITY", 3 * 550),
        ("APPLY_TO_ITEMS_PROPORTIONALLY", 550),
        ("APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY", 550),
    ],
)
def test_ask_35_so_is_one_for_each_item_or_unit(effect, saving):
    decision = decided(code(discount=amount(500, effect=effect, **DOLLARS)), order=priced("USD"))

    assert decision.order.total_discount == saving


@pytest.mark.parametrize(("currency", "total"), [("", 8000), ("USD", 9000)])
def test_ask_35_so_is_a_new_price(currency, total):
    new_price = parse_discount(
        {"type": "FIXED", "fixed_amount": 8000, "fixed_amount_by_currency": {"USD": 9000}}
    )

    assert decided(code(discount=new_price), order=priced(currency)).order.total == total


NEW_PRICES = parse_rule({"applicable_to": {"included": [entry("hat", price=4000)]}})
CAPPED = parse_rule({"applicable_to": {"included": [entry("hat", amount_limit=4000)]}})


@pytest.mark.parametrize(
    "offer",
    [
        code(discount=amount(500)),
        code(discount=amount(500, amount_off_by_currency={"JPY": 70})),
        code(discount=parse_discount({"type": "FIXED", "fixed_amount": 1})),
        code(discount=parse_discount({"type": "FIXED", "effect": "APPLY_TO_ITEMS"}), rules=(NEW_PRICES,)),
        code(discount=percent(10, amount_limit=500)),
        code(discount=percent(10, effect="APPLY_TO_ITEMS"), rules=(CAPPED,)),
        code(discount=amount(500, amount_limit=900, **DOLLARS)),
        code(discount=parse_discount({"type": "UNIT", "unit_off": 1, "unit_type": "cap"})),
        code(discount=None, gift=GiftCredits(10_000)),
        code(discount=None, points=LoyaltyPoints(100, 10)),
    ],
    ids=lambda offer: offer.discount.type if offer.discount else "card",
)
def test_ask_35_an_offer_without_an_amount_in_the_orders_currency_is_refused(offer):
    known = {"goods": goods(cap="3.00")}

    assert key_of(decided(offer, order=priced("USD"), **known)) == "currency_mismatch"
    assert decided(offer, order=priced(""), **known).is_valid


@pytest.mark.parametrize(
    ("discount", "saving"),
    [
        (percent(10), 1200),
        (percent(10, amount_limit=500, amount_limit_by_currency={"USD": 600}), 600),
        (percent(10, aggregated_amount_limit=5, aggregated_amount_limit_by_currency={"USD": 7}), 7),
        (parse_discount({"type": "UNIT", "unit_off": 1, "unit_type": "hat"}), 5000),
    ],
    ids=["percent", "capped", "capped in all", "unit in the cart"],
)
def test_ask_35_shares_and_units_need_no_amount(discount, saving):
    assert decided(code(discount=discount), order=priced("USD")).order.total_discount == saving


@pytest.mark.parametrize(
    "name",
    [
        "order.amount",
        "order.initial_amount",
        "order.total_amount",
        "order.items.price",
        "order.items.aggregated_amount",
        "campaign.orders.amount",
        "campaign.orders.amount_discounted",
    ],
)
def test_ask_35_what_a_rule_asks_of_amounts_is_not_known_in_another_currency(name):
    asked = {"$more_than_or_equal": [0]}

    assert key_of(decided(code(discount=percent(10), rules=(rule(name, asked),)), order=priced("USD"))) == (
        "currency_mismatch"
    )
    lenient = code(discount=percent(10), rules=(rule(name, asked, unknown=True),))
    assert decided(lenient, order=priced("USD")).is_valid


def test_ask_35_an_amount_asked_of_chosen_items_is_one_as_well():
    pricey = {"1": {"name": "order.items.price", "conditions": {"$more_than": [1]}}}
    hats = parse_rule(
        {"rules": {"1": {"name": "order.items.any", "conditions": {"$is": ["hat"]}, "rules": pricey}}}
    )

    assert key_of(decided(code(discount=percent(10), rules=(hats,)), order=priced("USD"))) == (
        "currency_mismatch"
    )


def test_ask_35_an_order_by_another_condition_is_judged_as_ever():
    either = parse_rule(
        {
            "rules": {
                "1": {"name": "order.amount", "conditions": {"$more_than": [100_000]}},
                "2": {"name": "order.items.count", "conditions": {"$more_than": [1]}},
                "logic": "1 or 2",
            }
        }
    )

    assert decided(code(discount=percent(10), rules=(either,)), order=priced("USD")).is_valid


def test_ask_35_budgets_count_one_currency():
    budget = rule("campaign.orders.amount_discounted", {"$less_than_or_equal": [100]}, unknown=True)

    decision = decided(code(discount=percent(10), rules=(budget,)), order=priced("USD"))

    assert [claim.amount for claim in decision.counted] == [0]
    assert decision.counted[0].counter == Counter(CAMPAIGN, "discount_amount", "ever", "")


@pytest.mark.parametrize(
    ("discount", "saving"),
    [
        (amount(500, amount_off_formula="ORDER_AMOUNT * 0.5", **DOLLARS), 550),
        (percent(10, percent_off_formula="IF(ORDER_AMOUNT > 1;50;0)"), 1200),
        (percent(10, percent_off_formula="ORDER_UNITS_QUANTITY * 10"), 3600),
    ],
)
def test_ask_35_formulas_on_money_are_not_worked_out_in_another_currency(discount, saving):
    assert decided(code(discount=discount), order=priced("USD")).order.total_discount == saving


@pytest.mark.parametrize("discount", [amount(500, **DOLLARS), amount(500), percent(10)])
def test_ask_35_ceilings_and_the_index_know_of_currencies(discount):
    asks_more = rule("order.amount", {"$more_than": [10**9]}, unknown=True)
    offer, order = code(discount=discount, rules=(asks_more,)), priced("USD")

    assert list(OfferIndex([offer]).candidates(order, None)) == [offer]
    saving = sum(one.saving for one in decided(offer, order=order).applicable)
    assert Ceilings(order).of(offer) >= saving


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"amount_off_by_currency": [1]}, ".amount_off_by_currency should be an object"),
        ({"amount_off_by_currency": {"usd": 1}}, ".amount_off_by_currency.usd should be an ISO 4217 code"),
        ({"amount_off_by_currency": {"USD": -1}}, ".amount_off_by_currency.USD should be between"),
        ({"amount_off_by_currency": {"USD": 1.5}}, ".amount_off_by_currency.USD should be a whole number"),
        ({"amount_off_by_currency": {"USD": True}}, ".amount_off_by_currency.USD should be number"),
        ({"amount_limit_by_currency": {"USD": 1}}, ".amount_limit_by_currency needs a 'amount_limit'"),
        ({"fixed_amount_by_currency": {"USD": 1}}, ".fixed_amount_by_currency needs a 'fixed_amount'"),
    ],
)
def test_ask_35_amounts_by_currency_are_checked_when_they_are_made(fields, problem):
    with pytest.raises(InvalidDiscount) as refused:
        amount(500, **fields)

    assert str(refused.value).startswith(problem)
