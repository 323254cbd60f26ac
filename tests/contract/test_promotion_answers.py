"""Answers and events about promotions, categories and stacking rules have the published shape."""

import json
from functools import cache

import pytest
from jsonschema import Draft202012Validator

from promoengine.core.models import ApiKey, OutboxEvent
from tests.api import Api
from tests.contract.conftest import ContractApi
from tests.contract.published import CONTRACT, as_json_schema, deepest
from tests.factories import CampaignFactory, CategoryFactory, PromotionTierFactory, ValidationRuleFactory

WEBHOOKS = CONTRACT.parent / "webhooks.json"
ORDER = {"amount": 20000, "items": [{"product_id": "prod_1", "quantity": 2, "price": 10000}]}
CUSTOMER = {"source_id": "ann", "name": "Ann"}


@pytest.fixture
def management(project):
    return ContractApi(Api(project, ApiKey.Kind.MANAGEMENT))


@pytest.fixture
def campaign(project):
    return CampaignFactory(
        project=project,
        campaign_type="PROMOTION",
        discount=None,
        category=CategoryFactory(project=project),
        validity={"day_of_week": [0, 1, 2, 3, 4, 5, 6]},
    )


def test_tier_life(contract, client_contract, campaign, project):
    url = f"/v1/promotions/{campaign.public_id}/tiers"
    made = contract.call(
        "post",
        url,
        {
            "name": "T",
            "banner": "B",
            "action": {"discount": {"type": "PERCENT", "percent_off": 10}},
            "metadata": {"a": 1},
            "start_date": "2026-01-01",
            "expiration_date": "2999-01-01",
            "validity_timeframe": {"interval": "P2D", "duration": "P1D"},
            "validity_hours": {"daily": [{"start_time": "10:00", "expiration_time": "12:00"}]},
            "category_id": CategoryFactory(project=project).public_id,
            "validation_rules": [ValidationRuleFactory(project=project).public_id],
        },
    )
    tier = f"/v1/promotions/tiers/{made['id']}"

    contract.call("get", tier)
    contract.call("put", tier, {"name": "U", "hierarchy": 2})
    contract.call("post", f"{tier}/disable")
    contract.call("post", f"{tier}/enable")
    contract.call("get", url)
    contract.call("get", "/v1/promotions/tiers", query={"is_available": "true"})
    client_contract.call("get", "/client/v1/promotions/tiers")
    contract.call("delete", tier, status=204)
    contract.call("delete", tier, status=404)


def test_tier_events(api, campaign, project):
    made = api.post(f"/v1/promotions/{campaign.public_id}/tiers", {"name": "T", "banner": "B"}).json()
    tier = f"/v1/promotions/tiers/{made['id']}"
    api.put(tier, {"name": "U"})
    api.post(f"{tier}/disable")
    api.post(f"{tier}/enable")
    api.delete(tier)

    told = OutboxEvent.objects.filter(project=project, type__startswith="campaign.promotion_tier.")
    assert told.count() == 5
    for event in told:
        assert problems(event) == []


def test_stack_life(contract, campaign, project):
    tiers = [PromotionTierFactory(project=project, campaign=campaign).public_id for _ in range(2)]
    url = f"/v1/promotions/{campaign.public_id}/stacks"
    made = contract.call("post", url, {"name": "S", "tiers": {"ids": tiers}})

    contract.call("put", f"{url}/{made['id']}", {"name": "T"})
    contract.call("get", f"{url}/{made['id']}")
    contract.call("get", url)
    contract.call("get", "/v1/promotions/stacks")
    contract.call("delete", f"{url}/{made['id']}", status=204)
    contract.call("delete", f"{url}/{made['id']}", status=404)


def test_a_stack_with_a_category(contract, api, campaign, project):
    """Only reads: what making one answers is published with another object in its list of categories."""
    tier = PromotionTierFactory(project=project, campaign=campaign).public_id
    category = CategoryFactory(project=project).public_id
    url = f"/v1/promotions/{campaign.public_id}/stacks"
    made = api.post(url, {"name": "S", "tiers": {"ids": [tier]}, "category_id": category}).json()

    contract.call("get", f"{url}/{made['id']}")
    contract.call("get", url)


def test_category_life(contract):
    made = contract.call("post", "/v1/categories", {"name": "C", "hierarchy": 1})
    category = f"/v1/categories/{made['id']}"

    contract.call("get", category)
    contract.call("put", category, {"name": "D", "hierarchy": 0})
    contract.call("get", "/v1/categories")
    contract.call("post", "/v1/categories", {"name": "C"}, status=400)
    contract.call("delete", category, status=204)
    contract.call("delete", category, status=404)


def test_stacking_rules_life(management, project):
    category = CategoryFactory(project=project).public_id
    url = f"/management/v1/projects/{project.public_id}/stacking-rules"
    management.call("get", url)
    made = management.call("post", url, {"joint_categories": [category]})
    rules = f"{url}/{made['id']}"

    management.call("post", url, {}, status=409)
    management.call("get", url)
    management.call("get", rules)
    management.call("put", rules, {"applicable_redeemables_category_limits": {category: 2}})
    management.call("put", rules, {"redeemables_limit": 31}, status=400)
    management.call("delete", rules, status=204)
    management.call("delete", rules, status=404)


def test_one_tier_is_validated_and_redeemed(contract, project):
    tier = PromotionTierFactory(project=project, banner="Now")
    disabled = PromotionTierFactory(project=project, active=False)
    body = {"order": ORDER, "customer": CUSTOMER, "metadata": {"a": 1}}

    contract.call("post", f"/v1/promotions/tiers/{tier.public_id}/validation", body)
    contract.call("post", f"/v1/promotions/tiers/{disabled.public_id}/validation", body)
    contract.call("post", f"/v1/promotions/tiers/{tier.public_id}/redemption", body)
    contract.call("post", f"/v1/promotions/tiers/{disabled.public_id}/redemption", body, status=400)


@cache
def webhooks():
    return json.loads(WEBHOOKS.read_text())


def problems(event):
    """Return what in an event breaks its published payload."""
    document = webhooks()
    operation = document["webhooks"][f"EVENTS.{event.type.upper()}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    root = as_json_schema({"components": document["components"]})
    validator = Draft202012Validator({**root, "allOf": [as_json_schema(schema)]})
    data = {name: dict(value) for name, value in event.data.items()}
    if data["campaign"]["category_id"] is None:  # sent as null although not published so, as in answers
        del data["campaign"]["category_id"]
    return [error.message for error in deepest(validator.iter_errors(data))]
