"""The best combination: what a customer would choose who tried them all."""

from dataclasses import replace
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
from promoengine.engine.order import Item, Order
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


THIRTY = StackingRules(applicable_redeemables_limit=30)


def test_ask_28_what_can_not_be_better_need_not_be_tried():
    offers = tuple(amount(f"CODE-{n}", n) for n in range(1, 31))

    found = best_combination(Case(offers, Order(10000), FACTS, THIRTY), tries=500)

    assert (found.is_proven, found.saving, found.at_most) == (True, sum(range(1, 31)), sum(range(1, 31)))


def test_ask_28_a_search_that_ends_early_says_so_with_a_bound_and_has_the_greedy_choice():
    offers = tuple(percent(f"{n}%", n) for n in range(1, 11))

    found = best_combination(Case(offers, Order(10000), FACTS, THIRTY), tries=60)

    greedy = decide(Case(tuple(reversed(offers)), Order(10000), FACTS, THIRTY))
    assert not found.is_proven
    assert found.saving == saving_of(greedy) < found.at_most <= 5500


def test_ask_28_sequences_that_leave_the_same_order_are_tried_once():
    offers = tuple(amount(f"CODE-{n}", 3000, rules=(LEAST_100,) if n > 3 else ()) for n in range(1, 7))

    found = best_combination(Case(offers, Order(12000), FACTS, THIRTY), tries=400)

    assert (found.is_proven, found.saving) == (True, 12000)


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


LINES = st.lists(
    st.builds(
        lambda price, units: Item(price * units, units, price, product_ids=frozenset({"hat"})),
        st.integers(1, 5000),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=3,
)
EFFECTS = st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS", "APPLY_TO_ITEMS_BY_QUANTITY"])
ON_LINES = st.one_of(
    st.builds(
        lambda off, effect, cap: {"type": "AMOUNT", "amount_off": off, "effect": effect, **cap},
        st.integers(1, 4000),
        EFFECTS,
        st.sampled_from([{}, {"amount_limit": 700}, {"aggregated_amount_limit": 900}]),
    ),
    st.builds(
        lambda off, effect: {"type": "PERCENT", "percent_off": off, "effect": effect},
        st.integers(1, 100),
        st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]),
    ),
    st.builds(lambda price: {"type": "FIXED", "fixed_amount": price}, st.integers(0, 9000)),
    st.builds(lambda units: {"type": "UNIT", "unit_off": units, "unit_type": "hat"}, st.integers(1, 3)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ON_LINES, max_size=4), LINES, st.integers(1, 5), st.integers(0, 80), st.booleans())
def test_ask_28_the_bound_holds_however_early_the_search_ends(wires, lines, most, tries, is_initial):
    offers = tuple(Offer("voucher", str(n), discount=parse_discount(wire)) for n, wire in enumerate(wires))
    rules = StackingRules(
        applicable_redeemables_limit=most,
        discount_calculation_mode="INITIAL_AMOUNT" if is_initial else "DISCOUNTED_AMOUNT",
    )
    case = Case(offers, Order(sum(item.amount for item in lines), tuple(lines)), FACTS, rules)

    found = best_combination(case, tries=tries)

    tried = (
        decide(replace(case, offers=chosen))
        for count in range(len(offers) + 1)
        for chosen in permutations(offers, count)
    )
    saved = max(saving_of(one) for one in tried if len(one.applicable) == len(one.outcomes))
    assert found.saving <= saved
    # Where all is paid for, free units on top would count as a saving, and are not looked for.
    assert saved <= found.at_most or found.decision.order.total == 0
