"""What formulas may ask; money in major units."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from promoengine.engine.formulas import KEYED_OPERANDS, PLAIN_OPERANDS
from promoengine.engine.operands import OPERANDS, FormulaFacts, order_operands
from promoengine.engine.order import Order
from tests.engine.cart import cart

STARTS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
FACTS = FormulaFacts(
    customer_metadata={"visits": 7},
    customer_birthdate=date(1990, 2, 3),
    redeemable_metadata={"level": "gold"},
    redemption_metadata={"store": 12},
    publication_metadata={"year": 2026},
    redemption_quantity=5,
    redeemed_quantity=2,
    publish_count=1,
    starts_at=STARTS,
    expires_at=ENDS,
)


def order():
    plain = cart("2 pen @ 1.00, 3 hat @ 20.00, 1 shoe @ 90.00")
    pen, hat, shoe = plain.items
    items = (
        replace(pen, metadata={"size": 4}, product_metadata={"color": "blue"}),
        replace(hat, discount=1500),
        replace(shoe, metadata={"size": 9}, product_metadata={"color": "red"}),
    )
    return replace(plain, items=items, discount=200, metadata={"day": 5})


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("ORDER_AMOUNT", (), Decimal("152")),
        ("ORDER_INITIAL_AMOUNT", (), Decimal("152")),
        ("ORDER_TOTAL_AMOUNT", (), Decimal("135")),
        ("ORDER_ITEMS_QUANTITY", (), 3),
        ("ORDER_UNITS_QUANTITY", (), 6),
        ("ORDER_METADATA", ("day",), 5),
        ("ORDER_METADATA", ("night",), None),
        ("ORDER_ITEM_PRICE", (), Decimal("20")),
        ("ORDER_ITEM_AMOUNT", (), Decimal("60")),
        ("ORDER_ITEM_SUBTOTAL", (), Decimal("45")),
        ("ORDER_ITEM_UNITS_QUANTITY", (), 3),
        ("CHEAPEST_ORDER_ITEM_PRICE", (), Decimal("1")),
        ("CHEAPEST_ORDER_ITEM_AMOUNT", (), Decimal("2")),
        ("CHEAPEST_ORDER_ITEM_METADATA", ("size",), 4),
        ("CHEAPEST_ORDER_ITEM_PRODUCT_METADATA", ("color",), "blue"),
        ("MOST_EXPENSIVE_ORDER_ITEM_PRICE", (), Decimal("90")),
        ("MOST_EXPENSIVE_ORDER_ITEM_UNITS_QUANTITY", (), 1),
        ("MOST_EXPENSIVE_ORDER_ITEM_PRODUCT_METADATA", ("color",), "red"),
        ("CUSTOMER_METADATA", ("visits",), 7),
        ("CUSTOMER_BIRTHDATE", (), date(1990, 2, 3)),
        ("REDEEMABLE_METADATA", ("level",), "gold"),
        ("REDEMPTION_METADATA", ("store",), 12),
        ("PUBLICATION_METADATA", ("year",), 2026),
        ("VOUCHER_REDEMPTION_QUANTITY", (), 5),
        ("VOUCHER_REDEEMED_QUANTITY", (), 2),
        ("VOUCHER_PUBLISH_COUNT", (), 1),
        ("VOUCHER_START_DATE", (), STARTS),
        ("VOUCHER_EXPIRATION_DATE", (), ENDS),
        ("PROMOTION_TIER_START_DATE", (), STARTS),
        ("PROMOTION_TIER_EXPIRATION_DATE", (), ENDS),
        ("ORDER_SMELL", (), None),
    ],
)
def test_an_operand_has_its_value(name, arguments, value):
    whole = order()

    assert order_operands(whole, whole.items[1], FACTS)(name, arguments) == value


@pytest.mark.parametrize(
    "name", ["ORDER_ITEM_PRICE", "CHEAPEST_ORDER_ITEM_PRICE", "MOST_EXPENSIVE_ORDER_ITEM_PRICE"]
)
def test_what_is_not_there_has_no_value(name):
    assert order_operands(Order(1000))(name, ()) is None


# Among lines of one price the lowest subtotal counts, then the first.
@pytest.mark.parametrize("operand", ["CHEAPEST_ORDER_ITEM_SUBTOTAL", "MOST_EXPENSIVE_ORDER_ITEM_SUBTOTAL"])
def test_of_lines_that_cost_the_same_the_lesser_counts(operand):
    assert order_operands(cart("3 a @ 5.00, 2 b @ 5.00, 2 c @ 5.00"))(operand, ()) == 10


def test_every_operand_that_a_formula_may_name_is_there():
    of_earning_rules = {"CUSTOM_EVENT_METADATA"}

    assert set(OPERANDS) == (PLAIN_OPERANDS | KEYED_OPERANDS) - of_earning_rules
