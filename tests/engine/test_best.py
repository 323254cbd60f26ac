"""The best combination: what a customer would choose who tried them all."""

from datetime import UTC, datetime
from itertools import permutations
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from promoengine.engine.best import best_combination, saving_of
from promoengine.engine.decide import Case, decide
from promoengine.engine.discounts import parse_discount
from promoengine.engine.facts import Facts
from promoengine.engine.offers import Category, Offer
from promoengine.engine.operators import Moment
from promoengine.engine.order import Order
from promoengine.engine.rules import parse_rule
from promoengine.engine.stacking import StackingRules

FACTS = Facts(Moment(datetime(2026, 11, 21, 12, tzinfo=UTC), ZoneInfo("UTC")))
LEAST_100 = parse_rule(
    {"rules": {"1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}}}}
)


def amount(name, minor, **more):
    return Offer("voucher", name, discount=parse_discount({"type": "AMOUNT", "amount_off": minor}), **more)


def percent(name, share, **more):
    return Offer("voucher", name, discount=parse_discount({"type": "PERCENT", "percent_off": share}), **more)


def best(*offers, **stacking):
    found = best_combination(Case(offers, Order(10000), FACTS, StackingRules(**stacking)))
    return [offer.id for offer in found.offers], found.saving


def test_ask_28_the_order_that_saves_most_is_found():
    assert best(amount("FIVE", 500), percent("TEN", 10)) == (["TEN", "FIVE"], 1500)


def test_an_offer_that_needs_the_whole_amount_comes_first():
    assert best(percent("TEN", 10), amount("BIG", 3000, rules=(LEAST_100,))) == (["BIG", "TEN"], 3700)


def test_one_offer_that_excludes_the_others_loses_to_them_together():
    alone = amount("ALONE", 1500, category=Category("cat_alone"))

    chosen = best(alone, amount("A", 1000), amount("B", 1000), exclusive_categories=("cat_alone",))

    assert chosen == (["A", "B"], 2000)


def test_no_more_are_chosen_than_may_be_used():
    offers = [amount(f"CODE-{n}", 100 * n) for n in range(1, 6)]

    assert best(*offers, applicable_redeemables_limit=2) == (["CODE-5", "CODE-4"], 900)


def test_what_saves_nothing_is_left_out():
    found = best_combination(Case((amount("ALL", 20000), amount("MORE", 100)), Order(10000), FACTS))

    assert [offer.id for offer in found.left_out] == ["MORE"]
    assert found.is_proven


def test_a_search_that_ends_early_says_so_and_has_the_greedy_choice():
    offers = tuple(amount(f"CODE-{n}", n) for n in range(1, 31))
    rules = StackingRules(applicable_redeemables_limit=30)

    found = best_combination(Case(offers, Order(10000), FACTS, rules), tries=500)

    assert not found.is_proven
    assert found.saving == sum(range(1, 31))


SHARES = st.integers(1, 60).map(lambda share: percent(f"{share}%", share))
AMOUNTS = st.integers(1, 5000).map(lambda minor: amount(f"-{minor}", minor))
GUARDED = st.integers(1, 5000).map(lambda minor: amount(f"-{minor} from 100", minor, rules=(LEAST_100,)))


@settings(max_examples=200, deadline=None)
@given(st.lists(SHARES | AMOUNTS | GUARDED, max_size=4), st.integers(0, 20000))
def test_nothing_that_all_applies_saves_more(offers, total):
    case = Case(tuple(offers), Order(total), FACTS)

    found = best_combination(case)

    tried = (
        decide(Case(chosen, Order(total), FACTS))
        for count in range(len(offers) + 1)
        for chosen in permutations(offers, count)
    )
    assert found.is_proven
    assert found.saving == max(
        saving_of(decision) for decision in tried if len(decision.applicable) == len(decision.outcomes)
    )
