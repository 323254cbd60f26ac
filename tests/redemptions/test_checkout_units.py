"""Discounts on items, free units, bundles and formulas at the checkout, over HTTP."""

import pytest

from redemptions.models import Order
from tests.factories import ProductCollectionFactory, ProductFactory, SkuFactory
from tests.redemptions.storefront import code_with, lines, redeem, validate


@pytest.fixture
def goods(project):
    """Two products of the catalogue: A at 29.00 and B at 31.00."""
    return [
        ProductFactory(project=project, source_id=name, name=name.upper(), price=price)
        for name, price in (("a", 2900), ("b", 3100))
    ]


def line_of(product, quantity=1):
    return {"product_id": product.public_id, "quantity": quantity}


def named(*names, **more):
    """Return the entries of an `applicable_to` that name products by their source ids."""
    return [{"object": "product", "source_id": name, "id": name, **more} for name in names]


def discounts(answer):
    return [item.get("discount_amount", 0) for item in answer["order"]["items"]]


def only(row, *names):
    return {name: row[name] for name in names if name in row}


def test_an_amount_is_split_over_items_in_proportion(api):
    discount = {"type": "AMOUNT", "amount_off": 300, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY"}
    code = code_with(api, discount=discount)

    assert discounts(validate(api, code, order={"items": lines(3300, 3400)})) == [148, 152]


@pytest.mark.parametrize(
    ("effect", "amounts"),
    [
        ("APPLY_TO_ITEMS", [1000, 1000, 1000, 0]),
        ("APPLY_TO_ITEMS_BY_QUANTITY", [2000, 3000, 3000, 0]),
        ("APPLY_TO_ITEMS_PROPORTIONALLY", [160, 360, 480, 0]),
        ("APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY", [250, 375, 375, 0]),
    ],
)
def test_each_way_to_put_an_amount_on_named_items(api, effect, amounts):
    items = [
        {"source_id": name, "quantity": quantity, "amount": amount}
        for name, quantity, amount in (("a", 2, 2000), ("b", 3, 4500), ("c", 3, 6000), ("d", 2, 5000))
    ]
    code = code_with(
        api,
        discount={"type": "AMOUNT", "amount_off": 1000, "effect": effect},
        applicable_to={"included": named("a", "b", "c")},
    )

    assert discounts(validate(api, code, order={"items": items})) == amounts


def test_a_percentage_of_each_item(api):
    code = code_with(api, discount={"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ITEMS"})

    assert discounts(validate(api, code, order={"items": lines(70000, 1600, 1500)})) == [7000, 160, 150]


def test_a_new_price_for_each_item(api):
    code = code_with(api, discount={"type": "FIXED", "fixed_amount": 800, "effect": "APPLY_TO_ITEMS"})

    answer = validate(api, code, order={"items": lines(2900, 3100, 2900, 1700, 1500, 60000)})

    assert discounts(answer) == [2100, 2300, 2100, 900, 700, 59200]


def test_an_amount_off_one_product_of_a_larger_order(api):
    code = code_with(api, applicable_to={"included": named("a")})

    order = validate(api, code, order={"items": lines(5000, 15000)})["order"]

    assert (order["items_discount_amount"], order["total_amount"]) == (1000, 19000)
    assert "discount_amount" not in order


def test_an_amount_off_one_product_without_lines_does_nothing_and_is_still_redeemed(api):
    code = code_with(api, applicable_to={"included": named("a")})

    answer = redeem(api, code, order={"amount": 20000})

    assert answer["order"]["total_amount"] == 20000
    assert [one["result"] for one in answer["redemptions"]] == ["SUCCESS"]


def test_two_codes_one_of_them_on_named_items(api):
    on_items = {"type": "AMOUNT", "amount_off": 2000, "effect": "APPLY_TO_ITEMS"}
    first = code_with(api, discount=on_items, applicable_to={"included": named("a", "b")})
    second = code_with(api, discount={"type": "AMOUNT", "amount_off": 2500})

    answer = validate(api, first, second, order={"items": lines(3000, 6000, 5000)})

    assert only(answer["order"], "items_discount_amount", "discount_amount", "total_amount") == {
        "items_discount_amount": 4000,
        "discount_amount": 2500,
        "total_amount": 7500,
    }
    assert [one["order"]["total_applied_discount_amount"] for one in answer["redeemables"]] == [4000, 2500]


@pytest.fixture
def free_units(api, goods):
    """A code that gives A where it lies in the cart, and one more B."""
    a, b = goods
    units = [
        {"effect": "ADD_MISSING_ITEMS", "unit_off": 1, "unit_type": a.public_id},
        {"effect": "ADD_NEW_ITEMS", "unit_off": 1, "unit_type": b.public_id},
    ]
    return code_with(api, discount={"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": units})


def test_free_units_are_found_in_the_cart_and_added_to_it(api, goods, free_units):
    a, b = goods

    order = validate(api, free_units, order={"items": [line_of(a), line_of(b)]})["order"]

    assert only(order, "amount", "initial_amount", "items_discount_amount", "total_amount") == {
        "amount": 9100,
        "initial_amount": 6000,
        "items_discount_amount": 6000,
        "total_amount": 3100,
    }
    changed = ("quantity", "amount", "discount_amount", "discount_quantity", "initial_quantity")
    changed += ("applied_discount_quantity", "applied_quantity", "applied_quantity_amount")
    assert [only(item, *changed) for item in order["items"]] == [
        {
            "quantity": 1,
            "amount": 2900,
            "discount_amount": 2900,
            "discount_quantity": 1,
            "applied_discount_quantity": 1,
        },
        {
            "quantity": 2,
            "amount": 6200,
            "discount_amount": 3100,
            "discount_quantity": 1,
            "initial_quantity": 1,
            "applied_discount_quantity": 1,
            "applied_quantity": 1,
            "applied_quantity_amount": 3100,
        },
    ]


def test_a_redemption_keeps_the_added_units_and_its_rollback_removes_them(api, project, goods, free_units):
    sent = [line_of(goods[0])]
    redeemed = redeem(api, free_units, order={"source_id": "cart", "items": sent})
    kept = Order.objects.get(project=project)
    with_units = [(line["quantity"], line["amount"]) for line in kept.items]

    undone = api.post(f"/v1/redemptions/{redeemed['redemptions'][0]['id']}/rollback").json()["order"]

    kept.refresh_from_db()
    assert with_units == [(1, 2900), (1, 3100)]
    assert [(line["product_id"], line["quantity"], line["amount"]) for line in kept.items] == [
        (goods[0].public_id, 1, 2900)
    ]
    assert (kept.amount, kept.status) == (2900, "CANCELED")
    assert only(undone, "amount", "total_amount", "initial_amount") == {"amount": 2900, "total_amount": 2900}
    assert [only(item, "quantity", "amount", "subtotal_amount") for item in undone["items"]] == [
        {"quantity": 1, "amount": 2900, "subtotal_amount": 2900}
    ]


def test_a_second_redemption_sees_the_units_the_first_one_added(api, goods, free_units):
    first = redeem(api, free_units, order={"source_id": "cart", "items": [line_of(goods[1])]})
    second = code_with(api, discount={"type": "PERCENT", "percent_off": 50})

    order = redeem(api, second, order={"id": first["order"]["id"]})["order"]

    # B twice, one of them free, and A added and free: 31.00 are left to pay, of which half goes.
    assert only(order, "amount", "initial_amount", "total_amount", "applied_discount_amount") == {
        "amount": 9100,
        "initial_amount": 3100,
        "total_amount": 1550,
        "applied_discount_amount": 1550,
    }


def test_discounts_of_an_earlier_redemption_follow_their_goods_when_lines_are_sent_anew(api):
    half = code_with(api, discount={"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS"})
    a, b = lines(1000, 3000)
    redeem(api, half, order={"source_id": "cart", "items": [a, b]})
    new = {"source_id": "new", "quantity": 1, "price": 200}

    order = redeem(api, code_with(api), order={"source_id": "cart", "items": [new, b, a]})["order"]

    assert [item.get("discount_amount", 0) for item in order["items"]] == [0, 1500, 500]
    assert order["total_amount"] == 1200


def test_rollback_that_leaves_the_order_keeps_its_units(api, project, goods, free_units):
    project.stacking_rules = {"redeemables_rollback_order_mode": "WITHOUT_ORDER"}
    project.save()
    redeemed = redeem(api, free_units, order={"items": [line_of(goods[0])]})

    order = api.post(f"/v1/redemptions/{redeemed['redemptions'][0]['id']}/rollback").json()["order"]

    assert only(order, "status", "amount", "total_amount") == {
        "status": "PAID",
        "amount": 6000,
        "total_amount": 0,
    }


def test_a_free_sku_is_named_in_the_result_and_in_its_line(api, project):
    sku = SkuFactory(project=project, price=700)
    discount = {"type": "UNIT", "effect": "ADD_NEW_ITEMS", "unit_off": 2, "unit_type": sku.public_id}
    code = code_with(api, discount=discount)

    (found,) = validate(api, code, order={"amount": 1000})["redeemables"]

    assert found["result"]["discount"]["sku"]["id"] == sku.public_id
    (line,) = found["order"]["items"]
    assert only(line, "sku_id", "quantity", "initial_quantity", "subtotal_amount") == {
        "sku_id": sku.public_id,
        "quantity": 2,
        "initial_quantity": 0,
        "subtotal_amount": 0,
    }


def test_what_is_not_in_the_catalogue_cannot_be_given(api):
    discount = {"type": "UNIT", "effect": "ADD_NEW_ITEMS", "unit_off": 1, "unit_type": "prod_gone"}
    code = code_with(api, discount=discount)

    (found,) = validate(api, code, order={"amount": 1000})["redeemables"]

    assert found["result"]["error"]["key"] == "invalid_product"


def test_free_shipping_needs_no_catalogue(api):
    discount = {"type": "UNIT", "unit_off": 1, "unit_type": "prod_5h1pp1ng"}
    code = code_with(api, discount=discount)
    items = [*lines(5000), {"product_id": "prod_5h1pp1ng", "quantity": 1, "price": 490}]

    assert discounts(validate(api, code, order={"items": items})) == [0, 490]


def test_the_answer_lists_what_a_discount_is_for(api):
    code = code_with(
        api,
        discount={"type": "PERCENT", "percent_off": 50},
        applicable_to={
            "included_all": True,
            "included": named("a", effect="APPLY_TO_EVERY"),
            "excluded": named("b"),
        },
    )

    (found,) = validate(api, code, order={"items": lines(1000, 2000)})["redeemables"]

    listed = {
        name: [(row["object"], row["id"], row.get("order_item_indices")) for row in found[name]["data"]]
        for name in ("applicable_to", "inapplicable_to")
    }
    assert listed == {
        "applicable_to": [("product", "a", [0])],
        "inapplicable_to": [("product", "b", [1])],
    }
    assert [found[name]["total"] for name in listed] == [1, 1]


def test_a_collection_brings_its_products_into_the_list(api, project, goods):
    cheap = ProductCollectionFactory(project=project, name="Below 30")
    cheap.filter = {"junction": "and", "price": {"conditions": {"$less_than": [3000]}}}
    cheap.save()
    code = code_with(
        api,
        discount={"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS"},
        applicable_to={"included": [{"object": "products_collection", "id": cheap.public_id}]},
    )

    (found,) = validate(api, code, order={"items": [line_of(one) for one in goods]})["redeemables"]

    assert [(row["object"], row["id"]) for row in found["applicable_to"]["data"]] == [
        ("products_collection", cheap.public_id),
        ("product", goods[0].public_id),
    ]
    assert found["order"]["items_discount_amount"] == 1450


def test_every_third_unit_is_free(api):
    code = code_with(
        api,
        discount={"type": "PERCENT", "percent_off": 100, "effect": "APPLY_TO_ITEMS"},
        applicable_to={"included": named("a", repeat=3, skip_initially=2, target="UNIT")},
    )

    (found,) = validate(api, code, order={"items": [{"source_id": "a", "quantity": 7, "price": 500}]})[
        "redeemables"
    ]

    assert found["order"]["items"][0]["discount_amount"] == 1000
    assert found["applicable_to"]["data"][0]["order_item_units"] == [{"index": 0, "units": [3, 6]}]


def test_a_formula_is_worked_out_over_the_order(api):
    discount = {"type": "AMOUNT", "amount_off": 1, "amount_off_formula": "IF(ORDER_AMOUNT > 400;20;5)"}
    code = code_with(api, discount=discount)

    results = [
        validate(api, code, order={"amount": amount})["redeemables"][0]["result"]["discount"]
        for amount in (40001, 40000)
    ]

    assert [(one["amount_off"], one["is_dynamic"]) for one in results] == [(2000, True), (500, True)]
    assert results[0]["amount_off_formula"] == "IF(ORDER_AMOUNT > 400;20;5)"


def test_a_formula_that_cannot_be_worked_out_leaves_the_fixed_value(api):
    discount = {"type": "PERCENT", "percent_off": 7, "percent_off_formula": 'CUSTOMER_METADATA("level")'}
    code = code_with(api, discount=discount)

    plain = validate(api, code, order={"amount": 10000})
    metadata = {"customer": {"source_id": "u", "metadata": {"level": 12}}}
    dynamic = validate(api, code, order={"amount": 10000}, **metadata)

    assert (plain["order"]["total_amount"], dynamic["order"]["total_amount"]) == (9300, 8800)
    assert plain["redeemables"][0]["result"]["discount"]["is_dynamic"] is False


def test_a_formula_may_ask_how_the_code_was_published(api):
    discount = {"type": "AMOUNT", "amount_off": 1, "amount_off_formula": 'PUBLICATION_METADATA("gift")'}
    published, plain = code_with(api, discount=discount), code_with(api, discount=discount)
    ann = {"source_id": "ann"}
    api.post("/v1/publications", {"voucher": published, "customer": ann, "metadata": {"gift": 7}})
    asked = {"order": {"amount": 10000}, "customer": ann}

    saved = [
        validate(api, code, **asked)["order"]["total_applied_discount_amount"] for code in (published, plain)
    ]
    qualified = api.post("/v1/qualifications", asked | {"scenario": "CUSTOMER_WALLET"}).json()

    assert saved == [700, 1]
    (found,) = qualified["redeemables"]["data"]
    assert found["order"]["total_applied_discount_amount"] == 700


def test_prices_by_formula_come_from_the_rule(api):
    code = code_with(
        api,
        discount={"type": "FIXED", "effect": "APPLY_TO_ITEMS"},
        applicable_to={"included": named("a", price=2000, price_formula="ORDER_ITEM_PRICE / 4")},
    )

    (found,) = validate(api, code, order={"items": lines(8000, 500)})["redeemables"]

    assert found["order"]["items"][0]["discount_amount"] == 6000
    assert found["result"]["discount"]["is_dynamic"] is True


@pytest.mark.parametrize(
    ("path", "body", "details"),
    [
        (
            "/v1/vouchers/X",
            {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}},
            "Property .discount.amount_off_formula can't be read at position 7: ) is missing here",
        ),
        (
            "/v1/campaigns",
            {
                "name": "X",
                "voucher": {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}},
            },
            "Property .voucher.discount.amount_off_formula can't be read at position 7: ) is missing here",
        ),
    ],
)
def test_a_mistake_in_a_formula_is_answered_with_its_place(api, path, body, details):
    (body.get("voucher") or body)["discount"]["amount_off_formula"] = "MIN(1;2"

    answer = api.post(path, body)

    assert (answer.status_code, answer.json()["details"]) == (400, details)


def test_a_mistake_in_a_price_formula_of_a_rule_is_answered_with_its_place(api):
    entry = {"object": "product", "id": "p", "price_formula": "1 +* 2"}

    answer = api.post("/v1/validation-rules", {"name": "X", "applicable_to": {"included": [entry]}})

    assert answer.json()["key"] == "invalid_validation_rules"
    assert answer.json()["details"] == (
        "applicable_to.included[0].price_formula can't be read at position 3: a value is missing here"
    )


@pytest.fixture
def bundle_code(api, goods):
    """A code for a bundle of one A and two B, twice at most."""
    bundle = {
        "limit": 2,
        "1": {"name": "order.items.any", "conditions": {"$is": [_good(goods[0])]}},
        "2": {
            "name": "order.items.any",
            "conditions": {"$is": [_good(goods[1])]},
            "rules": {
                "1": {"name": "order.items.aggregated_quantity", "conditions": {"$is": [2]}},
                "logic": "1",
            },
        },
    }
    discount = {"type": "AMOUNT", "amount_off": 300}
    return code_with(
        api, discount=discount, type="complex", bundle_rules=bundle, error={"message": "One A, two B"}
    )


def _good(product):
    return {"id": product.public_id, "object": "product"}


def test_a_discount_is_given_for_each_bundle(api, goods, bundle_code):
    a, b = goods

    (found,) = validate(api, bundle_code, order={"items": [line_of(a, 3), line_of(b, 7)]})["redeemables"]

    assert found["result"]["bundle"] == {
        "quantity": 2,
        "limit": 2,
        "identified": [
            {"id": a.public_id, "object": "product", "item_index": 0, "item_quantity": 2},
            {"id": b.public_id, "object": "product", "item_index": 1, "item_quantity": 4},
        ],
    }
    assert found["order"]["total_applied_discount_amount"] == 600


def test_a_bundle_that_is_not_whole_says_what_is_missing(api, goods, bundle_code):
    a, b = goods

    (found,) = validate(api, bundle_code, order={"items": [line_of(a), line_of(b)]})["redeemables"]

    assert found["result"]["bundle"] == {
        "quantity": 0,
        "limit": 2,
        "identified": [
            {"id": a.public_id, "object": "product", "item_index": 0, "item_quantity": 1},
            {"id": b.public_id, "object": "product", "item_index": 1, "item_quantity": 1},
        ],
        "missing": [{"id": b.public_id, "object": "product", "item_quantity": 1}],
    }


def test_a_missing_bundle_is_refused_in_the_rules_own_words(api, goods, bundle_code):
    (found,) = validate(api, bundle_code, order={"items": [line_of(goods[0])]})["redeemables"]

    error = found["result"]["error"]
    assert (error["key"], error["error"]) == ("order_rules_violated", {"message": "One A, two B"})
    assert error["details"].startswith(
        "Discount Coupon cannot be redeemed because of violated validation rules: val_"
    )


def test_units_are_discounted_up_to_a_campaigns_limit_and_a_rollback_frees_them(api):
    code = code_with(
        api,
        discount={"type": "PERCENT", "percent_off": 100, "effect": "APPLY_TO_ITEMS"},
        applicable_to={"included": named("a", product_campaign_quantity_limit=3)},
    )
    order = {"items": [{"source_id": "a", "quantity": 2, "price": 500}]}

    first, second = redeem(api, code, order=order), redeem(api, code, order=order)
    api.post(f"/v1/redemptions/{first['redemptions'][0]['id']}/rollback")
    third = redeem(api, code, order=order)

    assert [one["order"]["total_amount"] for one in (first, second, third)] == [0, 500, 0]
