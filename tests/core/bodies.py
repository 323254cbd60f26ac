"""Good bodies of endpoints that take one, with most of what they may say."""

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
