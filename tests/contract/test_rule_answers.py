"""Every answer about validation rules has the published shape, and no key that is unknown to it."""

import pytest

from tests.factories import CampaignFactory, PromotionTierFactory, ValidationRuleFactory, VoucherFactory

RULE = {
    "name": "Set of Validation Rules",
    "error": {"message": "Your order does not meet at least one of the required criteria."},
    "applicable_to": {
        "included_all": False,
        "excluded": [{"object": "product", "id": "prod_1", "effect": "APPLY_TO_EVERY"}],
        "included": [
            {
                "object": "product",
                "id": "prod_2",
                "effect": "APPLY_TO_MOST_EXPENSIVE",
                "quantity_limit": 1,
            }
        ],
    },
    "rules": {
        "1": {
            "name": "order.metadata",
            "property": "location",
            "rules": {},
            "conditions": {"$is": ["Santorini"]},
            "error": {"message": "Your order must be placed at one of our Santorini shops."},
        },
        "2": {
            "name": "order.items.every",
            "conditions": {"$is": [{"id": "prod_1", "object": "product", "source_id": "p1"}]},
            "rules": {
                "1": {
                    "name": "order.items.metadata",
                    "property": "test",
                    "rules": {},
                    "conditions": {"$more_than_or_equal": [1]},
                }
            },
        },
        "logic": "1 or 2",
    },
}
BUNDLE = {
    "limit": 2,
    "1": {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": "prod_1", "type": "product_or_sku", "object": "product"}]},
        "rules": {
            "1": {"name": "order.items.aggregated_quantity", "conditions": {"$is": [2]}},
            "logic": "1",
        },
    },
}


def test_rule_life(contract):
    made = contract.call("post", "/v1/validation-rules", RULE)

    path = f"/v1/validation-rules/{made['id']}"
    contract.call("get", path)
    contract.call("put", path, {"type": "complex", "bundle_rules": BUNDLE, "error": None})
    contract.call("get", "/v1/validation-rules")
    contract.call("delete", path, status=204)


@pytest.mark.parametrize(
    ("related", "factory"),
    [("voucher", VoucherFactory), ("campaign", CampaignFactory), ("promotion_tier", PromotionTierFactory)],
)
def test_assignment_life(contract, project, related, factory):
    rule = ValidationRuleFactory(project=project)
    body = {"related_object_type": related, "related_object_id": factory(project=project).public_id}
    path = f"/v1/validation-rules/{rule.public_id}/assignments"

    made = contract.call("post", path, body)

    contract.call("post", path, body, status=409)
    contract.call("get", path)
    contract.call("get", "/v1/validation-rules-assignments")
    contract.call("delete", f"{path}/{made['id']}", status=204)
    contract.call("delete", f"{path}/{made['id']}", status=404)


def test_a_wrong_rule(contract):
    rules = {"1": {"name": "custom_event.metadata", "conditions": {"$is": [1]}}, "logic": "1"}

    contract.call("post", "/v1/validation-rules", {"name": "x", "rules": rules}, status=400)


def test_an_unknown_rule(contract):
    contract.call("delete", "/v1/validation-rules/val_none", status=404)


def test_qualification_with_rules(contract, project):
    voucher = VoucherFactory(project=project)
    rule = ValidationRuleFactory(project=project)
    contract.call("post", f"/v1/validation-rules/{rule.public_id}/assignments", {"voucher": voucher.code})

    contract.call("post", "/v1/qualifications", {"options": {"expand": ["validation_rules"]}})


def test_offers_with_rules(contract, project):
    rules = [ValidationRuleFactory(project=project).public_id]
    voucher = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 100}}

    campaign = contract.call(
        "post", "/v1/campaigns", {"name": "C", "voucher": voucher, "validation_rules": rules}
    )
    contract.call("get", f"/v1/campaigns/{campaign['id']}")
    contract.call("post", "/v1/vouchers/CODE", voucher | {"validation_rules": rules})
    contract.call("get", "/v1/vouchers/CODE")
    tier = {"name": "T", "action": {"discount": voucher["discount"]}, "validation_rules": rules}
    contract.call(
        "post",
        "/v1/campaigns",
        {"name": "P", "campaign_type": "PROMOTION", "promotion": {"tiers": [tier]}},
    )
