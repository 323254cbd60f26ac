"""The index of offers: it leaves out what a cart can't qualify for, and never what it can."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoengine.engine.decide import Case, decide
from promoengine.engine.facts import Customer, Facts
from promoengine.engine.index import OfferIndex, requirement_of
from promoengine.engine.rules import parse_rule
from tests.engine.cart import cart
from tests.engine.offered import MOMENT, code

CART = "2 hat [winter] @ 5.00, 1 shoe/red [winter sale] @ 10.00"
HAT = {"name": "order.items.any", "conditions": {"$is": ["hat"]}}
CAP = {"name": "product.id", "conditions": {"$in": ["cap", {"id": "prod_c", "source_id": "beanie"}]}}
VIP = {"name": "customer.segment", "conditions": {"$is": ["seg_vip"]}}
BIG = {"name": "order.amount", "conditions": {"$more_than": [5000]}}


def guarded(name="A", **rules):
    logic = {"logic": rules.pop("logic")} if "logic" in rules else {}
    numbered = {key.strip("_"): one for key, one in rules.items()}
    return code(name, rules=(parse_rule({"rules": numbered | logic}),))


@pytest.mark.parametrize(
    ("rules", "is_candidate"),
    [
        ({}, True),
        ({"_1": HAT}, True),
        ({"_1": CAP}, False),
        ({"_1": {**CAP, "conditions": {"$is": ["winter"]}}}, True),
        ({"_1": {**CAP, "name": "sku.id", "conditions": {"$is": ["red"]}}}, True),
        ({"_1": {**CAP, "name": "order.items.every"}}, False),
        ({"_1": {**CAP, "name": "order.items.none"}}, True),
        ({"_1": {**CAP, "conditions": {"$is_not": ["hat"]}}}, True),  # it is not judged by this
        ({"_1": {**CAP, "conditions": {"$is": ["pc_a11pr0dUc75"]}}}, True),
        ({"_1": {**CAP, "unknown": True}}, True),
        ({"_1": CAP, "_2": BIG}, False),
        ({"_1": HAT, "_2": CAP, "logic": "1 or 2"}, True),
        ({"_1": CAP, "logic": "not 1"}, True),
        ({"_1": CAP, "_2": BIG, "logic": "(1 or 2) and 1"}, False),
        ({"_1": VIP}, False),
        ({"_1": {**VIP, "conditions": {"$is": ["seg_new"]}}}, True),
        ({"_1": {**VIP, "conditions": {"$in": [{"id": "seg_new"}, "seg_vip"]}}}, True),
        ({"_1": {**VIP, "conditions": {"$is": ["7"]}}}, True),
        ({"_1": {**VIP, "conditions": {"$is_not": ["seg_vip"]}}}, True),
        ({"_1": BIG}, False),
        ({"_1": {**BIG, "conditions": {"$more_than_or_equal": [2000]}}}, True),
        ({"_1": {**BIG, "conditions": {"$more_than_equal": [2001]}}}, False),
        ({"_1": {**BIG, "conditions": {"$less_than": [1]}}}, True),
        ({"_1": {**BIG, "name": "order.initial_amount"}}, True),
    ],
)
def test_what_a_cart_cannot_qualify_for_is_left_out(rules, is_candidate):
    index = OfferIndex([guarded(**rules)])
    ann = Customer("ann", segments=frozenset({"seg_new", "7.0"}))

    assert bool(list(index.candidates(cart(CART), ann))) is is_candidate


def test_without_order_and_customer_only_those_that_ask_for_neither_are_left():
    offers = [guarded("A", _1=HAT), guarded("B", _1=VIP), guarded("C", _1=BIG), guarded("D")]

    assert [offer.id for offer in OfferIndex(offers).candidates(None, None)] == ["D"]


def test_candidates_keep_the_order_of_the_offers_and_come_once():
    winter = {"name": "order.items.any", "conditions": {"$in": ["hat", "shoe", "winter"]}}
    offers = [guarded("A", _1=winter), guarded("B"), guarded("C", _1=HAT), guarded("D", _1=CAP)]

    assert [offer.id for offer in OfferIndex(offers).candidates(cart(CART), None)] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("ignored", "names"),
    [(lambda name: name.startswith("customer."), "BD"), (lambda name: name.startswith("order."), "ACD")],
)
def test_what_is_ignored_leaves_nothing_out(ignored, names):
    offers = [guarded("A", _1=CAP), guarded("B", _1=VIP), guarded("C", _1=BIG), guarded("D")]

    assert [offer.id for offer in OfferIndex(offers).candidates(cart(CART), None, ignored)] == list(names)


def test_of_several_rules_all_are_required():
    rules = [parse_rule({"rules": {"1": one}}) for one in (BIG, VIP, CAP)]

    needed = requirement_of(rules)

    assert (needed.items, needed.segments, needed.amount) == ({"cap", "prod_c", "beanie"}, {"seg_vip"}, 5000)


def test_of_many_promotions_few_are_left():
    offers = [
        guarded(str(number), _1={"name": "order.items.any", "conditions": {"$is": [f"product{number}"]}})
        for number in range(2_000)
    ]

    found = OfferIndex(offers).candidates(cart("1 product7 @ 5.00, 1 product99 @ 5.00"), None)

    assert [offer.id for offer in found] == ["7", "99"]


NAMES = st.sampled_from(["hat", "cap", "shoe", "red", "winter", "pc_a11pr0dUc75"])
SEGMENTS = st.sampled_from(["seg_vip", "seg_new", "7", "7.0", "2026-01-01", {"id": "seg_new"}])
ITEM_OPERATORS = st.sampled_from(["$is", "$in", "$is_not", "$not_in", "$from"])
VALUE_OPERATORS = st.sampled_from(["$is", "$in", "$is_not", "$not_in"])
BOUNDS = st.sampled_from(["$more_than", "$more_than_or_equal", "$less_than", "$is", "$more_than_equal"])
AMOUNTS = st.sampled_from([0, 500, "1000", 1500.5, 2500])


def conditions(names, operators, values, **more):
    return st.fixed_dictionaries(
        {
            "name": st.sampled_from(names),
            "conditions": st.dictionaries(operators, values, max_size=2),
            "unknown": st.booleans(),
        },
        **more,
    )


ON_ITEMS = ("order.items.any", "order.items.every", "order.items.none", "product.id", "sku.id")
condition = st.one_of(
    conditions(ON_ITEMS, ITEM_OPERATORS, st.lists(NAMES, min_size=1, max_size=2)),
    conditions(["customer.segment"], VALUE_OPERATORS, st.lists(SEGMENTS, min_size=1, max_size=2)),
    conditions(["order.amount", "order.initial_amount"], BOUNDS, st.lists(AMOUNTS, min_size=1, max_size=1)),
)
logics = st.recursive(
    st.sampled_from("123"),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not {one}"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
    ),
    max_leaves=5,
)
rules = st.builds(
    lambda nodes, logic: parse_rule({"rules": {**dict(zip("123", nodes, strict=True)), "logic": logic}}),
    st.lists(condition, min_size=3, max_size=3),
    logics,
)
carts = st.none() | st.lists(
    st.sampled_from(["1 hat [winter] @ 5.00", "2 cap @ 5.00", "1 shoe/red @ 10.00", "1 shoe @ 0.00"]),
    max_size=3,
).map(lambda lines: cart(", ".join(lines)))
customers = st.none() | st.builds(
    Customer,
    segments=st.frozensets(st.sampled_from(["seg_vip", "seg_new", "7", "2026-01-01"]), max_size=2),
)
ignoring = st.sampled_from(
    [
        None,
        *(
            lambda name, room=room: name.startswith(room)
            for room in ("customer.", "order.", "order.initial", "product.")
        ),
    ]
)


@settings(max_examples=1000)
@given(
    guards=st.lists(st.lists(rules, max_size=2), min_size=1, max_size=4),
    order=carts,
    customer=customers,
    ignored=ignoring,
)
def test_the_index_never_hides_what_applies(guards, order, customer, ignored):
    offers = [code(str(rank), rules=tuple(guard)) for rank, guard in enumerate(guards)]
    facts = Facts(MOMENT, customer=customer, ignored=ignored)

    found = OfferIndex(offers).candidates(order, customer, ignored or (lambda name: False))

    applicable = {offer.id for offer in offers if decide(Case((offer,), order, facts)).is_valid}
    assert applicable <= {offer.id for offer in found}
