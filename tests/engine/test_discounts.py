"""What each type of discount does under each effect; amounts as people write them, results in cents."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from promoengine.engine.bundles import BundleFound
from promoengine.engine.discounts import InvalidDiscount, Terms, parse_discount
from promoengine.engine.effects import Step, effect_of
from promoengine.engine.operands import FormulaFacts
from promoengine.engine.scopes import parse_scope
from tests.engine.cart import cart, entry

ADVENTURE = (
    "2 mug [adventure] @ 10.00, 3 poster [adventure] @ 15.00, 3 shirt [adventure] @ 20.00, 2 bottle @ 25.00"
)
SOCKS = (
    "3 shirt [adventure] @ 20.00, 5 poster [adventure] @ 15.00, 2 mug [adventure] @ 10.00, "
    "4 socks [adventure] @ 5.00, 2 bottle @ 25.00"
)


def terms(*included, excluded=(), **fields):
    scope = parse_scope({"included": list(included), "excluded": list(excluded)})
    return Terms(now=datetime(2026, 5, 1, tzinfo=UTC), zone=ZoneInfo("UTC"), scope=scope, **fields)


# cart, discount, cents off the order, cents off each line
TABLE = [
    ("1 shoe @ 100.00", {"type": "AMOUNT", "amount_off": 1000}, 1000, [0]),
    ("1 shoe @ 8.00", {"type": "AMOUNT", "amount_off": 1000}, 800, [0]),
    ("1 shoe @ 100.00", {"type": "AMOUNT", "amount_off": 1000, "aggregated_amount_limit": 700}, 700, [0]),
    ("1 shoe @ 100.00", {"type": "PERCENT", "percent_off": 12.5}, 1250, [0]),
    ("1 pen @ 0.33", {"type": "PERCENT", "percent_off": 50}, 17, [0]),
    ("1 shoe @ 100.00", {"type": "PERCENT", "percent_off": 50, "amount_limit": 3000}, 3000, [0]),
    ("1 shoe @ 100.00", {"type": "PERCENT", "percent_off": 100}, 10000, [0]),
    ("1 shoe @ 100.00", {"type": "FIXED", "fixed_amount": 4999}, 5001, [0]),
    ("1 shoe @ 10.00", {"type": "FIXED", "fixed_amount": 4999}, 0, [0]),
    (
        "1 a @ 33.00, 1 b @ 34.00",
        {"type": "AMOUNT", "amount_off": 300, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"},
        0,
        [148, 152],
    ),
    (
        "1 a @ 700.00, 1 b @ 16.00, 1 c @ 15.00",
        {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ITEMS"},
        0,
        [7000, 160, 150],
    ),
    (
        "1 a @ 29.00, 1 b @ 31.00, 1 c @ 29.00, 1 d @ 17.00, 1 e @ 15.00, 1 f @ 600.00",
        {"type": "FIXED", "fixed_amount": 800, "effect": "APPLY_TO_ITEMS"},
        0,
        [2100, 2300, 2100, 900, 700, 59200],
    ),
    (
        "1 a @ 10.00, 1 b @ 10.00",
        {"type": "AMOUNT", "amount_off": 800, "effect": "APPLY_TO_ITEMS", "aggregated_amount_limit": 1000},
        0,
        [800, 200],
    ),
    (
        "1 a @ 10.00, 1 b @ 20.00",
        {"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS", "amount_limit": 600},
        0,
        [500, 600],
    ),
    ("1 a @ 10.00", {"type": "FIXED", "effect": "APPLY_TO_ITEMS"}, 0, [0]),
]


@pytest.mark.parametrize(("lines", "discount", "off_order", "off_lines"), TABLE)
def test_a_discount_takes_off(lines, discount, off_order, off_lines):
    after = parse_discount(discount).apply(cart(lines)).order

    assert (after.discount, [item.discount for item in after.items]) == (off_order, off_lines)


# effect of an amount of 10.00 on the collection, cents off each line; the tables of the published guide
@pytest.mark.parametrize(
    ("effect", "off_lines"),
    [
        ("APPLY_TO_ITEMS", [1000, 1000, 1000, 0]),
        ("APPLY_TO_ITEMS_BY_QUANTITY", [2000, 3000, 3000, 0]),
        ("APPLY_TO_ITEMS_PROPORTIONALLY", [160, 360, 480, 0]),
        ("APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY", [250, 375, 375, 0]),
    ],
)
def test_an_amount_comes_off_the_lines_of_a_collection(effect, off_lines):
    discount = parse_discount({"type": "AMOUNT", "amount_off": 1000, "effect": effect})

    after = discount.apply(cart(ADVENTURE), terms(entry("[adventure]"))).order

    assert [item.discount for item in after.items] == off_lines


def test_a_percentage_comes_off_the_lines_of_a_collection():
    discount = parse_discount({"type": "PERCENT", "percent_off": 10})

    after = discount.apply(cart(ADVENTURE), terms(entry("[adventure]"))).order

    assert [item.discount for item in after.items] == [200, 450, 600, 0]


def test_a_new_price_holds_for_the_lines_of_a_collection():
    discount = parse_discount({"type": "FIXED", "effect": "APPLY_TO_ITEMS"})

    after = discount.apply(cart(ADVENTURE), terms(entry("[adventure]", price=1000))).order

    assert [item.discount for item in after.items] == [0, 1500, 3000, 0]


# The two worked examples of the published guide.
def test_every_other_line_from_the_most_expensive_gets_the_amount():
    scope = entry("[adventure]", effect="APPLY_FROM_MOST_EXPENSIVE", skip_initially=1, repeat=2)
    discount = parse_discount({"type": "AMOUNT", "amount_off": 500, "effect": "APPLY_TO_ITEMS"})

    after = discount.apply(cart(SOCKS), terms(scope)).order

    assert [item.discount for item in after.items] == [0, 500, 0, 500, 0]


def test_every_other_unit_from_the_most_expensive_gets_the_amount():
    scope = entry(
        "[adventure]", effect="APPLY_FROM_MOST_EXPENSIVE", skip_initially=1, repeat=2, target="UNIT"
    )
    discount = parse_discount({"type": "AMOUNT", "amount_off": 500, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"})

    after = discount.apply(cart(SOCKS), terms(scope)).order

    assert [item.discount for item in after.items] == [500, 1500, 500, 1000, 0]


def test_two_vouchers_meet_on_one_order():
    order = cart("1 mug [adventure] @ 30.00, 1 shirt [adventure] @ 60.00, 1 bottle @ 50.00")
    on_lines = parse_discount({"type": "AMOUNT", "amount_off": 2000})
    on_order = parse_discount({"type": "AMOUNT", "amount_off": 2500, "effect": "APPLY_TO_ORDER"})

    after = on_order.apply(on_lines.apply(order, terms(entry("[adventure]"))).order).order

    assert (after.items_discount, after.discount, after.total) == (4000, 2500, 7500)


@pytest.mark.parametrize(("lines", "off"), [("1 shoe @ 150.00, 1 hat @ 50.00", [1000, 0]), ("", [])])
def test_an_amount_for_one_product_leaves_the_rest_alone(lines, off):
    discount = parse_discount({"type": "AMOUNT", "amount_off": 1000})

    after = discount.apply(cart(lines), terms(entry("shoe"))).order

    assert ([item.discount for item in after.items], after.discount) == (off, 0)


# Published example: prices by formula, per product and collection; the order is more than 400.00.
def test_new_prices_come_from_formulas():
    order = cart(
        "1 pink [sweaters] @ 65.00, 1 navy [pants] @ 60.00, 1 shipping @ 20.00, 2 gray [pants] @ 50.00, "
        "2 pearl [sweaters] @ 110.00"
    )
    scope = terms(
        entry("shipping", price=2000, price_formula="IF(ORDER_AMOUNT > 400;0;20)"),
        entry(
            "[sweaters]",
            price=99900,
            price_formula="IF(ORDER_AMOUNT > 300;ORDER_ITEM_PRICE * 0.8;ORDER_ITEM_PRICE)",
        ),
        entry(
            "[pants]",
            price=99900,
            price_formula="IF(ORDER_AMOUNT > 200;ORDER_ITEM_PRICE * 0.9;ORDER_ITEM_PRICE)",
        ),
    )

    applied = parse_discount({"type": "FIXED", "effect": "APPLY_TO_ITEMS"}).apply(order, scope)

    assert [item.discount for item in applied.order.items] == [1300, 600, 2000, 1000, 4400]
    assert applied.wire == {"type": "FIXED", "effect": "APPLY_TO_ITEMS", "is_dynamic": True}


# entry's caps, percentage, cents off each line of "2 a @ 10.00, 4 b @ 20.00", all in one collection
@pytest.mark.parametrize(
    ("caps", "off_lines"),
    [
        ({}, [1000, 4000]),
        ({"quantity_limit": 1}, [500, 1000]),
        ({"quantity_limit": 3}, [1000, 3000]),
        ({"aggregated_quantity_limit": 3}, [1000, 1000]),
        ({"aggregated_quantity_limit": 3, "effect": "APPLY_FROM_MOST_EXPENSIVE"}, [0, 3000]),
        ({"aggregated_quantity_limit": 3, "quantity_limit": 1}, [500, 1000]),
        ({"amount_limit": 700}, [700, 700]),
        ({"aggregated_amount_limit": 1200}, [1000, 200]),
        ({"aggregated_amount_limit": 1200, "amount_limit": 700}, [700, 500]),
        ({"effect": "APPLY_TO_CHEAPEST"}, [1000, 0]),
        ({"effect": "APPLY_TO_MOST_EXPENSIVE", "quantity_limit": 1}, [0, 1000]),
        ({"effect": "APPLY_TO_CHEAPEST", "target": "UNIT"}, [500, 0]),
        ({"target": "UNIT", "skip_initially": 1, "repeat": 2}, [500, 2000]),
    ],
)
def test_caps_of_an_entry_hold_and_the_smallest_counts(caps, off_lines):
    discount = parse_discount({"type": "PERCENT", "percent_off": 50})
    order = cart("2 a [sale] @ 10.00, 4 b [sale] @ 20.00")

    after = discount.apply(order, terms(entry("[sale]", **caps))).order

    assert [item.discount for item in after.items] == off_lines


def test_a_discount_counts_the_units_it_is_for():
    discount = parse_discount({"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"})

    after = discount.apply(cart("5 a @ 10.00"), terms(entry("a", quantity_limit=2))).order

    assert (after.items[0].discount, after.items[0].discount_quantity) == (200, 2)


# stacking: 20 % after an amount of 50.00 off 100.00
@pytest.mark.parametrize(("from_initial", "off"), [(False, 1000), (True, 2000)])
def test_a_percentage_may_be_of_the_initial_amount(from_initial, off):
    before = parse_discount({"type": "AMOUNT", "amount_off": 5000}).apply(cart("1 shoe @ 100.00")).order
    discount = parse_discount({"type": "PERCENT", "percent_off": 20})

    after = discount.apply(before, terms(from_initial=from_initial)).order

    assert after.discount - before.discount == off


@pytest.mark.parametrize(("from_initial", "off"), [(False, 1000), (True, 2000)])
def test_a_percentage_of_lines_may_be_of_the_initial_amount(from_initial, off):
    first = parse_discount({"type": "AMOUNT", "amount_off": 5000, "effect": "APPLY_TO_ITEMS"})
    before = first.apply(cart("1 shoe @ 100.00")).order
    discount = parse_discount({"type": "PERCENT", "percent_off": 20, "effect": "APPLY_TO_ITEMS"})

    after = discount.apply(before, terms(from_initial=from_initial)).order

    assert after.items[0].discount - before.items[0].discount == off


def test_the_initial_amount_gives_no_more_than_is_left():
    before = parse_discount({"type": "AMOUNT", "amount_off": 9000}).apply(cart("1 shoe @ 100.00")).order
    discount = parse_discount({"type": "PERCENT", "percent_off": 20})

    after = discount.apply(before, terms(from_initial=True)).order

    assert after.total == 0


def test_once_a_line_carries_a_discount_it_is_out_of_reach():
    discount = parse_discount({"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS"})
    before = discount.apply(cart("1 a @ 10.00, 1 b @ 10.00"), terms(entry("a"), once=True)).order

    after = discount.apply(before, terms(once=True)).order

    assert [item.discount for item in after.items] == [100, 100]


# discount, whether products are named, the effect that counts
@pytest.mark.parametrize(
    ("discount", "included", "effect"),
    [
        ({"type": "AMOUNT", "amount_off": 100}, [], "APPLY_TO_ORDER"),
        ({"type": "AMOUNT", "amount_off": 100}, [entry("a")], "APPLY_TO_ITEMS"),
        ({"type": "PERCENT", "percent_off": 10}, [entry("a")], "APPLY_TO_ITEMS"),
        ({"type": "FIXED", "fixed_amount": 10}, [entry("a")], "APPLY_TO_ITEMS"),
        ({"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ORDER"}, [entry("a")], "APPLY_TO_ORDER"),
    ],
)
def test_naming_products_makes_a_discount_one_on_items(discount, included, effect):
    applied = parse_discount(discount).apply(cart("1 a @ 10.00"), terms(*included))

    assert applied.wire["effect"] == effect


# discount, what the result shows of its number, cents off the order in all
@pytest.mark.parametrize(
    ("discount", "shown", "off"),
    [
        ({"type": "AMOUNT", "amount_off": 500, "amount_off_formula": "ORDER_AMOUNT * 0.1"}, 1000, 1000),
        (
            {"type": "AMOUNT", "amount_off": 500, "amount_off_formula": "ORDER_ITEMS_QUANTITY * 2.345"},
            469,
            469,
        ),
        (
            {"type": "PERCENT", "percent_off": 5, "percent_off_formula": "ORDER_UNITS_QUANTITY * 2.5"},
            7.5,
            750,
        ),
        ({"type": "FIXED", "fixed_amount": 5, "fixed_amount_formula": "ORDER_AMOUNT - 1"}, 9900, 100),
        ({"type": "AMOUNT", "amount_off": 500, "amount_off_formula": "0 - 3"}, 0, 0),
        ({"type": "PERCENT", "percent_off": 5, "percent_off_formula": "1000"}, 100, 10000),
        (
            {"type": "AMOUNT", "amount_off": 5, "amount_off_formula": 'CUSTOMER_METADATA("visits") * 3'},
            2100,
            2100,
        ),
    ],
)
def test_a_formula_says_the_number(discount, shown, off):
    facts = FormulaFacts(customer_metadata={"visits": 7})
    order = cart("1 a @ 20.00, 2 b @ 40.00")

    applied = parse_discount(discount).apply(order, terms(formula_facts=facts))

    field = next(name for name in ("amount_off", "percent_off", "fixed_amount") if name in discount)
    assert (applied.wire[field], applied.wire["is_dynamic"], applied.order.discount) == (shown, True, off)


def test_a_formula_that_says_nothing_leaves_the_fixed_number():
    discount = parse_discount(
        {"type": "AMOUNT", "amount_off": 500, "amount_off_formula": 'ORDER_METADATA("missing") * 2'}
    )

    applied = discount.apply(cart("1 a @ 20.00"))

    assert (applied.wire["amount_off"], applied.wire["is_dynamic"], applied.order.discount) == (
        500,
        False,
        500,
    )


def test_a_formula_about_a_line_is_calculated_for_each():
    discount = parse_discount(
        {
            "type": "AMOUNT",
            "amount_off": 0,
            "amount_off_formula": "ORDER_ITEM_PRICE * 0.01 + 1",
            "effect": "APPLY_TO_ITEMS",
        }
    )

    applied = discount.apply(cart("1 a @ 6.00, 1 b @ 10.00"))

    assert [item.discount for item in applied.order.items] == [106, 110]
    assert applied.wire["is_dynamic"]


# Bundles, as the published page has them. cart, discount, entries of the rule, bundles, off order and lines
@pytest.mark.parametrize(
    ("lines", "discount", "included", "bundles", "off_order", "off_lines"),
    [
        ("5 balm @ 3.00", {"type": "AMOUNT", "amount_off": 100}, [], 5, 500, [0]),
        ("5 balm @ 3.00", {"type": "PERCENT", "percent_off": 5}, [], 5, 375, [0]),
        ("5 balm @ 3.00", {"type": "PERCENT", "percent_off": 30}, [], 5, 1500, [0]),
        ("5 case @ 20.00", {"type": "FIXED", "fixed_amount": 5000}, [], 5, 5000, [0]),
        (
            "2 laptop @ 900.00, 3 mouse @ 50.00",
            {"type": "AMOUNT", "amount_off": 2000, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"},
            [entry("mouse", quantity_limit=1)],
            2,
            0,
            [0, 4000],
        ),
        (
            "2 laptop @ 900.00, 3 mouse @ 50.00",
            {"type": "AMOUNT", "amount_off": 2000, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"},
            [entry("mouse")],
            2,
            0,
            [0, 6000],
        ),
        (
            "2 laptop @ 900.00, 3 mouse @ 50.00",
            {"type": "AMOUNT", "amount_off": 2000, "effect": "APPLY_TO_ITEMS"},
            [entry("mouse")],
            2,
            0,
            [0, 4000],
        ),
        (
            "1 mouse @ 50.00, 1 mouse @ 50.00, 1 mouse @ 50.00",
            {"type": "AMOUNT", "amount_off": 2000, "effect": "APPLY_TO_ITEMS"},
            [entry("mouse")],
            2,
            0,
            [4000, 4000, 4000],
        ),
        (
            "4 crisps @ 2.00, 3 soda @ 1.00",
            {"type": "PERCENT", "percent_off": 5, "effect": "APPLY_TO_ITEMS"},
            [entry("soda", quantity_limit=2)],
            2,
            0,
            [0, 20],
        ),
        (
            "3 ticket @ 25.00, 5 drink @ 4.00",
            {"type": "FIXED", "effect": "APPLY_TO_ITEMS"},
            [entry("ticket", price=1000, quantity_limit=1), entry("drink", price=200, quantity_limit=2)],
            2,
            0,
            [3000, 800],
        ),
        (
            "2 machine @ 200.00, 1 beans @ 30.00, 1 filter @ 20.00",
            {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"},
            [entry("beans"), entry("filter")],
            2,
            0,
            [0, 1200, 800],
        ),
        (
            "2 racket @ 80.00, 3 balls @ 9.00, 2 band @ 9.00",
            {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"},
            [entry("balls"), entry("band")],
            2,
            0,
            [0, 1200, 800],
        ),
        ("5 balm @ 3.00", {"type": "AMOUNT", "amount_off": 100}, [], 0, 0, [0]),
    ],
)
def test_each_bundle_gives_the_discount(lines, discount, included, bundles, off_order, off_lines):
    found = BundleFound(bundles, 100)

    after = parse_discount(discount).apply(cart(lines), terms(*included, bundle=found)).order

    assert (after.discount, [item.discount for item in after.items]) == (off_order, off_lines)


def test_without_products_named_a_bundle_discounts_its_own_units():
    found = BundleFound(1, 1, ({"id": "a", "object": "product", "item_index": 0, "item_quantity": 2},))
    discount = parse_discount({"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS"})

    after = discount.apply(cart("4 a @ 10.00, 1 b @ 10.00"), terms(bundle=found)).order

    assert [item.discount for item in after.items] == [1000, 0]


def test_a_discount_on_the_order_leaves_its_lines_as_they_are():
    order = cart("1 a @ 9.00")

    after = parse_discount({"type": "PERCENT", "percent_off": 10}).apply(order).order

    assert after.items is order.items


@pytest.mark.parametrize(
    ("discount", "problem"),
    [
        ({}, ".type should be one of"),
        ({"type": "AMOUNT"}, "must have required property 'amount_off'"),
        ({"type": "AMOUNT", "amount_off_formula": "1"}, "must have required property 'amount_off'"),
        ({"type": "AMOUNT", "amount_off": -1}, ".amount_off should be between"),
        ({"type": "AMOUNT", "amount_off": 1.5}, ".amount_off should be a whole number"),
        ({"type": "AMOUNT", "amount_off": "ten"}, ".amount_off should be number"),
        ({"type": "AMOUNT", "amount_off": True}, ".amount_off should be number"),
        ({"type": "AMOUNT", "amount_off": 10**30}, ".amount_off should be between"),
        ({"type": "AMOUNT", "amount_off": 10**5000}, ".amount_off should be number"),
        ({"type": "AMOUNT", "amount_off": 1, "amount_limit": -1}, ".amount_limit should be between"),
        ({"type": "AMOUNT", "amount_off": 1, "amount_off_formula": "1 +"}, ".amount_off_formula"),
        (
            {"type": "AMOUNT", "amount_off": 1, "amount_off_formula": ["1"]},
            ".amount_off_formula should be string",
        ),
        ({"type": "PERCENT", "percent_off": 101}, ".percent_off should be at most 100"),
        ({"type": "PERCENT", "percent_off": float("nan")}, ".percent_off should be"),
        ({"type": "PERCENT", "percent_off": 5, "effect": "ADD_NEW_ITEMS"}, ".effect should be one of"),
        ({"type": "FIXED", "effect": "APPLY_TO_ORDER"}, "must have required property 'fixed_amount'"),
        ({"type": "UNIT", "unit_type": "a"}, "must have required property 'unit_off'"),
        ({"type": "UNIT", "unit_off": 1}, "must have required property 'unit_type'"),
        ({"type": "UNIT", "unit_off": 1, "unit_type": 7}, ".unit_type should be string"),
        ({"type": "UNIT", "unit_off": 1.5, "unit_type": "a"}, ".unit_off should be a whole number of units"),
        ({"type": "UNIT", "unit_off": 1, "unit_type": "a", "effect": "REPLACE_ITEMS"}, ".effect should be"),
        ({"type": "UNIT", "effect": "ADD_MANY_ITEMS"}, ".units should be a list"),
        ({"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": [7]}, ".units[0] should be object"),
        (
            {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": [{"unit_off": 1}]},
            ".units[0] must have required property 'unit_type'",
        ),
        (
            {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": [{"effect": "ADD_SAME_ITEMS"}]},
            ".units[0].effect should be one of",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(discount, problem):
    with pytest.raises(InvalidDiscount) as refused:
        parse_discount(discount)

    assert problem in str(refused.value)


def test_a_mistake_in_a_formula_is_shown_with_its_position():
    with pytest.raises(InvalidDiscount, match=r"\.percent_off_formula can't be read at position 3"):
        parse_discount({"type": "PERCENT", "percent_off": 5, "percent_off_formula": "2 +"})


@pytest.mark.parametrize("percent", ["1e-400000", "33.333333333333336", Decimal("1E-16")])
def test_any_spelling_of_a_percentage_is_read(percent):
    after = parse_discount({"type": "PERCENT", "percent_off": percent}).apply(cart("1 a @ 0.03")).order

    assert after.discount == (1 if percent == "33.333333333333336" else 0)


def test_an_effect_is_registered_once():
    with pytest.raises(ValueError, match="AMOUNT APPLY_TO_ORDER is registered already"):
        effect_of("AMOUNT", "APPLY_TO_ORDER")(lambda given: Step(given.order))
