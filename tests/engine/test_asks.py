"""What users of other engines ask for or complain about; the number in a name is that of the complaint."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoengine.engine.discounts import parse_discount
from promoengine.engine.facts import Customer
from promoengine.engine.index import OfferIndex
from promoengine.engine.limits import Counter
from promoengine.engine.offers import Usage
from promoengine.engine.operators import UNKNOWN, Moment
from promoengine.engine.order import Item, Order
from promoengine.engine.rules import parse_rule
from promoengine.engine.timeframes import parse_validity
from tests.engine.cart import cart
from tests.engine.offered import CAMPAIGN, KEY, NOW, amount, code, decided, percent, rule

ANN, GUEST = Customer("ann"), None
PARTIAL = {"redeemables_application_mode": "PARTIAL"}
PER_CUSTOMER = rule("redemption.count.per_customer", {"$less_than_or_equal": [1]})
BUDGET = rule("campaign.orders.amount_discounted", {"$less_than_or_equal": [5000]})
WARSAW = ZoneInfo("Europe/Warsaw")


def keys_of(decision):
    return [one.refusal.key for one in decision.inapplicable]


def counter(measure="count", owner=CAMPAIGN, window="ever", subject=""):
    return Counter(owner, measure, window, subject)


@pytest.mark.parametrize(("spent", "is_valid"), [(4900, True), (4901, False), (5000, False)])
def test_ask_2_a_budget_refuses_what_would_pass_it(spent, is_valid):
    decision = decided(code(rules=(BUDGET,)), used={counter("discount_amount"): spent})

    assert decision.is_valid is is_valid


def test_ask_2_two_codes_of_a_campaign_in_one_cart_share_its_budget():
    codes = [code(name, key=name, discount=amount(3000), rules=(BUDGET,)) for name in "AB"]

    decision = decided(*codes, stacking=PARTIAL)

    assert ([one.offer.id for one in decision.applicable], keys_of(decision)) == (
        ["A"],
        ["redemption_rules_violated"],
    )


def test_ask_2_the_claim_carries_the_budget_to_the_database():
    [claim] = decided(code(rules=(BUDGET,)), used={counter("discount_amount"): 700}).counted

    assert (claim.amount, claim.low, claim.high) == (100, None, 5000)


def test_ask_3_a_code_without_any_limit_claims_no_counter():
    assert decided(code()).counted == ()


def test_ask_5_deciding_uses_nothing_up():
    offer = code(usage=Usage(quantity=1), rules=(PER_CUSTOMER,))

    assert [decided(offer, customer=ANN).is_valid for _ in range(3)] == [True, True, True]


@pytest.mark.parametrize(
    ("used", "reserved", "key"), [(0, 0, None), (0, 1, "quantity_exceeded"), (1, 0, "quantity_exceeded")]
)
def test_ask_8_what_others_hold_counts_as_used(used, reserved, key):
    decision = decided(code(usage=Usage(quantity=1, used=used, reserved=reserved)))

    assert keys_of(decision) == ([key] if key else [])


ALL_LIMITS = tuple(
    rule(name, {"$less_than_or_equal": [most]})
    for name, most in [
        ("redemption.count.daily", 3),
        ("campaign.redemptions.count", 100),
        ("campaign.redemptions.customers_count.weekly", 2),
        ("redemption.count.per_customer.monthly", 5),
        ("campaign.orders.amount", 100_000),
    ]
)


@pytest.mark.parametrize(
    ("used_up", "is_valid"),
    [
        ({}, True),
        ({counter(owner=KEY, window="day"): 3}, False),
        ({counter(): 100}, False),
        ({counter(window="week", subject="customer"): 2}, False),
        ({counter(owner=KEY, window="month", subject="customer"): 5}, False),
        ({counter("orders_amount"): 90_001}, False),
        ({counter("orders_amount"): 90_000, counter(): 99}, True),
    ],
)
def test_ask_11_limits_of_all_kinds_combine(used_up, is_valid):
    assert decided(code(rules=ALL_LIMITS), customer=ANN, used=used_up).is_valid is is_valid


def test_ask_11_a_limit_for_a_segment():
    guard = parse_rule(
        {
            "rules": {
                "1": {"name": "customer.segment", "conditions": {"$is_not": ["seg_new"]}},
                "2": {"name": "redemption.count.per_customer", "conditions": {"$less_than_or_equal": [1]}},
                "logic": "1 or 2",
            }
        }
    )
    new = Customer("ann", segments=frozenset({"seg_new"}))
    used = {counter(owner=KEY, subject="customer"): 1}

    valid = [decided(code(rules=(guard,)), customer=who, used=used).is_valid for who in (ANN, new)]

    assert valid == [True, False]


def test_ask_12_a_limit_per_customer_asks_guests_who_they_are():
    assert keys_of(decided(code(rules=(PER_CUSTOMER,)), customer=GUEST)) == ["missing_customer"]


def test_ask_12_a_rule_may_let_guests_through():
    guard = rule("redemption.count.per_customer", {"$less_than_or_equal": [1]}, unknown=True)

    assert decided(code(rules=(guard,)), customer=GUEST).is_valid


def test_ask_13_a_cart_without_an_email_is_not_applicable_and_nothing_worse():
    guard = rule("customer.email", {"$ends_with": ["@shop.example"]})

    [refused] = decided(code(rules=(guard,)), customer=ANN).inapplicable

    assert (refused.refusal.key, refused.reasons[0].truth) == ("customer_rules_violated", UNKNOWN)


def test_ask_13_what_is_unknown_does_not_hold_by_its_opposite_either():
    guard = parse_rule(
        {
            "rules": {
                "1": {"name": "customer.email", "conditions": {"$ends_with": ["@shop.example"]}},
                "logic": "not 1",
            }
        }
    )

    assert not decided(code(rules=(guard,)), customer=ANN).is_valid


def test_ask_14_one_customers_limit_is_not_the_codes():
    used = {counter(owner=KEY, subject="customer"): 1}
    offer = code(usage=Usage(quantity=500, used=1), rules=(PER_CUSTOMER,))

    assert keys_of(decided(offer, customer=ANN, used=used)) == ["redemption_rules_violated"]


@pytest.mark.parametrize("lines", [1, 2, 50])
def test_ask_15_an_order_of_many_lines_counts_once(lines):
    guard = rule("campaign.redemptions.count", {"$less_than": [500]})
    order = Order(100 * lines, (Item(100),) * lines)

    assert [claim.amount for claim in decided(code(rules=(guard,)), order=order).counted] == [1]


carts = st.lists(
    st.builds(
        lambda price, units: Item(price * units, units, price), st.integers(0, 10**5), st.integers(1, 9)
    ),
    min_size=1,
    max_size=8,
).map(lambda items: Order(sum(item.amount for item in items), tuple(items)))
offs = st.lists(
    st.tuples(
        st.integers(0, 10000).map(lambda hundredths: hundredths / 100),
        st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300)
@given(order=carts, offs=offs)
def test_ask_26_no_cent_is_lost_between_the_lines_and_the_order(order, offs):
    decision = decided(*(code(discount=percent(off, effect=effect)) for off, effect in offs), order=order)

    after = decision.order
    assert after.total == sum(item.subtotal for item in after.items) - after.discount
    assert sum(one.saving for one in decision.applicable) == order.total - after.total
    assert after.total >= 0


@pytest.mark.parametrize("effect", ["APPLY_TO_ORDER", "APPLY_TO_ITEMS"])
@pytest.mark.parametrize("before", [0, 1, 333, 9999])
def test_ask_26_a_hundred_percent_leaves_nothing(effect, before):
    offers = [code("A", discount=amount(before)), code("B", discount=percent(100, effect=effect))]

    assert decided(*offers, order="3 hat @ 3.33, 7 cap @ 0.01, 1 shoe @ 99.99").order.total == 0


def test_ask_27_order_of_codes_is_deterministic():
    offers = [
        code("A", "X", 1, discount=percent(10)),
        code("B", "Y", 2, discount=amount(1000)),
        code("C", "Z", 3, discount=percent(50)),
    ]
    rules = {"redeemables_sorting_rule": "CATEGORY_HIERARCHY"}

    decisions = [decided(*typed, stacking=rules) for typed in permutations(offers)]

    assert {decision.order.total for decision in decisions} == {4000}
    assert {tuple(one.offer.id for one in decision.applicable) for decision in decisions} == {("A", "B", "C")}


@pytest.mark.parametrize("typed", list(permutations("AEJ")), ids="".join)
def test_ask_27_an_exclusive_code_is_exclusive_in_whatever_order_they_are_typed(typed):
    rules = {"exclusive_categories": ("EX",), "joint_categories": ("JO",)}
    offers = {"A": code("A"), "E": code("E", "EX"), "J": code("J", "JO")}

    decision = decided(*(offers[name] for name in typed), stacking=rules)

    assert [one.offer.id for one in decision.applicable] == ["E", "J"]
    assert [(one.offer.id, one.rival.id) for one in decision.skipped] == [("A", "E")]


def test_ask_27_the_answer_shows_in_which_order_each_took_what():
    offers = [code("A", discount=percent(10)), code("B", discount=amount(1000))]

    decision = decided(*offers)

    assert [(one.offer.id, one.before.total, one.saving, one.after.total) for one in decision.applicable] == [
        ("A", 10000, 1000, 9000),
        ("B", 9000, 1000, 8000),
    ]


def test_ask_29_of_a_thousand_promotions_a_cart_meets_only_its_own():
    guards = [rule("order.items.any", {"$is": [f"product{number}"]}) for number in range(1000)]
    index = OfferIndex([code(str(number), rules=(guard,)) for number, guard in enumerate(guards)])

    lines = ", ".join(f"1 product{number} @ 5.00" for number in range(100))

    assert len(list(index.candidates(cart(lines), None))) == 100


# Every second unit is free, the most expensive of each pair being paid.
EVERY_SECOND = {"effect": "APPLY_FROM_MOST_EXPENSIVE", "target": "UNIT", "skip_initially": 1, "repeat": 2}


def second_free(*ids, **caps):
    entries = [{"object": "product", "id": one, **EVERY_SECOND, **caps} for one in ids]
    guard = parse_rule({"applicable_to": {"included": entries}})
    return code(discount=percent(100, effect="APPLY_TO_ITEMS"), rules=(guard,))


@pytest.mark.parametrize(
    ("lines", "caps", "saved"),
    [
        ("1 hat @ 5.00", {}, 0),
        ("2 hat @ 5.00", {}, 500),
        ("3 hat @ 5.00", {}, 500),
        ("1 hat @ 5.00, 1 hat @ 5.00", {}, 500),
        ("7 hat @ 5.00", {}, 1500),
        ("7 hat @ 5.00", {"aggregated_quantity_limit": 2}, 1000),
        ("1 hat @ 9.00, 1 hat @ 5.00", {}, 500),
        ("2 cap @ 5.00", {}, 0),
    ],
)
def test_ask_31_a_unit_is_bought_or_given_and_multiples_stop_at_the_cap(lines, caps, saved):
    assert decided(second_free("hat", **caps), order=lines).applicable[0].saving == saved


@settings(max_examples=300)
@given(
    data=st.data(), lines=st.lists(st.tuples(st.integers(0, 999), st.integers(1, 5)), min_size=1, max_size=5)
)
def test_ask_31_neither_the_order_of_lines_matters_nor_does_one_more_unit_cost_a_gift(data, lines):
    def saved(units):
        items = [Item(price * count, count, price, product_ids=frozenset({"hat"})) for price, count in units]
        order = Order(sum(item.amount for item in items), tuple(items))
        return decided(second_free("hat"), order=order).applicable[0].saving

    shuffled = data.draw(st.permutations(lines))
    added = data.draw(st.integers(0, 999))

    assert saved(shuffled) == saved(lines)
    assert saved([*lines, (added, 1)]) >= saved(lines)


def test_ask_31_a_gift_that_is_in_the_cart_is_not_given_twice():
    hat = parse_discount({"type": "UNIT", "unit_off": 1, "unit_type": "hat"})

    decision = decided(code(discount=hat), order="1 hat @ 5.00, 1 shoe @ 9.00")

    assert [(item.quantity, item.discount) for item in decision.order.items] == [(1, 500), (1, 0)]


def test_ask_32_what_each_line_got_off_is_kept_with_it():
    split = amount(1000, effect="APPLY_TO_ITEMS_PROPORTIONALLY")

    [applied] = decided(code(discount=split), order="1 hat @ 10.00, 2 cap @ 15.00").applicable

    assert [item.discount for item in applied.after.items] == [250, 750]


@pytest.mark.parametrize(
    ("name", "conditions", "missing", "measure"),
    [
        ("order.amount", {"$more_than_or_equal": [11240]}, Decimal(1240), "amount"),
        ("order.items.any", {"$is": ["shoe"]}, Decimal(1), "quantity"),
        ("order.items.count", {"$more_than_or_equal": [3]}, Decimal(2), "quantity"),
    ],
)
def test_ask_36_a_refusal_says_what_is_missing(name, conditions, missing, measure):
    guard = rule(name, conditions, error={"message": "Nearly there"})

    [refused] = decided(code(rules=(guard,))).inapplicable

    assert (refused.refusal.key, refused.refusal.own_message) == ("order_rules_violated", "Nearly there")
    assert [(one.missing, one.measure) for one in refused.reasons] == [(missing, measure)]


def test_ask_36_each_offer_is_applied_refused_or_left_out_with_a_reason():
    offers = [code("B", is_active=False), code("A"), code("C")]

    decision = decided(*offers, stacking=PARTIAL | {"applicable_redeemables_limit": 1})

    assert [one.offer.id for one in decision.applicable] == ["A"]
    assert [(one.offer.id, one.refusal.key) for one in decision.inapplicable] == [("B", "voucher_disabled")]
    assert [(one.offer.id, one.skip.key) for one in decision.skipped] == [
        ("C", "applicable_redeemables_limit_exceeded")
    ]


@pytest.mark.parametrize(
    ("moment", "is_valid"),
    [
        ("2026-03-28T22:59:59Z", False),  # Warsaw, 23:59:59 the day before
        ("2026-03-28T23:00:00Z", True),  # the day on which the clocks change begins
        ("2026-03-29T21:59:59Z", True),  # and ends an hour sooner
        ("2026-03-29T22:00:00Z", False),
    ],
)
def test_ask_37_a_day_begins_and_ends_in_the_shops_zone(moment, is_valid):
    sunday = parse_validity({"day_of_week": [0]})
    now = datetime.fromisoformat(moment)

    assert decided(code(validity=sunday), moment=Moment(now, WARSAW)).is_valid is is_valid


@pytest.mark.parametrize(("now", "key"), [(0, None), (1, "voucher_expired")])
def test_ask_37_it_ends_at_its_instant_and_not_before(now, key):
    end = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)

    decision = decided(
        code(validity=parse_validity(None, expires_at=end)), moment=Moment(NOW.replace(second=now), WARSAW)
    )

    assert keys_of(decision) == ([key] if key else [])


@pytest.mark.parametrize("year", [2020, 2026, 2040])
def test_ask_37_a_simulation_may_ask_at_any_moment(year):
    starting = parse_validity(None, starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    then = Moment(NOW.replace(year=year), WARSAW)

    assert decided(code(validity=starting), moment=then).is_valid is (year >= 2026)
