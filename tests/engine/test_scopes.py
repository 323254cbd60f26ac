"""Which lines and units `applicable_to` reaches; lines are named, units counted from 1."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from promoengine.engine.discounts import Terms, parse_discount
from promoengine.engine.figures import Setting
from promoengine.engine.operands import NO_FACTS
from promoengine.engine.scopes import EVERYTHING, Bounds, InvalidScope, parse_scope
from tests.engine.cart import cart, entry

NOW, ZONE = datetime(2026, 5, 1, tzinfo=UTC), ZoneInfo("UTC")
LINES = "2 mug [home] @ 10.00, 3 shirt/red [wear] @ 20.00, 1 shirt/blue [wear] @ 15.00, 4 pen @ 1.00"


def reached(scope, order, **bounds):
    """Return the units reached of each line, in the order the scope takes them."""
    setting = Setting(order, NO_FACTS, NOW, ZONE)
    return [(one.index, list(one.numbers)) for one in scope.select(setting, Bounds(**bounds))]


def lines_reached(wire, lines=LINES):
    return [index for index, _ in reached(parse_scope(wire), cart(lines))]


@pytest.mark.parametrize(
    ("wire", "lines"),
    [
        (None, [0, 1, 2, 3]),
        ({}, [0, 1, 2, 3]),
        ({"included": [], "excluded": [], "included_all": True}, [0, 1, 2, 3]),
        ({"included": [], "excluded": [], "included_all": False}, [0, 1, 2, 3]),
        ({"included": [entry("mug")]}, [0]),
        ({"included": [entry("shirt")]}, [1, 2]),
        ({"included": [{"object": "sku", "id": "red"}]}, [1]),
        ({"included": [{"object": "sku", "id": "sku_1", "source_id": "blue"}]}, [2]),
        ({"included": [{"object": "product", "id": "red"}]}, []),
        ({"included": [entry("[wear]")]}, [1, 2]),
        ({"included": [entry("[pc_a11pr0dUc75]")]}, [0, 1, 2, 3]),
        ({"included": [entry("pen"), entry("mug")]}, [3, 0]),
        ({"included": [entry("[wear]")], "excluded": [{"object": "sku", "id": "red"}]}, [2]),
        ({"excluded": [entry("[wear]")]}, [0, 3]),
        ({"excluded": [entry("[pc_a11pr0dUc75]")]}, []),
        ({"included": [entry("pen")], "included_all": True, "excluded": [entry("mug")]}, [3, 1, 2]),
        ({"included": [entry("unknown")]}, []),
    ],
)
def test_lines_are_reached(wire, lines):
    assert lines_reached(wire) == lines


@pytest.mark.parametrize(
    ("effect", "lines"),
    [
        ("APPLY_TO_EVERY", [0, 1, 2, 3]),
        ("APPLY_TO_CHEAPEST", [3]),
        ("APPLY_FROM_CHEAPEST", [3, 0, 2, 1]),
        ("APPLY_TO_MOST_EXPENSIVE", [1]),
        ("APPLY_FROM_MOST_EXPENSIVE", [1, 2, 0, 3]),
    ],
)
def test_an_effect_says_where_to_begin(effect, lines):
    assert lines_reached({"included": [entry("[pc_a11pr0dUc75]", effect=effect)]}) == lines


def test_of_lines_that_cost_the_same_the_lesser_comes_first():
    wire = {"included": [entry("a", effect="APPLY_TO_CHEAPEST")]}

    assert lines_reached(wire, "3 a @ 5.00, 2 a @ 5.00, 2 a @ 5.00") == [1]


def test_a_line_falls_under_the_first_entry_that_names_it():
    scope = parse_scope({"included": [entry("mug", quantity_limit=1), entry("[home]")]})

    assert reached(scope, cart("2 mug [home] @ 1.00, 2 cup [home] @ 1.00")) == [(0, [1]), (1, [1, 2])]


# settings of an entry, units reached of "3 a, 4 a"
@pytest.mark.parametrize(
    ("fields", "units"),
    [
        ({}, [(0, [1, 2, 3]), (1, [1, 2, 3, 4])]),
        ({"skip_initially": 1}, [(1, [1, 2, 3, 4])]),
        ({"repeat": 2}, [(0, [1, 2, 3])]),
        ({"target": "UNIT"}, [(0, [1, 2, 3]), (1, [1, 2, 3, 4])]),
        ({"target": "UNIT", "repeat": 3}, [(0, [1]), (1, [1, 4])]),
        ({"target": "UNIT", "repeat": 3, "skip_initially": 1}, [(0, [2]), (1, [2])]),
        ({"target": "UNIT", "skip_initially": 4}, [(1, [2, 3, 4])]),
        ({"target": "UNIT", "skip_initially": 7}, []),
        ({"target": "UNIT", "repeat": 2, "quantity_limit": 1}, [(0, [1]), (1, [2])]),
        ({"target": "UNIT", "repeat": 2, "aggregated_quantity_limit": 3}, [(0, [1, 3]), (1, [2])]),
        ({"target": "UNIT", "effect": "APPLY_TO_CHEAPEST"}, [(0, [1])]),
        ({"quantity_limit": 2}, [(0, [1, 2]), (1, [1, 2])]),
        ({"aggregated_quantity_limit": 5}, [(0, [1, 2, 3]), (1, [1, 2])]),
        ({"aggregated_quantity_limit": 3}, [(0, [1, 2, 3])]),
        ({"quantity_limit": 0}, []),
    ],
)
def test_units_are_reached(fields, units):
    scope = parse_scope({"included": [entry("a", **fields)]})

    assert reached(scope, cart("3 a @ 1.00, 4 a @ 1.00")) == units


def test_more_bundles_reach_more_units():
    scope = parse_scope({"included": [entry("a", quantity_limit=2, aggregated_quantity_limit=3)]})

    assert reached(scope, cart("5 a @ 1.00, 5 a @ 1.00"), bundles=2) == [(0, [1, 2, 3, 4]), (1, [1, 2])]


def test_bounds_leave_out_other_lines_and_units():
    assert reached(EVERYTHING, cart("5 a @ 1.00, 5 b @ 1.00"), units={1: 2}) == [(1, [1, 2])]


# Limits of units in all, what counters still allow, units reached of "2 a/x, 3 a/y, 4 b"
@pytest.mark.parametrize(
    ("fields", "units_left", "units"),
    [
        ({"product_campaign_quantity_limit": 4}, {}, [2, 2]),
        (
            {"product_campaign_quantity_limit": 4},
            {"product_campaign_quantity_limit:products_collection:c": 1},
            [1],
        ),
        (
            {"product_campaign_quantity_limit": 4},
            {"product_campaign_quantity_limit:products_collection:c": -2},
            [],
        ),
        ({"product_customer_promotion_tier_quantity_limit": 6}, {}, [2, 3, 1]),
        ({"product_in_collection_campaign_quantity_limit": 3}, {}, [2, 1, 3]),
        (
            {"product_in_collection_customer_campaign_quantity_limit": 3},
            {"product_in_collection_customer_campaign_quantity_limit:products_collection:c:b": 2},
            [2, 1, 2],
        ),
        (
            {"product_campaign_quantity_limit": 4, "product_in_collection_campaign_quantity_limit": 3},
            {},
            [2, 1, 1],
        ),
        (
            {
                "product_campaign_quantity_limit": 1,
                "product_campaign_quantity_limit_formula": "ORDER_UNITS_QUANTITY - 5",
            },
            {},
            [2, 2],
        ),
    ],
)
def test_budgets_of_units_hold(fields, units_left, units):
    scope = parse_scope({"included": [entry("[c]", **fields)]})
    order = cart("2 a/x [c] @ 1.00, 3 a/y [c] @ 1.00, 4 b [c] @ 1.00")

    assert [len(numbers) for _, numbers in reached(scope, order, units_left=units_left)] == units


def test_limits_of_units_are_named_for_counters():
    scope = parse_scope(
        {
            "included": [
                entry("a", product_customer_campaign_quantity_limit=3),
                entry("[c]", product_in_collection_promotion_tier_quantity_limit=5),
            ],
            "excluded": [entry("out")],
        }
    )
    order = cart("1 a @ 1.00, 1 b [c] @ 1.00, 1 d [c] @ 1.00, 1 out [c] @ 1.00")
    discount = parse_discount({"type": "AMOUNT", "amount_off": 100})

    limits = discount.unit_limits(scope, order)

    assert [(limit.key, limit.limit.fixed, limit.per_customer, limit.of) for limit in limits] == [
        ("product_customer_campaign_quantity_limit:product:a", 3, True, "campaign"),
        (
            "product_in_collection_promotion_tier_quantity_limit:products_collection:c:b",
            5,
            False,
            "promotion_tier",
        ),
        (
            "product_in_collection_promotion_tier_quantity_limit:products_collection:c:d",
            5,
            False,
            "promotion_tier",
        ),
    ]


def test_a_discount_says_what_it_used_of_its_limits():
    scope = parse_scope({"included": [entry("[c]", product_campaign_quantity_limit=4)]})
    discount = parse_discount({"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"})

    applied = discount.apply(
        cart("3 a [c] @ 1.00, 1 free [c] @ 0.00, 3 b [c] @ 1.00"), Terms(now=NOW, zone=ZONE, scope=scope)
    )

    # The unit that costs nothing was within reach, but nothing came off it.
    assert applied.units == {"product_campaign_quantity_limit:products_collection:c": 3}


def test_a_discount_on_the_order_counts_no_units():
    scope = parse_scope({"included": [entry("[c]", product_campaign_quantity_limit=4)]})
    discount = parse_discount({"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ORDER"})

    assert discount.unit_limits(scope) == ()


def test_keys_of_counters_are_never_too_long():
    scope = parse_scope({"included": [entry("x" * 300, product_campaign_quantity_limit=4)]})

    key = scope.unit_limits()[0].key

    assert len(key) <= 255
    assert key.startswith("product_campaign_quantity_limit:")


@pytest.mark.parametrize(
    ("wire", "problem"),
    [
        ([1], " should be object"),
        ({"included": {}}, ".included should be array"),
        ({"included_all": "yes"}, ".included_all should be boolean"),
        ({"included": [7]}, ".included[0] should be object"),
        ({"included": [entry("a"), {"object": "product"}]}, ".included[1] must have required property 'id'"),
        ({"excluded": [entry("a", object="campaign")]}, ".excluded[0].object should be one of product, sku"),
        ({"included": [entry("a", effect="APPLY")]}, ".included[0].effect should be one of APPLY_TO_EVERY"),
        ({"included": [entry("a", target="LINE")]}, ".included[0].target should be one of ITEM, UNIT"),
        ({"included": [entry("a", repeat=0)]}, ".included[0].repeat should be at least 1"),
        ({"included": [entry("a", skip_initially=-1)]}, ".included[0].skip_initially should be between"),
        ({"included": [entry("a", quantity_limit=1.5)]}, ".included[0].quantity_limit should be a whole"),
        ({"included": [entry("a", amount_limit="x")]}, ".included[0].amount_limit should be number"),
        ({"included": [entry("a", price_formula="1 +")]}, ".included[0].price_formula can't be read at"),
        (
            {"included": [entry("a", product_campaign_quantity_limit_formula="5")]},
            ".included[0].product_campaign_quantity_limit should be given",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(wire, problem):
    with pytest.raises(InvalidScope) as refused:
        parse_scope(wire)

    assert problem in str(refused.value)
