"""Offers in words, as lists of campaigns and messages show them."""

import pytest

from campaigns.sentences import offer_in_words

SHIRT = {"unit_off": 1, "unit_type": "prod_1", "product": {"id": "prod_1", "name": "Shirt"}}


@pytest.mark.parametrize(
    ("discount", "words"),
    [
        (
            {"type": "PERCENT", "percent_off": 20, "amount_limit": 5000},
            "20% off the order, at most 50.00 EUR",
        ),
        ({"type": "AMOUNT", "amount_off": 500, "effect": "APPLY_TO_ITEMS"}, "5.00 EUR off each item"),
        ({"type": "FIXED", "fixed_amount": 999}, "the order for 9.99 EUR"),
        ({"type": "FIXED", "effect": "APPLY_TO_ITEMS"}, "new prices for products"),
        ({"type": "UNIT", **SHIRT}, "free: 1 x Shirt"),
        ({"type": "UNIT", "unit_off": 2, "unit_type": "prod_2"}, "free: 2 x prod_2"),
        (
            {
                "type": "UNIT",
                "effect": "ADD_MANY_ITEMS",
                "units": [SHIRT, {"unit_off": 3, "unit_type": "cap"}],
            },
            "free: 1 x Shirt, 3 x cap",
        ),
        ({"type": "UNIT", "unit_off": 1, "effect": "ADD_SAME_ITEMS"}, "1 more of each item, free"),
    ],
)
def test_an_offer_has_words(discount, words):
    assert offer_in_words(discount, None, "EUR") == words
