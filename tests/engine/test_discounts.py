"""What each type of discount does under each effect; amounts as people write them, results in cents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.engine.discounts import EFFECTS, VALUE_FIELDS, InvalidDiscount, parse_discount
from promoengine.engine.order import Item, Order
from tests.engine.cart import cart

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
        "2 a @ 10.00, 3 b @ 15.00, 3 c @ 20.00",
        {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ITEMS"},
        0,
        [1000, 1000, 1000],
    ),
    (
        "2 a @ 10.00, 3 b @ 15.00, 3 c @ 20.00",
        {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"},
        0,
        [2000, 3000, 3000],
    ),
    (
        "2 a @ 10.00, 3 b @ 15.00, 3 c @ 20.00",
        {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"},
        0,
        [160, 360, 480],
    ),
    (
        "2 a @ 10.00, 3 b @ 15.00, 3 c @ 20.00",
        {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"},
        0,
        [250, 375, 375],
    ),
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
]


@pytest.mark.parametrize(("lines", "discount", "off_order", "off_lines"), TABLE)
def test_a_discount_takes_off(lines, discount, off_order, off_lines):
    after = parse_discount(discount).apply(cart(lines))

    assert (after.discount, [item.discount for item in after.items]) == (off_order, off_lines)


@pytest.mark.parametrize(
    ("discount", "problem"),
    [
        ({}, ".type should be one of"),
        ({"type": "UNIT"}, ".type should be one of"),
        ({"type": "AMOUNT"}, "must have required property 'amount_off'"),
        ({"type": "AMOUNT", "amount_off": -1}, ".amount_off should be between"),
        ({"type": "AMOUNT", "amount_off": 1.5}, ".amount_off should be a whole number"),
        ({"type": "AMOUNT", "amount_off": "ten"}, ".amount_off should be number"),
        ({"type": "AMOUNT", "amount_off": True}, ".amount_off should be number"),
        ({"type": "AMOUNT", "amount_off": 10**30}, ".amount_off should be between"),
        ({"type": "PERCENT", "percent_off": 101}, ".percent_off should be at most 100"),
        ({"type": "PERCENT", "percent_off": float("nan")}, ".percent_off should be"),
        ({"type": "PERCENT", "percent_off": 5, "effect": "ADD_NEW_ITEMS"}, ".effect should be one of"),
    ],
)
def test_what_cannot_be_meant_is_named(discount, problem):
    with pytest.raises(InvalidDiscount, match=problem.replace(".", r"\.")):
        parse_discount(discount)


@st.composite
def discounts(draw):
    kind, effect = draw(st.sampled_from(sorted(EFFECTS)))
    value = draw(st.decimals(0, 100, places=2)) if kind == "PERCENT" else draw(st.integers(0, 10**7))
    wire = {"type": kind, "effect": effect, VALUE_FIELDS[kind]: str(value)}
    if draw(st.booleans()):
        wire["amount_limit"] = draw(st.integers(0, 10**6))
    if draw(st.booleans()):
        wire["aggregated_amount_limit"] = draw(st.integers(0, 10**6))
    return wire


orders = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 50)), max_size=12).map(
    lambda lines: Order(
        sum(price * quantity for price, quantity in lines),
        tuple(Item(price * quantity, quantity, price) for price, quantity in lines),
    )
)


@given(order=orders, stack=st.lists(discounts(), min_size=1, max_size=5))
def test_no_stack_of_discounts_takes_more_than_there_is(order, stack):
    after = order
    for discount in stack:
        before, after = after, parse_discount(discount).apply(after)

        assert before.total >= after.total >= 0
        assert after.total == after.amount - after.discount - sum(item.discount for item in after.items)
        assert all(0 <= item.discount <= item.amount for item in after.items)
