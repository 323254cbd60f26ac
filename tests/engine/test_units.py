"""Free units: what a unit discount finds in the cart, what it adds, and what that costs."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from promoengine.engine.bundles import BundleFound
from promoengine.engine.discounts import Terms, parse_discount
from promoengine.engine.order import Good, Item, Order
from promoengine.engine.scopes import parse_scope
from tests.engine.cart import cart, entry, goods


def terms(*included, **fields):
    catalogue = fields.pop("goods", goods(shirt="29.00", cap="31.00", priceless=None))
    scope = parse_scope({"included": list(included)})
    return Terms(
        now=datetime(2026, 5, 1, tzinfo=UTC), zone=ZoneInfo("UTC"), scope=scope, goods=catalogue, **fields
    )


def give(product, count=1, effect="ADD_MISSING_ITEMS"):
    return {"type": "UNIT", "unit_off": count, "unit_type": product, "effect": effect}


def lines_of(order):
    return [(item.quantity, item.amount, item.discount) for item in order.items]


# cart, free shirts, effect, then of each line: quantity, amount, discount; the guide's examples among them
@pytest.mark.parametrize(
    ("lines", "count", "effect", "after"),
    [
        ("", 2, "ADD_MISSING_ITEMS", [(2, 5800, 5800)]),
        ("1 shirt @ 29.00", 2, "ADD_MISSING_ITEMS", [(2, 5800, 5800)]),
        ("2 shirt @ 29.00", 2, "ADD_MISSING_ITEMS", [(2, 5800, 5800)]),
        ("3 shirt @ 29.00", 2, "ADD_MISSING_ITEMS", [(3, 8700, 5800)]),
        ("", 2, "ADD_NEW_ITEMS", [(2, 5800, 5800)]),
        ("3 shirt @ 29.00", 2, "ADD_NEW_ITEMS", [(5, 14500, 5800)]),
        ("1 hat @ 5.00", 1, "ADD_NEW_ITEMS", [(1, 500, 0), (1, 2900, 2900)]),
        ("1 shirt @ 29.00, 2 shirt @ 29.00", 2, "ADD_MISSING_ITEMS", [(1, 2900, 2900), (2, 5800, 2900)]),
        ("1 shirt @ 20.00", 1, "ADD_NEW_ITEMS", [(2, 4000, 2000)]),
        ("1 hat @ 5.00", 0, "ADD_NEW_ITEMS", [(1, 500, 0)]),
    ],
)
def test_units_are_free(lines, count, effect, after):
    applied = parse_discount(give("shirt", count, effect)).apply(cart(lines), terms())

    assert lines_of(applied.order) == after


def test_many_units_are_given_each_in_its_way():
    discount = parse_discount(
        {
            "type": "UNIT",
            "effect": "ADD_MANY_ITEMS",
            "units": [
                {"unit_off": 1, "unit_type": "shirt", "effect": "ADD_MISSING_ITEMS"},
                {"unit_off": 1, "unit_type": "cap", "effect": "ADD_NEW_ITEMS"},
            ],
        }
    )

    order = discount.apply(cart("1 shirt @ 29.00, 1 cap @ 31.00"), terms()).order

    shirt, cap = order.items
    assert (order.amount, order.items_discount, order.total, order.initial_amount) == (9100, 6000, 3100, 6000)
    assert (shirt.quantity, shirt.amount, shirt.discount, shirt.discount_quantity) == (1, 2900, 2900, 1)
    assert (cap.quantity, cap.amount, cap.discount, cap.discount_quantity) == (2, 6200, 3100, 1)
    assert (cap.initial_quantity, cap.initial_amount) == (1, 3100)


def test_a_line_that_was_not_sent_names_its_good():
    order = parse_discount(give("shirt")).apply(cart(""), terms()).order

    line = order.items[0]
    assert (line.good.wire["name"], line.price, line.initial_quantity, line.initial_amount) == (
        "Shirt",
        2900,
        0,
        0,
    )
    assert (line.discount_quantity, line.product_ids) == (1, frozenset({"shirt"}))


def test_an_sku_is_found_by_its_own_ids_only():
    red = Good("sku", frozenset({"red"}), frozenset({"shirt"}), 2900)
    discount = parse_discount(give("red"))

    order = discount.apply(cart("1 shirt/blue @ 25.00"), terms(goods={"red": red})).order

    assert lines_of(order) == [(1, 2500, 0), (1, 2900, 2900)]
    assert (order.items[1].sku_ids, order.items[1].product_ids) == ({"red"}, {"shirt"})


# cart, the shipping line after: quantity, amount, discount
@pytest.mark.parametrize(
    ("lines", "after"),
    [("1 prod_5h1pp1ng @ 7.00", (1, 700, 700)), ("", (1, 0, 0))],
)
@pytest.mark.parametrize("catalogue", [{}, goods(prod_5h1pp1ng=None)])
def test_shipping_is_free_whether_it_was_sent_or_not(catalogue, lines, after):
    order = parse_discount(give("prod_5h1pp1ng")).apply(cart(lines), terms(goods=catalogue)).order

    assert lines_of(order)[-1] == after


@pytest.mark.parametrize(
    ("product", "key"), [("unknown", "invalid_product"), ("priceless", "invalid_product")]
)
def test_what_cannot_be_given_is_refused(product, key):
    order = cart("1 shirt @ 29.00")

    applied = parse_discount(give(product)).apply(order, terms())

    assert (applied.refusal_key, applied.refused, applied.order) == (key, product, order)


@pytest.mark.parametrize("product", ["unknown", "priceless"])
def test_what_the_cart_has_is_given_at_its_price_there(product):
    order = parse_discount(give(product, 2)).apply(cart(f"1 {product} @ 3.00"), terms()).order

    assert lines_of(order) == [(2, 600, 600)]


def test_of_many_units_all_are_given_or_none():
    units = [{"unit_off": 1, "unit_type": name, "effect": "ADD_NEW_ITEMS"} for name in ("shirt", "unknown")]
    order = cart("1 shirt @ 29.00")

    applied = parse_discount({"type": "UNIT", "units": units}).apply(order, terms())

    assert (applied.order, applied.refused) == (order, "unknown")


def test_a_line_without_a_price_has_that_of_its_units():
    order = Order(900, (Item(900, 3, product_ids=frozenset({"shirt"})),))

    after = parse_discount(give("shirt", effect="ADD_NEW_ITEMS")).apply(order, terms()).order

    assert lines_of(after) == [(4, 1200, 300)]


def test_no_more_is_given_than_can_be_counted():
    order = parse_discount(give("shirt", 10**6)).apply(cart("1 shirt @ 60000000000000.00"), terms()).order

    assert (order.items[0].quantity, order.total) == (1, 0)


def test_two_codes_give_two_units():
    discount = parse_discount(give("shirt"))

    order = discount.apply(discount.apply(cart("2 shirt @ 29.00"), terms()).order, terms()).order

    assert lines_of(order) == [(2, 5800, 5800)]


def test_a_unit_costs_its_share_of_what_is_left():
    tenth = parse_discount({"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ITEMS"})

    order = parse_discount(give("shirt")).apply(tenth.apply(cart("2 shirt @ 10.00")).order, terms()).order

    assert order.total == 900


# discount after a free shirt beside a paid one of 10.00, cents off the line in all, units that are discounted
@pytest.mark.parametrize(
    ("discount", "caps", "off", "units"),
    [
        ({"type": "PERCENT", "percent_off": 10}, {"quantity_limit": 1}, 1100, 2),
        ({"type": "FIXED", "fixed_amount": 800}, {}, 1200, 2),
        (
            {"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"},
            {"target": "UNIT"},
            1100,
            2,
        ),
    ],
)
def test_a_free_unit_is_out_of_reach(discount, caps, off, units):
    before = parse_discount(give("shirt", 1, "ADD_NEW_ITEMS")).apply(cart("1 shirt @ 10.00"), terms()).order

    line = parse_discount(discount).apply(before, terms(entry("shirt", **caps))).order.items[0]

    assert (line.discount, line.discount_quantity) == (off, units)


def test_a_line_that_is_free_is_not_the_cheapest():
    before = parse_discount(give("shirt")).apply(cart("1 cap [wear] @ 50.00"), terms()).order
    scope = terms(entry("[pc_a11pr0dUc75]", effect="APPLY_TO_CHEAPEST"))

    after = parse_discount({"type": "AMOUNT", "amount_off": 100}).apply(before, scope).order

    assert [item.discount for item in after.items] == [100, 2900]


def test_same_units_are_added_to_each_line_in_scope():
    discount = parse_discount({"type": "UNIT", "unit_off": 1, "effect": "ADD_SAME_ITEMS"})

    order = discount.apply(
        cart("3 shirt @ 10.00, 1 cap @ 5.00, 1 hat @ 2.00"), terms(entry("shirt"), entry("cap"))
    ).order

    assert lines_of(order) == [(4, 4000, 1000), (2, 1000, 500), (1, 200, 0)]


# effect, then of each line: quantity, amount, discount, for three bundles of laptop and bag
@pytest.mark.parametrize(
    ("effect", "after"),
    [
        ("ADD_MISSING_ITEMS", [(3, 9000, 9000)]),
        ("ADD_NEW_ITEMS", [(4, 12000, 9000)]),
        ("ADD_SAME_ITEMS", [(4, 12000, 9000)]),
    ],
)
def test_each_bundle_gives_its_units(effect, after):
    discount = parse_discount(give("bag", 1, effect))
    found = BundleFound(3, 5)

    order = discount.apply(cart("1 bag @ 30.00"), terms(entry("bag"), bundle=found)).order

    assert lines_of(order) == after


def test_where_discounts_may_not_meet_a_unit_in_the_cart_keeps_its_price():
    tenth = parse_discount({"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ITEMS"})
    before = tenth.apply(cart("1 shirt @ 10.00")).order

    order = parse_discount(give("shirt")).apply(before, terms(once=True)).order

    assert lines_of(order) == [(1, 1000, 100)]


def test_a_formula_says_how_many():
    discount = parse_discount(give("shirt") | {"unit_off_formula": "ORDER_UNITS_QUANTITY / 2"})

    applied = discount.apply(cart("5 hat @ 1.00"), terms())

    assert (applied.order.items[1].quantity, applied.wire["unit_off"], applied.wire["is_dynamic"]) == (
        2,
        2,
        True,
    )


def test_the_result_names_the_product():
    applied = parse_discount(give("shirt")).apply(cart(""), terms())

    assert applied.wire["product"] == {"id": "shirt", "source_id": None, "name": "Shirt"}


def test_the_result_names_each_of_many_products():
    units = [{"unit_off": 1, "unit_type": name, "effect": "ADD_NEW_ITEMS"} for name in ("shirt", "cap")]

    applied = parse_discount({"type": "UNIT", "units": units}).apply(cart(""), terms())

    assert applied.wire["effect"] == "ADD_MANY_ITEMS"
    assert [unit["product"]["name"] for unit in applied.wire["units"]] == ["Shirt", "Cap"]
