"""Bodies that are nearly right, with something hostile in them: every endpoint answers, none breaks."""

import copy
import random

import pytest

from promoengine.core.models import ApiKey
from tests.api import Api
from tests.factories import CampaignFactory, ProductFactory, VoucherFactory

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
ENDPOINTS = [
    ("/v1/campaigns", CAMPAIGN),
    ("/v1/campaigns", PROMOTION),
    ("/v1/campaigns/Autumn/vouchers", VOUCHER),
    ("/v1/vouchers", VOUCHER),
    ("/v1/validation-rules", RULE),
    ("/v1/vouchers/CARD/balance", {"amount": 5, "source_id": "x", "reason": "y"}),
    ("/v1/vouchers/CODE/validate", CHECKOUT),
    ("/v1/vouchers/CODE/redemption", CHECKOUT),
    ("/v1/validations", CHECKOUT),
    ("/v1/redemptions", CHECKOUT),
    ("/v1/qualifications", CHECKOUT),
    ("/v1/promotions/validation", CHECKOUT),
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
    ("/v1/categories", {"name": "C", "hierarchy": 1}),
    ("/v1/promotions/Promotion/tiers", TIER),
    (
        "/v1/promotions/Promotion/stacks",
        {"name": "S", "tiers": {"ids": ["CODE"], "hierarchy_mode": "MANUAL"}},
    ),
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
    chance = random.Random(path)

    bodies = [spoiled(good, chance) for _ in range(ROUNDS)]
    broken = [body for body in bodies if api.post(path, body).status_code >= 500]

    assert broken == []


def test_hostile_stacking_rules_break_nothing(project):
    management, chance = Api(project, ApiKey.Kind.MANAGEMENT), random.Random(0)
    url = f"/management/v1/projects/{project.public_id}/stacking-rules"

    bodies = [spoiled(STACKING, chance) for _ in range(ROUNDS)]
    broken = [body for body in bodies if management.post(url, body).status_code >= 500]

    assert broken == []


def spoiled(body, chance):
    """Return a copy in which one to three values are hostile."""
    body = copy.deepcopy(body)
    for _ in range(chance.randint(1, 3)):
        holder, place = chance.choice(list(places(body)))
        holder[place] = copy.deepcopy(chance.choice(HOSTILE))
    return body


def places(body):
    """Yield where values stand: the object or array, and the name or index in it."""
    for place, value in list(body.items() if isinstance(body, dict) else enumerate(body)):
        yield body, place
        if isinstance(value, dict | list) and value:
            yield from places(value)
