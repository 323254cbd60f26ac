"""How many bundles a cart holds; slots as people write them: `2 laptop, 1 [bags], 1 mug/red`."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promoengine.engine.bundles import Bundle, InvalidBundle, Slot, Wanted, parse_bundle_rules
from promoengine.engine.order import Item, Order
from tests.engine.cart import cart


def rule(names, quantity):
    wanted = []
    for name in names.split("|"):
        kind = "products_collection" if name.startswith("[") else "sku" if "/" in name else "product"
        wanted.append(
            {
                "id": name.strip("[]").split("/")[-1],
                "type": "products_collection" if kind == "products_collection" else "product_or_sku",
                "object": kind,
            }
        )
    quantities = {"name": "order.items.aggregated_quantity", "conditions": {"$is": [quantity]}, "rules": {}}
    return {
        "name": "order.items.any",
        "conditions": {"$is": wanted},
        "rules": {"1": quantities, "logic": "1"},
    }


def bundle(text, limit=1):
    slots = [part.split(" ", 1) for part in text.split(", ")]
    rules = {str(number): rule(names, int(count)) for number, (count, names) in enumerate(slots, 1)}
    return parse_bundle_rules(rules | {"limit": limit})


# slots, limit, cart, bundles
@pytest.mark.parametrize(
    ("slots", "limit", "lines", "quantity"),
    [
        ("1 laptop, 1 bag", 5, "1 laptop @ 9.00, 1 bag @ 1.00", 1),
        ("1 laptop, 1 bag", 5, "3 laptop @ 9.00, 2 bag @ 1.00", 2),
        ("1 laptop, 1 bag", 1, "3 laptop @ 9.00, 2 bag @ 1.00", 1),
        ("1 laptop, 1 bag", 5, "3 laptop @ 9.00", 0),
        ("2 crisps", 5, "5 crisps @ 1.00", 2),
        ("2 crisps", 5, "1 crisps @ 1.00, 1 crisps @ 1.00", 1),
        ("1 [tea], 1 mint", 5, "1 mint [tea] @ 1.00", 0),
        ("1 [tea], 1 mint", 5, "2 mint [tea] @ 1.00", 1),
        ("1 [tea], 1 mint", 5, "1 mint [tea] @ 1.00, 1 lime [tea] @ 1.00", 1),
        ("1 shirt, 1 shirt/red", 5, "1 shirt/red @ 1.00, 1 shirt/blue @ 1.00", 1),
        ("1 shirt, 1 shirt/red", 5, "2 shirt/blue @ 1.00", 0),
        ("1 shirt", 5, "2 shirt/red @ 1.00", 2),
        ("1 mint|lime", 5, "1 mint @ 1.00, 1 lime @ 1.00", 2),
        ("1 [x], 1 [y]", 5, "1 both [x y] @ 1.00, 1 only [x] @ 1.00", 1),
        ("1 [y], 1 [x]", 5, "1 both [x y] @ 1.00, 1 only [y] @ 1.00", 1),
        ("2 [pc_a11pr0dUc75]", 5, "3 any @ 1.00, 1 other @ 1.00", 2),
        ("1 laptop", 5, "", 0),
    ],
)
def test_an_order_holds_so_many_bundles(slots, limit, lines, quantity):
    assert bundle(slots, limit).identify(cart(lines)).quantity == quantity


def test_what_was_found_is_shown():
    found = bundle("5 coffee, 1 [cups]", 3).identify(cart("9 coffee @ 4.00, 2 mug [cups] @ 3.00"))

    assert found.to_wire() == {
        "quantity": 1,
        "limit": 3,
        "identified": [
            {"id": "coffee", "object": "product", "item_index": 0, "item_quantity": 5},
            {"id": "mug", "object": "product", "item_index": 1, "item_quantity": 1},
        ],
    }


def test_what_is_missing_is_shown():
    found = bundle("2 bottle, 4 [adventure]").identify(cart("1 bottle @ 24.99, 1 shirt [adventure] @ 19.99"))

    assert found.to_wire() == {
        "quantity": 0,
        "limit": 1,
        "identified": [
            {"id": "bottle", "object": "product", "item_index": 0, "item_quantity": 1},
            {"id": "shirt", "object": "product", "item_index": 1, "item_quantity": 1},
        ],
        "missing": [
            {"id": "bottle", "object": "product", "item_quantity": 1},
            {"id": "adventure", "object": "products_collection", "item_quantity": 3},
        ],
    }


def test_an_sku_is_shown_as_one():
    found = bundle("1 shirt").identify(cart("1 shirt/red @ 9.00"))

    assert found.identified == ({"id": "red", "object": "sku", "item_index": 0, "item_quantity": 1},)


def test_units_are_counted_by_line():
    assert bundle("1 shirt, 1 cap", 2).identify(cart("2 shirt @ 9.00, 3 cap @ 1.00")).units == {0: 2, 1: 2}


@pytest.mark.parametrize("rules", [None, {}, {"limit": 3}])
def test_no_rules_are_no_bundle(rules):
    assert parse_bundle_rules(rules) is None


GOOD = rule("a", 1)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ([1], " should be object"),
        ({"1": GOOD, "limit": 0}, ".limit should be at least 1"),
        ({"1": GOOD, "limit": 101}, ".limit should be at most 100"),
        ({"1": 7}, ".1 should be object"),
        ({"1": GOOD | {"name": "order.amount"}}, ".1.name should be order.items.any"),
        ({"1": {"name": "order.items.any"}}, ".1 must have required property 'conditions'"),
        ({"1": GOOD | {"conditions": {"$in": []}}}, ".1.conditions should have $is alone"),
        ({"1": GOOD | {"conditions": {"$is": []}}}, ".1.conditions.$is should name"),
        ({"1": GOOD | {"conditions": {"$is": [{"object": "sku"}]}}}, ".1.conditions.$is[0] must have"),
        ({"1": GOOD | {"conditions": {"$is": [{"id": "a", "object": "x"}]}}}, ".1.conditions.$is[0].object"),
        ({"1": GOOD | {"rules": {"1": {"name": "x"}}}}, ".1.rules.1.name should be"),
        ({"1": rule("a", 0)}, ".1.rules.1.conditions.$is should be at least 1"),
    ],
)
def test_what_cannot_be_meant_is_named(rules, problem):
    with pytest.raises(InvalidBundle) as refused:
        parse_bundle_rules(rules)

    assert problem in str(refused.value)


names = st.sampled_from("abcd")
slots = st.lists(
    st.builds(
        lambda ids, quantity: Slot(tuple(Wanted("products_collection", id_) for id_ in ids), quantity),
        st.lists(names, min_size=1, max_size=2, unique=True),
        st.integers(1, 2),
    ),
    min_size=1,
    max_size=3,
)
orders = st.lists(st.tuples(st.integers(0, 3), st.frozensets(names, max_size=3)), max_size=4).map(
    lambda lines: Order(0, tuple(Item(0, quantity, collections=held) for quantity, held in lines))
)


def most_bundles(slots, order, limit):
    """Count bundles by trying every way to hand out the units."""
    units = [item for item in order.items for _ in range(item.quantity)]
    needs = tuple(slot.quantity for slot in slots)
    reached = {(0,) * len(slots)}
    for unit in units:
        fits = [index for index, slot in enumerate(slots) if slot.matches(unit)]
        reached |= {
            tuple(count + (index == slot) for index, count in enumerate(state))
            for state, slot in itertools.product(reached, fits)
        }
    return max(
        min(limit, *(count // need for count, need in zip(state, needs, strict=True))) for state in reached
    )


@settings(max_examples=1000, deadline=None)
@given(slots=slots, order=orders, limit=st.integers(1, 4))
def test_no_way_to_hand_out_the_units_makes_more_bundles(slots, order, limit):
    found = Bundle(tuple(slots), limit).identify(order)

    assert found.quantity == most_bundles(slots, order, limit)


@settings(max_examples=1000, deadline=None)
@given(slots=slots, order=orders, limit=st.integers(1, 4))
def test_a_unit_serves_once(slots, order, limit):
    found = Bundle(tuple(slots), limit).identify(order)

    needed = sum(slot.quantity for slot in slots) * max(found.quantity, 1)
    assert all(units <= order.items[index].quantity for index, units in found.units.items())
    assert sum(found.units.values()) + sum(part["item_quantity"] for part in found.missing) == needed
