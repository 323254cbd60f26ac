"""What holds for every decision, whatever the offers, the cart, the counters and the stacking rules."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from promoengine.engine.decide import Applicable, Case, decide
from promoengine.engine.discounts import parse_discount
from promoengine.engine.facts import Customer, Facts
from promoengine.engine.order import Item, Order
from promoengine.engine.payments import GiftCredits
from promoengine.engine.refusals import Refusal
from promoengine.engine.rules import parse_rule
from promoengine.engine.scopes import LIMIT_KINDS
from promoengine.engine.stacking import StackingRules
from tests.engine.cart import goods
from tests.engine.offered import MOMENT, code
from tests.engine.test_discount_properties import collections, discounts, products

MANY = settings(max_examples=1000, deadline=None)
ANN = Customer("ann", segments=frozenset({"seg_vip"}))
# What campaigns count customers by, and what Ann is known by.
TOGETHER, KNOWN = {"campaign": ("email", "card"), "other": ("phone",)}, frozenset({"email", "card"})
CATEGORIES = st.sampled_from([None, "EX", "EX2", "JO", "X", "Y"])
COUNTED = st.sampled_from(
    [
        "campaign.redemptions.count",
        "campaign.redemptions.customers_count.daily",
        "redemption.count.monthly",
        "redemption.count.per_customer",
    ]
)
SUMMED = st.sampled_from(
    ["campaign.orders.amount", "campaign.orders.amount_discounted", "redemption.gift.amount"]
)
AMOUNTS = st.sampled_from(["order.amount", "order.total_amount", "order.initial_amount"])
BOUNDS = st.sampled_from(["$less_than", "$less_than_or_equal", "$more_than", "$is_not"])


line = st.builds(
    lambda name, price, quantity, collections: Item(
        price * quantity, quantity, price, product_ids=frozenset({name}), collections=collections
    ),
    st.sampled_from("abc"),
    st.sampled_from([0, 1, 333, 99999]),
    st.integers(0, 5),
    st.sampled_from([frozenset(), frozenset("x"), frozenset("xy")]),
)
orders = st.lists(line, max_size=4).map(lambda lines: Order(sum(item.amount for item in lines), tuple(lines)))
odd_orders = st.builds(Order, st.integers(0, 10**6), st.lists(line, max_size=2).map(tuple))


def conditions(names, values, operators=BOUNDS):
    return st.builds(
        lambda name, operator, value: {"name": name, "conditions": {operator: [value]}},
        names,
        operators,
        values,
    )


limits = conditions(COUNTED, st.integers(0, 8)) | conditions(SUMMED, st.integers(0, 10**7))
others = conditions(AMOUNTS, st.integers(0, 10**6)) | st.just(
    {"name": "order.items.any", "conditions": {"$is": ["a"]}}
)
# Limits that few carts reach, so that much applies.
WIDE = st.sampled_from(["$less_than", "$less_than_or_equal", "$is_not"])
wide = conditions(COUNTED, st.integers(10, 60), WIDE) | conditions(SUMMED, st.integers(10**6, 10**7), WIDE)
capped = st.builds(
    lambda who, kind, limit: who | {kind: limit},
    products | collections,
    st.sampled_from(sorted(LIMIT_KINDS)),
    st.integers(0, 60),
)


mixed = limits | others


def guards(of):
    return st.builds(
        lambda nodes, logic, included: parse_rule(
            {
                "rules": {**{str(number): node for number, node in enumerate(nodes, 1)}, "logic": logic}
                if len(nodes) == 2
                else {},
                "applicable_to": {"included": included},
            }
        ),
        st.lists(of, max_size=2),
        st.sampled_from(
            ["1 and 2", "1 or 2", "not 1 or 2", "not (1 and 2)"] if of is mixed else ["1 and 2", "2 or 1"]
        ),
        st.lists(capped, max_size=2),
    )


def offered(name, worth, gift, rules, campaign, category, hierarchy):
    has_gift = gift is not None
    return code(
        name,
        category,
        hierarchy,
        key=name,
        campaign_key=campaign,
        discount=None if has_gift else parse_discount(worth),
        gift=GiftCredits(*gift) if has_gift else None,
        rules=tuple(rules),
        one_customer_by=TOGETHER.get(campaign, ()),
    )


def stacks(of=mixed, categories=CATEGORIES):
    def named(number):
        return st.builds(
            offered,
            st.just("ABCDE"[number]),
            discounts(),
            st.none() | st.tuples(st.integers(1, 10**6), st.none() | st.integers(0, 10**6)),
            st.lists(guards(of), max_size=2),
            st.sampled_from(["campaign", "other", None]),
            categories,
            st.integers(0, 3),
        )

    return st.integers(1, 5).flatmap(lambda count: st.tuples(*map(named, range(count))))


stacking_rules = st.builds(
    StackingRules,
    applicable_redeemables_limit=st.integers(1, 5),
    applicable_redeemables_per_category_limit=st.none() | st.integers(1, 3),
    applicable_exclusive_redeemables_limit=st.integers(1, 3),
    exclusive_categories=st.just(("EX", "EX2")),
    joint_categories=st.just(("JO",)),
    discount_calculation_mode=st.sampled_from(["DISCOUNTED_AMOUNT", "INITIAL_AMOUNT"]),
    redeemables_application_mode=st.sampled_from(["ALL", "PARTIAL"]),
    redeemables_sorting_rule=st.sampled_from(["REQUESTED_ORDER", "CATEGORY_HIERARCHY"]),
    redeemables_products_application_mode=st.sampled_from(["STACK", "ONCE"]),
    redeemables_no_effect_rule=st.sampled_from(["REDEEM_ANYWAY", "SKIP"]),
    grouped_redeemables_sorting_rule=st.sampled_from(["JOINT_ALWAYS_LAST", "SORTING_RULE"]),
)
GOODS = goods(a="3.00", b="0.00", c="7.50")


def case_of(offers, order, stacking, standing):
    """Return a case whose counters stand at the numbers given, one after the other."""
    counters = dict.fromkeys(counter for offer in offers for counter in offer.counters(order))
    used = {counter: standing[number % len(standing)] for number, counter in enumerate(counters)}
    facts = Facts(MOMENT, customer=ANN, identities=KNOWN, used=used, goods=GOODS)
    return Case(offers, order, facts, stacking)


STANDING = st.lists(st.integers(0, 50) | st.integers(0, 10**6), min_size=1, max_size=8)
cases = st.builds(case_of, stacks(), st.none() | orders | odd_orders, stacking_rules, STANDING)


@MANY
@given(case=cases)
def test_amounts_add_up_and_none_is_negative(case):
    decision = decide(case)

    for order in [one.after for one in decision.applicable if one.after is not None]:
        assert order.total == order.amount - order.discount - sum(item.discount for item in order.items)
        assert order.total >= min(0, case.order.total)
        assert order.discount >= 0
        for item in order.items:
            assert 0 <= item.discount <= item.amount
            assert item.subtotal == item.amount - item.discount
            assert 0 <= item.free_quantity <= item.discount_quantity <= item.quantity


@MANY
@given(case=cases)
def test_each_takes_of_what_those_before_have_left_and_no_more(case):
    decision = decide(case)

    running = case.order
    for one in decision.applicable:
        assert one.before == running
        running = one.after
        if one.before is None:
            continue
        added = one.after.amount - one.before.amount
        assert 0 <= one.saving <= max(0, one.before.total) + added
        assert one.credits <= max(0, one.before.total)
        assert one.offer.gift is None or one.credits <= one.offer.gift.balance
    assert decision.order == running


@MANY
@given(case=cases)
def test_every_offer_has_one_outcome_and_the_same_each_time(case):
    decision = decide(case)

    assert sorted(outcome.offer.id for outcome in decision.outcomes) == [offer.id for offer in case.offers]
    assert decide(case) == decision


@MANY
@given(case=cases)
def test_the_hierarchy_decides_the_order_and_equals_stay_as_asked(case):
    stacking = replace(
        case.stacking,
        redeemables_sorting_rule="CATEGORY_HIERARCHY",
        grouped_redeemables_sorting_rule="SORTING_RULE",
    )

    outcomes = decide(replace(case, stacking=stacking)).outcomes

    ranks = [
        (offer.category is None, offer.category.hierarchy if offer.category else 0, offer.id)
        for offer in (outcome.offer for outcome in outcomes)
    ]
    assert ranks == sorted(ranks)


@MANY
@given(case=cases)
def test_exclusive_and_common_ones_never_meet_and_limits_hold(case):
    rules, applied = case.stacking, [one.offer for one in decide(case).applicable]

    kinds = [rules.type_of(offer.category.id) if offer.category else None for offer in applied]
    categories = [offer.category.id for offer in applied if offer.category]
    assert not {"EXCLUSIVE", None} <= set(kinds)
    assert kinds.count("EXCLUSIVE") <= rules.applicable_exclusive_redeemables_limit
    assert len(applied) <= rules.applicable_redeemables_limit
    most = rules.applicable_redeemables_per_category_limit
    assert most is None or all(categories.count(one) <= most for one in categories)


@MANY
@given(case=cases, category=CATEGORIES, hierarchy=st.integers(0, 3), at=st.integers(0, 5))
def test_one_that_does_not_apply_changes_nothing_for_the_others(case, category, hierarchy, at):
    case = replace(case, stacking=replace(case.stacking, redeemables_application_mode="PARTIAL"))
    unusable = code("Z", category, hierarchy, missing=Refusal("not_found"))

    more = decide(replace(case, offers=(*case.offers[:at], unusable, *case.offers[at:])))

    alone = decide(case)
    assert [one for one in more.outcomes if one.offer.id != "Z"] == list(alone.outcomes)
    assert (more.order, more.claims, more.counted) == (alone.order, alone.claims, alone.counted)


@MANY
@given(case=cases)
def test_claims_are_one_for_each_counter_and_within_their_own_bounds(case):
    claims = decide(case).counted

    assert len({claim.counter for claim in claims}) == len(claims)
    for claim in claims:
        counted = case.facts.used.get(claim.counter, 0) + claim.amount

        assert claim.amount >= 0
        assert claim.low is None or claim.low <= counted
        assert claim.high is None or counted <= claim.high


def within(draw, claim, standing):
    """Return a standing at which the claim's sum still lies between its bounds."""
    low = max(0, (claim.low or 0) - claim.amount)
    high = max(standing, low) + 10**4 if claim.high is None else claim.high - claim.amount
    return draw(st.integers(low, max(low, high)) | st.just(low) | st.just(high))


@MANY
@given(
    data=st.data(),
    offers=stacks(wide, st.none()),
    order=orders,
    standing=st.lists(st.integers(0, 20), min_size=1, max_size=4),
)
def test_within_the_bounds_of_its_claims_a_decision_stays_the_same(data, offers, order, standing):
    case = case_of(offers, order, StackingRules(), standing)
    decision = decide(case)
    assume(decision.is_valid)  # what is refused claims nothing

    moved = {
        claim.counter: within(data.draw, claim, case.facts.used.get(claim.counter, 0))
        for claim in decision.counted
    }
    again = decide(replace(case, facts=replace(case.facts, used={**case.facts.used, **moved})))

    assert outcome_of(again) == outcome_of(decision)


def outcome_of(decision):
    """Return what becomes of the cart, and what is counted for it."""
    amounts = {claim.counter: claim.amount for claim in decision.counted}
    return decision.order, [(one.offer.id, one.credits, one.after) for one in decision.applicable], amounts


@MANY
@given(case=cases)
def test_a_trace_looks_at_more_and_decides_the_same(case):
    traced = decide(replace(case, facts=replace(case.facts, is_traced=True)))

    plain = decide(case)
    assert [type(one) for one in traced.outcomes] == [type(one) for one in plain.outcomes]
    assert (traced.order, traced.claims) == (plain.order, plain.claims)
    for more, less in zip(traced.outcomes, plain.outcomes, strict=True):
        if isinstance(more, Applicable):
            assert set(less_of(less)) <= set(less_of(more))


def less_of(outcome: Applicable):
    return [finding.node.path for finding in outcome.findings]
