"""Checkouts with rules, units, bundles, categories and stacks answer in the published shape."""

import pytest

from tests.factories import (
    CampaignFactory,
    CategoryFactory,
    CustomerFactory,
    ProductCollectionFactory,
    ProductFactory,
    PromotionTierFactory,
    SkuFactory,
    VoucherFactory,
)
from tests.redemptions.storefront import assign, code_with, make_rule, redeemables

BIG = {"name": "order.amount", "conditions": {"$more_than": [5000]}, "error": {"message": "Spend more"}}
CUSTOMER = {"source_id": "ann", "name": "Ann"}
EXPAND = {"expand": ["order", "redeemable", "category"]}


@pytest.fixture
def goods(project):
    """A product with a SKU, and another product."""
    a, b = (ProductFactory(project=project, source_id=name, price=2000) for name in "ab")
    return a, SkuFactory(project=project, product=a, price=2500), b


@pytest.fixture
def order(goods):
    a, sku, _ = goods
    return {
        "source_id": "cart",
        "items": [
            {"product_id": a.public_id, "quantity": 2},
            {"sku_id": sku.public_id, "product_id": a.public_id, "quantity": 1},
            {"source_id": "b", "related_object": "product", "quantity": 3, "metadata": {"color": "red"}},
            {"quantity": 1, "price": 700, "product": {"name": "Hat", "metadata": {"brand": "x"}}},
        ],
    }


def validate(contract, codes, order):
    """Validate, by both endpoints, and qualify."""
    body = {"redeemables": redeemables(*codes), "order": order, "customer": CUSTOMER, "options": EXPAND}
    contract.call("post", "/v1/validations", body)
    if body["redeemables"][0]["object"] == "voucher":
        contract.call("post", f"/v1/vouchers/{codes[0]}/validate", {"order": order, "customer": CUSTOMER})
    contract.call("post", "/v1/qualifications", {"order": order, "customer": CUSTOMER, "options": EXPAND})
    return body


def redeem_and_roll_back(contract, codes, order):
    redeemed = contract.call("post", "/v1/redemptions", validate(contract, codes, order))
    whole = redeemed.get("parent_redemption") or redeemed["redemptions"][0]
    contract.call("get", f"/v1/redemptions/{whole['id']}")
    contract.call("post", f"/v1/redemptions/{whole['id']}/rollbacks", {"reason": "returned"})
    contract.call("get", f"/v1/redemptions/{whole['id']}")
    contract.call("get", "/v1/redemptions")


def discounts_of_units(goods):
    a, sku, _ = goods
    missing = {"effect": "ADD_MISSING_ITEMS", "unit_off": 1, "unit_type": a.public_id}
    new = {"effect": "ADD_NEW_ITEMS", "unit_off": 2, "unit_type": sku.public_id}
    return {
        "missing": {"type": "UNIT", **missing},
        "new": {"type": "UNIT", **new, "unit_off_formula": "ORDER_ITEMS_QUANTITY"},
        "many": {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": [missing, new]},
        "shipping": {"type": "UNIT", "unit_off": 1, "unit_type": "prod_5h1pp1ng"},
    }


@pytest.mark.parametrize("name", ["missing", "new", "many", "shipping"])
def test_units(contract, api, goods, order, name):
    code = code_with(api, discount=discounts_of_units(goods)[name])

    redeem_and_roll_back(contract, [code], order)


@pytest.mark.parametrize(
    "discount",
    [
        {"type": "AMOUNT", "amount_off": 300, "amount_off_formula": "ORDER_AMOUNT / 10"},
        {"type": "AMOUNT", "amount_off": 300, "effect": "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"},
        {"type": "PERCENT", "percent_off": 10.5, "percent_off_formula": "ORDER_ITEMS_QUANTITY"},
        {"type": "FIXED", "fixed_amount": 100, "effect": "APPLY_TO_ITEMS"},
    ],
)
def test_applicable_to(contract, api, project, goods, order, discount):
    a, sku, b = goods
    every = {"effect": "APPLY_TO_EVERY"}
    scope = {
        "included": [
            {"object": "product", "id": a.public_id, "source_id": "a", "quantity_limit": 1, **every},
            {
                "object": "products_collection",
                "id": ProductCollectionFactory(project=project).public_id,
                "effect": "APPLY_TO_CHEAPEST",
                "target": "UNIT",
                "repeat": 1,
                "skip_initially": 1,
            },
            {"object": "sku", "id": sku.public_id, "product_id": a.public_id, "price": 100, **every},
        ],
        "excluded": [{"object": "product", "id": b.public_id, "source_id": "b", **every}],
        "included_all": True,
    }
    code = code_with(api, discount=discount, applicable_to=scope)

    redeem_and_roll_back(contract, [code], order)


@pytest.mark.parametrize("wanted", [2, 9])
def test_bundles(contract, api, goods, order, wanted):
    bundle = {
        "limit": 2,
        "1": {
            "name": "order.items.any",
            "conditions": {"$is": [{"id": goods[0].public_id, "object": "product"}]},
        },
        "2": {
            "name": "order.items.any",
            "conditions": {"$is": [{"id": goods[2].public_id, "object": "product"}]},
            "rules": {
                "1": {"name": "order.items.aggregated_quantity", "conditions": {"$is": [wanted]}},
                "logic": "1",
            },
        },
    }
    code = code_with(api, type="complex", bundle_rules=bundle)

    validate(contract, [code], order)


def test_refusals_by_rules(contract, client_contract, api, project):
    code, tier = code_with(api, BIG), PromotionTierFactory(project=project)
    related = {"related_object_type": "promotion_tier", "related_object_id": tier.public_id}
    assign(api, make_rule(api, BIG), **related)

    for redeemable in (code, tier.public_id, "UNKNOWN"):
        body = {"redeemables": redeemables(redeemable, "LAST"), "order": {"amount": 100}}
        contract.call("post", "/v1/validations", body)
    api.post("/v1/redemptions", validate(contract, [code], {"amount": 100}))
    client_contract.call(
        "post", "/client/v1/validations", {"redeemables": redeemables(code), "order": {"amount": 100}}
    )
    contract.call("post", "/v1/promotions/validation", {"order": {"amount": 100}})
    contract.call("get", "/v1/redemptions")


@pytest.mark.parametrize("mode", ["ALL", "PARTIAL"])
def test_categories_and_skipped_redeemables(contract, project, mode):
    alone, joint, common = (CategoryFactory(project=project) for _ in range(3))
    project.stacking_rules = {
        "exclusive_categories": [alone.public_id],
        "joint_categories": [joint.public_id],
        "redeemables_application_mode": mode,
        "redeemables_no_effect_rule": "SKIP",
    }
    project.save()
    categories = [alone, joint, common, alone, None]
    whole = {"type": "PERCENT", "percent_off": 100}
    codes = [
        VoucherFactory(project=project, category=category, discount=whole).code for category in categories
    ]

    body = {"redeemables": redeemables(*codes), "order": {"amount": 1000}, "options": EXPAND}
    contract.call("post", "/v1/validations", body)
    contract.call("post", "/v1/redemptions", body)
    contract.call("post", "/v1/qualifications", {"order": {"amount": 1000}, "options": EXPAND})


def test_a_limit_of_a_category_and_one_of_all(contract, project):
    category = CategoryFactory(project=project)
    project.stacking_rules = {
        "applicable_redeemables_per_category_limit": 1,
        "applicable_redeemables_limit": 2,
    }
    project.save()
    codes = [VoucherFactory(project=project, category=one).code for one in (category, category, None, None)]

    contract.call("post", "/v1/validations", {"redeemables": redeemables(*codes), "order": {"amount": 9000}})


@pytest.fixture
def stack(api, project):
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    category = CategoryFactory(project=project)
    tiers = PromotionTierFactory.create_batch(2, project=project, campaign=campaign, category=category)
    body = {
        "name": "S",
        "tiers": {"ids": [tier.public_id for tier in tiers]},
        "category_id": category.public_id,
    }
    return api.post(f"/v1/promotions/{campaign.public_id}/stacks", body).json()


def test_stacks(contract, stack, order):
    redeem_and_roll_back(contract, [stack["id"]], order)


@pytest.mark.parametrize(
    "scenario",
    [
        "ALL",
        "CUSTOMER_WALLET",
        "AUDIENCE_ONLY",
        "PRODUCTS",
        "PRODUCTS_DISCOUNT",
        "PROMOTION_STACKS",
        "PRODUCTS_BY_CUSTOMER",
        "PRODUCTS_DISCOUNT_BY_CUSTOMER",
    ],
)
@pytest.mark.parametrize("sorting", ["DEFAULT", "BEST_DEAL", "LEAST_DEAL"])
def test_qualifications(contract, client_contract, api, project, stack, order, scenario, sorting):
    CampaignFactory(project=project)
    ann = CustomerFactory(project=project, source_id="ann")
    gift = {"type": "GIFT_VOUCHER", "discount": None, "gift_amount": 900, "gift_balance": 900}
    VoucherFactory(project=project, holder=ann, category=CategoryFactory(project=project), **gift)
    code_with(api, BIG, applicable_to={"included": [{"object": "product", "id": "b", "source_id": "b"}]})
    body = {
        "scenario": scenario,
        "order": order,
        "customer": CUSTOMER,
        "options": {
            "limit": 2,
            "sorting_rule": sorting,
            "expand": ["redeemable", "category", "validation_rules"],
        },
    }

    first = contract.call("post", "/v1/qualifications", body)["redeemables"]
    client_contract.call("post", "/client/v1/qualifications", body)
    if first["has_more"]:
        body["options"] |= {"starting_after": first["more_starting_after"]}
        contract.call("post", "/v1/qualifications", body)


def test_sessions(contract, project):
    code = VoucherFactory(project=project, quantity=1).code
    session = {"type": "LOCK", "ttl": 90, "ttl_unit": "SECONDS"}
    body = {"redeemables": redeemables(code), "order": {"amount": 1000}, "session": session}

    key = contract.call("post", "/v1/validations", body)["session"]["key"]
    contract.call("post", "/v1/validations", body)
    contract.call(
        "post", f"/v1/vouchers/{code}/validate", {"order": {"amount": 1000}, "session": {"key": key}}
    )
    contract.call("delete", f"/v1/vouchers/{code}/sessions/{key}", status=204)
    contract.call("post", f"/v1/vouchers/{code}/redemption", {"order": {"amount": 1000}})
