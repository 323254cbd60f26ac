"""What results say a discount is for: entries, lines, units, and the goods that collections brought in."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from promoengine.engine.bundles import BundleFound
from promoengine.engine.discounts import Terms, parse_discount
from promoengine.engine.order import Item, Order
from promoengine.engine.scopes import parse_scope
from tests.engine.cart import cart, entry

ON_ITEMS = {"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS"}
ON_ORDER = {"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ORDER"}


def applied(discount, order, *included, excluded=(), bundle=None, **scope):
    parsed = parse_scope({"included": list(included), "excluded": list(excluded), **scope})
    now = datetime(2026, 5, 1, tzinfo=UTC)
    terms = Terms(now=now, zone=ZoneInfo("UTC"), scope=parsed, bundle=bundle)
    return parse_discount(discount).apply(order, terms)


def product(name, **fields):
    return {"object": "product", "id": name, "effect": "APPLY_TO_EVERY", **fields}


def test_an_entry_says_which_lines_it_led_to():
    result = applied(
        ON_ITEMS,
        cart("1 a @ 9.00, 1 b @ 5.00, 1 a @ 4.00"),
        entry("a", effect="APPLY_FROM_CHEAPEST"),
        entry("c"),
    )

    assert result.applicable_to == (
        product("a", effect="APPLY_FROM_CHEAPEST", order_item_indices=[2, 0]),
        product("c"),
    )


def test_a_collection_names_the_goods_it_brought_in():
    order = cart("1 a [sale] @ 9.00, 1 b/red [sale] @ 5.00, 1 c @ 4.00, 1 a [sale] @ 9.00")

    result = applied(ON_ITEMS, order, entry("[sale]", amount_limit=50))

    told = {"effect": "APPLY_TO_EVERY", "amount_limit": 50}
    assert result.applicable_to == (
        {"object": "products_collection", "id": "sale", **told, "order_item_indices": [0, 1, 3]},
        {"object": "product", "id": "a", **told, "order_item_indices": [0, 3]},
        {"object": "sku", "id": "red", "product_id": "b", **told, "order_item_indices": [1]},
    )


def test_goods_are_named_by_their_public_ids():
    ids = {"product_ids": frozenset({"prod_1", "hat"}), "sku_ids": frozenset({"a-red-hat", "sku_1"})}
    order = Order(100, (Item(100, 1, 100, **ids),))

    result = applied(ON_ITEMS, order, entry("[pc_a11pr0dUc75]"))

    assert result.applicable_to[1] == {
        "object": "sku",
        "id": "sku_1",
        "source_id": "a-red-hat",
        "product_id": "prod_1",
        "product_source_id": "hat",
        "effect": "APPLY_TO_EVERY",
        "order_item_indices": [0],
    }


# As in the published example of five redeemables: all products but one.
@pytest.mark.parametrize(("discount", "shown"), [(ON_ITEMS, {"order_item_indices": [0]}), (ON_ORDER, {})])
def test_of_all_products_but_some_those_in_the_cart_are_named(discount, shown):
    result = applied(discount, cart("1 a @ 9.00"), excluded=[entry("b")], included_all=True)

    assert result.applicable_to == (product("a", **shown),)
    assert result.inapplicable_to == (product("b"),)


def test_what_is_excluded_says_which_lines_it_keeps_out():
    result = applied(ON_ITEMS, cart("1 a @ 9.00, 1 b @ 5.00"), entry("a"), excluded=[entry("b")])

    assert result.inapplicable_to == (product("b", order_item_indices=[1]),)


@pytest.mark.parametrize("discount", [ON_ITEMS, ON_ORDER])
def test_what_restricts_nothing_names_nothing(discount):
    result = applied(discount, cart("1 a @ 9.00"))

    assert (result.applicable_to, result.inapplicable_to) == ((), ())


def test_without_a_bundle_no_lines_are_reached():
    result = applied(ON_ITEMS, cart("1 a @ 9.00"), entry("a"), bundle=BundleFound(0, 1))

    assert result.applicable_to == (product("a"),)


@pytest.mark.parametrize(
    ("quantity", "shown"), [(10, {"units": [2, 5, 8]}), (1001, {"units_limit_exceeded": True})]
)
def test_an_entry_says_which_units_it_led_to(quantity, shown):
    fields = {"target": "UNIT", "skip_initially": 1, "repeat": 3}

    result = applied(ON_ITEMS, cart(f"{quantity} a @ 9.00"), entry("a", **fields))

    assert result.applicable_to[0]["order_item_units"] == [{"index": 0, **shown}]
