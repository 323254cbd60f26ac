"""Bodies that are nearly right, with something hostile in them: every endpoint answers, none breaks."""

import copy
import random

import pytest

from promoengine.core.models import ApiKey, AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.jobs import refresh_customers
from tests.api import Api
from tests.factories import (
    CampaignFactory,
    ProductFactory,
    PromotionTierFactory,
    ValidationRuleFactory,
    VoucherFactory,
)

ROUNDS = 60
CAMPAIGN = {
    "name": "Spring",
    "voucher": {
        "type": "DISCOUNT_VOUCHER",
        "discount": {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"},
        "code_config": {"pattern": "A-####", "charset": "AB", "length": 4},
        "redemption": {"quantity": 1},
    },
    "vouchers_count": 1,
    "start_date": "2026-01-01",
    "expiration_date": "2999-01-01",
    "validity_timeframe": {"interval": "P2D", "duration": "P1D"},
    "validity_hours": {"daily": [{"start_time": "10:00", "expiration_time": "12:00", "days_of_week": [1]}]},
    "metadata": {"a": 1},
}
PROMOTION = {
    "name": "P",
    "campaign_type": "PROMOTION",
    "promotion": {"tiers": [{"name": "T", "action": {"discount": {"type": "AMOUNT", "amount_off": 1}}}]},
}
VOUCHER = {
    "discount": {"type": "AMOUNT", "amount_off": 1},
    "gift": {"amount": 5},
    "redemption": {"quantity": 2},
    "category": "News",
    "metadata": {},
}
UNITS = {
    "type": "DISCOUNT_VOUCHER",
    "discount": {
        "type": "UNIT",
        "effect": "ADD_MANY_ITEMS",
        "units": [
            {"unit_off": 1, "unit_type": "SHOE", "effect": "ADD_NEW_ITEMS"},
            {"unit_off": 1, "unit_off_formula": "ORDER_AMOUNT", "unit_type": "prod_5h1pp1ng"},
        ],
    },
    "validation_rules": [],
}
FORMULA = {
    "type": "DISCOUNT_VOUCHER",
    "discount": {
        "type": "AMOUNT",
        "amount_off": 5,
        "amount_off_formula": 'IF(ORDER_AMOUNT > 5;CUSTOMER_METADATA("a");2)',
        "aggregated_amount_limit": 5,
    },
}
ASSIGNMENT = {"related_object_type": "voucher", "related_object_id": "CODE", "voucher": "CODE"}
PURCHASE = {
    "source_id": "o-1",
    "status": "PAID",
    "amount": 1000,
    "initial_amount": 900,
    "discount_amount": 50,
    "items": [
        {
            "source_id": "SHOE",
            "related_object": "product",
            "quantity": 2,
            "price": 450,
            "discount_amount": 20,
            "discount_quantity": 1,
            "initial_quantity": 1,
            "initial_amount": 450,
            "product": {"name": "Shoe", "price": 450, "metadata": {"a": 1}, "override": True},
            "sku": {"source_id": "SHOE-42", "sku": "42"},
            "metadata": {"b": [1]},
        },
        {"amount": 100},
    ],
    "customer": {"source_id": "z", "metadata": {"a": 1}},
    "referrer": {"source_id": "y"},
    "metadata": {"a": {"b": 1}},
}
QUALIFICATION = {
    "order": {"amount": 1000, "items": [{"product_id": "SHOE", "quantity": 1, "price": 500}]},
    "customer": {"source_id": "z", "metadata": {"a": 1}},
    "scenario": "PRODUCTS",
    "options": {
        "limit": 5,
        "starting_after": "2026-01-01T00:00:00.001Z",
        "sorting_rule": "BEST_DEAL",
        "expand": ["trace", "redeemable"],
        "filters": {
            "junction": "or",
            "resource_type": {"conditions": {"$in": ["voucher"]}},
            "campaign_id": {"conditions": {"$is": ["camp_x"]}},
        },
    },
}
RULE = {
    "name": "R",
    "rules": {
        "1": {"name": "order.metadata", "property": "shop", "conditions": {"$is": ["x"]}, "rules": {}},
        "2": {
            "name": "order.items.any",
            "conditions": {"$is": [{"id": "prod_1", "object": "product"}]},
            "rules": {"1": {"name": "order.items.quantity", "conditions": {"$more_than": [1]}}, "logic": "1"},
            "error": {"message": "No"},
        },
        "3": {"name": "redemption.count.daily", "conditions": {"$less_than_or_equal": [2]}},
        "logic": "(1 or 2) and 3",
    },
    "applicable_to": {"included": [{"object": "product", "id": "prod_1", "quantity_limit": 1}]},
    "bundle_rules": {
        "1": {"name": "order.items.any", "conditions": {"$is": [{"id": "prod_1", "object": "product"}]}}
    },
    "error": {"message": "No"},
}
CHECKOUT = {
    "redeemables": [
        {"object": "voucher", "id": "CODE"},
        {"object": "voucher", "id": "CARD", "gift": {"credits": 5}},
    ],
    "order": {"source_id": "o", "amount": 1000, "items": [{"product_id": "p", "quantity": 1, "price": 500}]},
    "customer": {"source_id": "z", "metadata": {}},
    "session": {"type": "LOCK", "key": "k", "ttl": 1, "ttl_unit": "DAYS"},
    "options": {"expand": ["order"], "limit": 5, "filters": {"code": {"conditions": {"$is": ["x"]}}}},
    "scenario": "ALL",
    "metadata": {},
}
CUSTOMER = {
    "source_id": "q",
    "name": "n",
    "email": "a@b.example",
    "address": {"city": "x"},
    "birthdate": "1990-01-01",
    "metadata": {"a": 1},
}
PRODUCT = {
    "source_id": "SHOE",
    "name": "n",
    "price": 5,
    "attributes": ["a"],
    "metadata": {"a": 1},
    "image_url": "x",
}
SKU = {
    "source_id": "s",
    "sku": "n",
    "price": 5,
    "currency": "EUR",
    "attributes": {"a": 1},
    "metadata": {"a": 1},
}
BY_FILTER = {
    "type": "AUTO_UPDATE",
    "name": "x",
    "filter": {
        "junction": "and",
        "price": {"conditions": {"$less_than": [5]}},
        "metadata.brand": {"conditions": {"$is": ["x"], "$contains": ["y"]}},
        "created_at": {"conditions": {"$is_days_ago": [3]}},
    },
}
SEGMENT = {
    "type": "auto-update",
    "name": "x",
    "filter": {
        "junction": "or",
        "address.city": {"conditions": {"$is": "x"}},
        "metadata.a": {"conditions": {"$is": ["x"], "$more_than": [1]}},
        "birthdate": {"conditions": {"$next_month": [True], "$is_days_ago_md": [3], "$less_than": [5]}},
        "summary.orders.total_amount": {"conditions": {"$more_than": [5]}},
        "events.e.count": {"conditions": {"$more_than_equal": ["1"]}},
    },
}
TIER = {
    "name": "T",
    "banner": "B",
    "action": {"discount": {"type": "AMOUNT", "amount_off": 1}},
    "metadata": {"a": 1},
    "hierarchy": 2,
    "active": True,
    "category": "News",
    "start_date": "2026-01-01",
    "validity_timeframe": {"interval": "P2D", "duration": "P1D"},
    "validity_day_of_week": [1],
    "validation_rules": [],
}
STACKING = {
    "redeemables_limit": 20,
    "applicable_redeemables_category_limits": {"cat_x": 1},
    "joint_categories": [],
    "exclusive_categories": ["cat_x"],
    "redeemables_application_mode": "ALL",
}
REFUND = {
    "items": [{"order_item_index": 0, "source_id": "a", "quantity": 1}, {"sku_id": "b", "quantity": 2}],
    "mode": "REEVALUATE",
    "source_id": "rma",
    "reason": "x",
    "metadata": {"a": 1},
    "expected_amount": 900,
}
ENDPOINTS = [
    ("/v1/campaigns", CAMPAIGN),
    ("/v1/campaigns", PROMOTION),
    ("/v1/campaigns/Autumn/vouchers", VOUCHER),
    ("/v1/vouchers", VOUCHER),
    ("/v1/vouchers", UNITS),
    ("/v1/vouchers", FORMULA),
    ("/v1/validation-rules", RULE),
    ("/v1/validation-rules/{rule}/assignments", ASSIGNMENT),
    ("/v1/vouchers/CARD/balance", {"amount": 5, "source_id": "x", "reason": "y"}),
    ("/v1/vouchers/CODE/validate", CHECKOUT),
    ("/v1/vouchers/CODE/redemption", CHECKOUT),
    ("/v1/validations", CHECKOUT),
    ("/v1/redemptions", CHECKOUT),
    ("/v1/qualifications", CHECKOUT),
    ("/v1/qualifications", QUALIFICATION),
    ("/v1/promotions/validation", CHECKOUT),
    ("/v1/promotions/tiers/{tier}/validation", CHECKOUT),
    ("/v1/promotions/tiers/{tier}/redemption", CHECKOUT),
    (
        "/v1/publications",
        {"campaign": {"name": "Autumn", "count": 1}, "customer": CUSTOMER, "source_id": "s"},
    ),
    ("/v1/customers", CUSTOMER),
    ("/v1/customers/bulk/async", [CUSTOMER]),
    ("/v1/customers/metadata/async", {"source_ids": ["a"], "metadata": {"a": 1}}),
    ("/v1/events", {"event": "e", "customer": CUSTOMER, "metadata": {}}),
    ("/v1/products", PRODUCT),
    ("/v1/products/bulk/async", [PRODUCT]),
    ("/v1/products/metadata/async", {"source_ids": ["a"], "metadata": {"a": 1}}),
    ("/v1/products/SHOE/skus", SKU),
    (
        "/v1/product-collections",
        {"type": "STATIC", "name": "x", "products": [{"id": "SHOE", "object": "product"}]},
    ),
    ("/v1/product-collections", BY_FILTER),
    ("/v1/segments", SEGMENT),
    ("/v1/segments", {"type": "static", "name": "x", "customers": ["a", "b"]}),
    ("/v1/categories", {"name": "C", "hierarchy": 1}),
    ("/v1/promotions/Promotion/tiers", TIER),
    (
        "/v1/promotions/Promotion/stacks",
        {"name": "S", "tiers": {"ids": ["CODE"], "hierarchy_mode": "MANUAL"}},
    ),
    ("/v1/orders/cart/refunds", REFUND),
    ("/v1/orders/cart/refunds/calculation", REFUND),
    ("/v1/oauth/token", {"grant_type": "client_credentials", "scope": "api"}),
]
HOSTILE = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    2**31,
    2**63,
    -(2**63),
    "",
    "x" * 300,
    "x" * 12_000,
    "\u202e",
    "\N{PARTY POPPER}",
    "' OR 1=1 --",
    "2026-13-45",
    "9999-12-31T23:59:59Z",
    "P99999999999D",
    "camp_" + "z" * 22,
    "CODE",
    "CARD",
    [],
    [[]],
    [{}],
    ["x"] * 40,
    {},
    {"type": {"a": [1, {"b": None}]}},
]


@pytest.mark.parametrize(("path", "good"), ENDPOINTS)
def test_a_hostile_value_breaks_nothing(api, project, path, good):
    campaign = CampaignFactory(project=project, name="Autumn")
    CampaignFactory(project=project, name="Promotion", campaign_type="PROMOTION", discount=None)
    ProductFactory(project=project, source_id="SHOE")
    VoucherFactory(project=project, campaign=campaign, discount=None, code="CODE")
    VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=9000, gift_balance=9000, code="CARD"
    )
    lines = [{"source_id": "a", "quantity": 50, "price": 9}, {"sku_id": "b", "quantity": 50, "price": 9}]
    sold = {"source_id": "cart", "items": lines}
    api.post("/v1/redemptions", {"redeemables": [{"object": "voucher", "id": "CODE"}], "order": sold})
    chance = random.Random(path)

    tier, rule = PromotionTierFactory(project=project), ValidationRuleFactory(project=project)
    url = path.format(tier=tier.public_id, rule=rule.public_id)

    bodies = [spoiled(good, chance) for _ in range(ROUNDS)]
    broken = [body for body in bodies if api.post(url, body).status_code >= 500]

    assert broken == []


def test_rules_and_discounts_that_were_taken_break_no_checkout(api, project):
    """Of all hostile rules and discounts, those that are let in are used."""
    ProductFactory(project=project, source_id="SHOE")
    chance = random.Random("checkout")
    codes = []
    for good in (RULE, UNITS, FORMULA) * ROUNDS:
        path = "/v1/validation-rules" if good is RULE else "/v1/vouchers"
        taken = api.post(path, spoiled(good, chance, most=1))
        if taken.status_code != 200:
            continue
        made = taken.json()
        code = made.get("code") or VoucherFactory(project=project).code
        if good is RULE:
            api.post(f"/v1/validation-rules/{made['id']}/assignments", {"voucher": code})
        codes.append(code)

    body = CHECKOUT | {"options": {"expand": ["trace"]}, "session": None}
    asked = [body | {"redeemables": [{"object": "voucher", "id": code}]} for code in codes]
    broken = [
        one
        for one in asked
        for path in ("/v1/validations", "/v1/redemptions")
        if api.post(path, one).status_code >= 500
    ]

    assert len(codes) > 10
    assert broken == []


AMOUNT = {"name": "order.amount", "conditions": {"$more_than": [1]}}


def nested(depth):
    rule = {"name": "order.items.any", "conditions": {"$is": ["SHOE"]}}
    for _ in range(depth):
        rule |= {"rules": {"1": dict(rule)}}
    return rule


@pytest.mark.parametrize(
    ("rule", "details"),
    [
        ({"rules": {"1": nested(30)}}, "should be an object of numbered rules, up to 4 deep"),
        ({"rules": {"1": AMOUNT, "logic": f"{'(' * 900}1{')' * 900}"}}, "is nested more than 50 deep"),
        ({"rules": {"1": AMOUNT, "logic": "not " * 900 + "1"}}, "is nested more than 50 deep"),
        ({"rules": {"1": AMOUNT, "logic": " or ".join("1" * 2000)}}, "may have up to 5000 characters"),
        ({"rules": {str(number): AMOUNT for number in range(10_000)}}, "rules may have up to 200 rules"),
        (
            {"applicable_to": {"included": [{"object": "product", "id": "p"}] * 10_000}},
            "applicable_to.included may have up to 5000 entries",
        ),
        ({"bundle_rules": {"limit": 10**12, "1": RULE["bundle_rules"]["1"]}}, "bundle_rules.limit"),
    ],
)
def test_rules_that_would_cost_too_much_are_refused(api, rule, details):
    answer = api.post("/v1/validation-rules", {"name": "R"} | rule)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_validation_rules")
    assert details in answer.json()["details"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_numbers_that_are_none_break_nothing(api, number):
    rule = b'{"name":"R","rules":{"1":{"name":"order.amount","conditions":{"$more_than":[%s]}}}}'
    checkout = b'{"redeemables":[{"object":"voucher","id":"CODE"}],"order":{"amount":%s}}'

    statuses = [
        api.post(path, body % number.encode()).status_code
        for path, body in (("/v1/validation-rules", rule), ("/v1/validations", checkout))
    ]

    assert all(status < 500 for status in statuses)
    assert statuses[1] == 400


@pytest.mark.parametrize(
    "formula",
    [
        "POW(9;POW(9;POW(9;POW(9;9))))",
        "POW(0.5;-99999)",
        "POW(-8;0.333)",
        "POW(10;400) * POW(10;400)",
        "POW(1.000000001;999999999)",
        "ORDER_AMOUNT / 0",
        "ROUND(1;99999999)",
        "ROUND(1;-99999999)",
        "-" * 900 + "1",
        'DAYS_SINCE("never")',
    ],
)
@pytest.mark.parametrize("discount", ["AMOUNT", "PERCENT", "FIXED", "UNIT"])
def test_formulas_that_come_to_nothing_break_no_checkout(api, formula, discount):
    names = {"AMOUNT": "amount_off", "PERCENT": "percent_off", "FIXED": "fixed_amount", "UNIT": "unit_off"}
    terms = {"type": discount, names[discount]: 1, f"{names[discount]}_formula": formula}
    unit = {"unit_type": "prod_5h1pp1ng"} if discount == "UNIT" else {}
    made = api.post("/v1/vouchers", {"type": "DISCOUNT_VOUCHER", "discount": terms | unit})
    body = {"redeemables": [{"object": "voucher", "id": made.json()["code"]}], "order": CHECKOUT["order"]}

    answer = api.post("/v1/validations", body)

    assert (made.status_code, answer.status_code, answer.json()["valid"]) == (200, 200, True)


def test_the_largest_cart_is_answered(api, project):
    lines = [{"source_id": f"p{number}", "quantity": 1000, "price": 500} for number in range(500)]
    named = [{"object": "product", "id": line["source_id"], "effect": "APPLY_TO_CHEAPEST"} for line in lines]
    project.stacking_rules = {"applicable_redeemables_limit": 30}
    project.save()
    rule = api.post(
        "/v1/validation-rules",
        {
            "name": "R",
            "rules": {"1": {"name": "order.items.any", "conditions": {"$is": named}}},
            "applicable_to": {"included": named},
        },
    ).json()["id"]
    discount = {"type": "PERCENT", "percent_off": 1, "effect": "APPLY_TO_ITEMS"}
    codes = [VoucherFactory(project=project, discount=discount).code for _ in range(30)]
    for code in codes:
        api.post(f"/v1/validation-rules/{rule}/assignments", {"voucher": code})

    body = {
        "redeemables": [{"object": "voucher", "id": code} for code in codes],
        "order": {"items": lines},
    }
    statuses = [api.post(path, body).status_code for path in ("/v1/validations", "/v1/redemptions")]

    assert statuses == [200, 200]


def test_hostile_stacking_rules_break_nothing(project):
    management, chance = Api(project, ApiKey.Kind.MANAGEMENT), random.Random(0)
    url = f"/management/v1/projects/{project.public_id}/stacking-rules"

    bodies = [spoiled(STACKING, chance) for _ in range(ROUNDS)]
    broken = [body for body in bodies if management.post(url, body).status_code >= 500]

    assert broken == []


def spoiled(body, chance, most=3):
    """Return a copy in which one or more values, at most so many, are hostile."""
    body = copy.deepcopy(body)
    for _ in range(chance.randint(1, most)):
        holder, place = chance.choice(list(places(body)))
        holder[place] = copy.deepcopy(chance.choice(HOSTILE))
    return body


def places(body):
    """Yield where values stand: the object or array, and the name or index in it."""
    for place, value in list(body.items() if isinstance(body, dict) else enumerate(body)):
        yield body, place
        if isinstance(value, dict | list) and value:
            yield from places(value)


def test_hostile_segments_and_customers_break_nothing(api, project):
    """Whatever segments say, customers can be changed and their rules can be asked."""
    chance = random.Random("segments")
    made = [api.post("/v1/segments", spoiled(SEGMENT, chance)) for _ in range(ROUNDS)]
    ids = [answer.json()["id"] for answer in made if answer.status_code == 200]
    assert ids
    rule = {"1": {"name": "customer.segment", "conditions": {"$is": ids}}}
    rule_id = api.post("/v1/validation-rules", {"name": "R", "rules": rule}).json()["id"]
    VoucherFactory(project=project, code="CODE")
    api.post(f"/v1/validation-rules/{rule_id}/assignments", {"voucher": "CODE"})

    broken = []
    for _ in range(ROUNDS):
        customer = spoiled(CUSTOMER, chance)
        body = {"redeemables": [{"object": "voucher", "id": "CODE"}], "customer": customer}
        statuses = [
            api.post("/v1/customers", customer).status_code,
            api.post("/v1/validations", body).status_code,
            api.post("/v1/redemptions", body | {"order": {"amount": 500}}).status_code,
        ]
        broken += [customer] if max(statuses) >= 500 else []

    assert broken == []


def test_hostile_orders_break_nothing(api, project):
    """Whatever orders say, they are read, changed, redeemed on, imported and counted."""
    VoucherFactory(project=project, code="CODE")
    chance = random.Random("orders")
    broken, statuses = [], []
    for _ in range(ROUNDS):
        body = spoiled(PURCHASE, chance, most=1)
        made = api.post("/v1/orders", body)
        ref = made.json().get("id", "o-1")
        redemption = {"redeemables": [{"object": "voucher", "id": "CODE"}], "order": {"id": ref}}
        seen = [
            made,
            api.put("/v1/orders/o-1", spoiled(PURCHASE, chance)),
            api.get(f"/v1/orders/{ref}"),
            api.post("/v1/redemptions", redemption),
            api.put(f"/v1/orders/{ref}", api.get(f"/v1/orders/{ref}").content),
            api.post("/v1/orders/import", [body, spoiled(PURCHASE, chance)]),
            api.get("/v1/orders", {"limit": 100}),
        ]
        statuses.append(made.status_code)
        broken += [body] if max(answer.status_code for answer in seen) >= 500 else []

    assert statuses.count(200) > 10
    assert broken == []
    for action in AsyncAction.objects.all():
        run_async_action(action.pk)
    events = OutboxEvent.objects.filter(customer_id__isnull=False).values_list("pk", flat=True)
    refresh_customers(event_ids=[str(key) for key in events])
    assert not AsyncAction.objects.exclude(status="DONE").exists()
