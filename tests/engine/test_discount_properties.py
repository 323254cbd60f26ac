"""What holds for every discount on every cart, whatever was taken off before."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from promoengine.engine.bundles import BundleFound, InvalidBundle, parse_bundle_rules
from promoengine.engine.discounts import VALUE_FIELDS, InvalidDiscount, Terms, parse_discount
from promoengine.engine.effects import EFFECTS
from promoengine.engine.order import Item, Order
from promoengine.engine.scopes import EFFECTS as WALKS
from promoengine.engine.scopes import TARGETS, InvalidScope, parse_scope
from tests.engine.cart import goods

MANY = settings(max_examples=1000, deadline=None)
ALL = sorted(EFFECTS)
NAMES = ("a", "b", "c", "unknown")
WORTH = {"PERCENT": st.decimals(0, 100, places=2).map(str), "UNIT": st.integers(0, 20)}


def lines(min_size=0):
    line = st.builds(
        lambda name, price, quantity, collections: Item(
            price * quantity, quantity, price, product_ids=frozenset({name}), collections=collections
        ),
        st.sampled_from(NAMES),
        st.integers(0, 10**6),
        st.integers(0, 50),
        st.frozensets(st.sampled_from("xy")),
    )
    return st.lists(line, min_size=min_size, max_size=10)


def order_of(items, amount=None):
    return Order(sum(item.amount for item in items) if amount is None else amount, tuple(items))


orders = lines().map(order_of)
odd_orders = st.builds(
    order_of, lines(), st.integers(0, 10**7)
)  # a given amount stays, whatever the lines say


@st.composite
def discounts(draw, pairs=ALL):
    kind, effect = draw(st.sampled_from(pairs))
    wire = {"type": kind, "effect": effect, VALUE_FIELDS[kind]: draw(WORTH.get(kind, st.integers(0, 10**7)))}
    if kind == "UNIT":
        wire["unit_type"] = draw(st.sampled_from(NAMES))
        wire["units"] = [{"unit_off": wire["unit_off"], "unit_type": wire["unit_type"]}]
    for limit in ("amount_limit", "aggregated_amount_limit"):
        if draw(st.booleans()):
            wire[limit] = draw(st.integers(0, 10**6))
    return wire


caps = st.fixed_dictionaries(
    {"effect": st.sampled_from(WALKS), "target": st.sampled_from(TARGETS)},
    optional={
        "skip_initially": st.integers(0, 5),
        "repeat": st.integers(1, 4),
        "price": st.integers(0, 10**6),
        "quantity_limit": st.integers(0, 20),
        "aggregated_quantity_limit": st.integers(0, 40),
        "amount_limit": st.integers(0, 10**6),
        "aggregated_amount_limit": st.integers(0, 10**6),
    },
)
products = st.sampled_from(NAMES).map(lambda name: {"object": "product", "id": name})
collections = st.sampled_from("xy").map(lambda name: {"object": "products_collection", "id": name})
named = st.one_of(products, collections)
scopes = st.builds(
    lambda included, excluded, others: parse_scope(
        {"included": included, "excluded": excluded, "included_all": others}
    ),
    st.lists(st.builds(lambda who, how: who | how, named, caps), max_size=3),
    st.lists(named, max_size=1),
    st.booleans(),
)


def terms_of(scope, bundles=None, **fields):
    return Terms(
        now=datetime(2026, 5, 1, tzinfo=UTC),
        zone=ZoneInfo("UTC"),
        scope=scope,
        bundle=None if bundles is None else BundleFound(bundles, 100),
        goods=goods(a="3.00", b="0.00"),
        **fields,
    )


terms = st.builds(
    terms_of,
    scopes,
    st.none() | st.integers(0, 100),
    from_initial=st.booleans(),
    once=st.booleans(),
)


@MANY
@given(
    order=orders | odd_orders,
    stack=st.lists(st.tuples(discounts(), terms), min_size=1, max_size=5),
)
def test_no_stack_of_discounts_takes_more_than_there_is(order, stack):
    for wire, under in stack:
        before = order
        applied = parse_discount(wire).apply(order, under)
        order = applied.order

        assert min(before.total, 0) <= order.total <= before.total
        assert order.total == order.amount - order.discount - sum(item.discount for item in order.items)
        assert order.discount >= before.discount
        for was, now in zip(before.items, order.items, strict=False):
            assert was.discount <= now.discount <= now.amount
            assert was.discount_quantity <= now.discount_quantity <= now.quantity
            assert now.free_quantity <= now.quantity


@MANY
@given(order=orders, wire=discounts([pair for pair in ALL if pair[0] != "UNIT"]), under=terms)
def test_a_discount_keeps_to_its_limits(order, wire, under):
    after = parse_discount(wire).apply(order, under).order

    parts = [item.discount for item in after.items]
    assert after.total_discount == sum(parts) + after.discount
    assert after.total_discount <= wire.get("aggregated_amount_limit", after.total_discount)
    assert all(part <= wire.get("amount_limit", part) for part in (*parts, after.discount))


@MANY
@given(order=orders, wire=discounts([("AMOUNT", "APPLY_TO_ORDER")]), bundles=st.integers(0, 100))
def test_an_amount_off_the_order_is_never_more_than_it_says(order, wire, bundles):
    after = parse_discount(wire).apply(order, terms_of(parse_scope(None), bundles)).order

    assert after.discount <= wire["amount_off"] * bundles


ON_ITEMS = [pair for pair in ALL if pair[0] != "UNIT" and pair[1] != "APPLY_TO_ORDER"]


@MANY
@given(order=orders, wire=discounts(ON_ITEMS), scope=scopes)
def test_lines_that_are_not_named_stay_as_they_are(order, wire, scope):
    after = parse_discount(wire).apply(order, terms_of(scope)).order

    for was, now in zip(order.items, after.items, strict=True):
        is_named = scope.included_index.position(was) is not None or scope.reaches_others
        if scope.excludes(was) or not is_named:
            assert now is was


@MANY
@given(order=orders, effect=st.sampled_from(["", "_BY_QUANTITY"]), share=st.integers(0, 100))
def test_parts_sum_to_the_whole(order, effect, share):
    # No part may be cut, or the whole could not be given: so much as any unit has left.
    least = min((item.subtotal // item.quantity for item in order.items if item.quantity), default=0)
    amount = (order.total if not effect else least) * share // 100
    wire = {"type": "AMOUNT", "amount_off": amount, "effect": f"APPLY_TO_ITEMS_PROPORTIONALLY{effect}"}

    after = parse_discount(wire).apply(order).order

    assert after.items_discount == amount


@MANY
@given(
    data=st.data(),
    items=lines(),
    wire=discounts([pair for pair in ALL if pair[1] == "APPLY_TO_ORDER"]),
)
def test_the_order_of_lines_does_not_matter_to_a_discount_on_the_order(data, items, wire):
    shuffled = data.draw(st.permutations(items))
    discount = parse_discount(wire)

    assert discount.apply(order_of(shuffled)).order.total == discount.apply(order_of(items)).order.total


@MANY
@given(
    order=orders,
    effect=st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]),
    before=discounts([pair for pair in ALL if pair[0] != "UNIT"]),
    from_initial=st.booleans(),
)
def test_a_hundred_percent_leaves_nothing(order, effect, before, from_initial):
    order = parse_discount(before).apply(order).order
    under = terms_of(parse_scope(None), from_initial=from_initial)

    after = (
        parse_discount({"type": "PERCENT", "percent_off": 100, "effect": effect}).apply(order, under).order
    )

    assert after.total == 0


@MANY
@given(order=orders, count=st.integers(0, 50), effect=st.sampled_from(["ADD_NEW_ITEMS", "ADD_MISSING_ITEMS"]))
def test_free_units_cost_nothing(order, count, effect):
    wire = {"type": "UNIT", "unit_off": count, "unit_type": "a", "effect": effect}

    after = parse_discount(wire).apply(order, terms_of(parse_scope(None))).order

    units_before, units_after = (
        sum(item.quantity for item in one.items if "a" in item.product_ids) for one in (order, after)
    )
    added = count if effect == "ADD_NEW_ITEMS" else max(0, count - units_before)
    assert units_after - units_before == added
    assert sum(item.free_quantity for item in after.items) == count
    assert after.amount == sum(item.amount for item in after.items)
    if effect == "ADD_NEW_ITEMS":
        assert after.total == order.total


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoiled(draw, wire):
    """Take a good wire and put anything in place of one of its values, however deep."""
    if draw(st.booleans()) or not isinstance(wire, dict | list) or not wire:
        return draw(json)
    key = draw(st.sampled_from(sorted(wire) if isinstance(wire, dict) else range(len(wire))))
    copy = wire.copy()
    copy[key] = draw(spoiled(wire[key]))
    return copy


SCOPE = {
    "included": [{"object": "product", "id": "a", "price": 1, "repeat": 2}],
    "excluded": [],
    "included_all": False,
}
BUNDLE = {
    "limit": 3,
    "1": {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": "a", "object": "product"}]},
        "rules": {"1": {"name": "order.items.aggregated_quantity", "conditions": {"$is": [2]}}, "logic": "1"},
    },
}
UNITS = {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": [{"unit_off": 1, "unit_type": "a"}]}
AMOUNT = {"type": "AMOUNT", "amount_off": 1, "amount_off_formula": "1 + 1", "effect": "APPLY_TO_ITEMS"}


@MANY
@given(wire=spoiled(UNITS) | spoiled(AMOUNT), scope=spoiled(SCOPE), bundle=spoiled(BUNDLE))
def test_anything_is_read_or_refused(wire, scope, bundle):
    order = order_of([Item(300, 3, 100, product_ids=frozenset({"a"}))])
    discount, under, found = parse_discount(AMOUNT), terms_of(parse_scope(SCOPE)), None
    with suppress(InvalidDiscount):
        discount = parse_discount(wire if isinstance(wire, dict) else {})
    with suppress(InvalidScope):
        under = replace(under, scope=parse_scope(scope))
    with suppress(InvalidBundle):
        found = parse_bundle_rules(bundle)
    if found is not None:
        under = replace(under, bundle=found.identify(order))

    assert 0 <= discount.apply(order, under).order.total <= 300
