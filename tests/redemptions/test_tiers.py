"""What promotion tiers brought, and the older endpoints for one of them."""

import pytest

from redemptions.jobs import count_promotions
from redemptions.models import Redemption
from tests.factories import PromotionTierFactory

BODY = {"order": {"amount": 1000}, "customer": {"source_id": "ann"}}


def url_of(tier, verb):
    return f"/v1/promotions/tiers/{tier.public_id}/{verb}"


def test_a_tier_that_applies_is_valid(api, project):
    tier = PromotionTierFactory(project=project, banner="Now")

    body = api.post(url_of(tier, "validation"), BODY).json()

    assert (body["valid"], body["id"], body["banner"]) == (True, tier.public_id, "Now")
    assert (body["discount_amount"], body["order"]["total_amount"]) == (500, 500)


def test_a_tier_that_does_not_apply_says_why(api, project):
    tier = PromotionTierFactory(project=project, active=False)

    body = api.post(url_of(tier, "validation"), BODY).json()

    assert (body["valid"], body["reason"]) == (False, "Inactive Promotion")
    assert body["error"]["key"] == "promotion_inactive"


def test_a_tier_is_redeemed(api, project):
    tier = PromotionTierFactory(project=project)

    body = api.post(url_of(tier, "redemption"), BODY).json()

    assert (body["result"], body["related_object_id"]) == ("SUCCESS", tier.public_id)
    assert body["promotion_tier"]["id"] == tier.public_id
    assert body["order"]["total_amount"] == 500


def test_a_tier_that_does_not_apply_is_not_redeemed(api, project):
    tier = PromotionTierFactory(project=project, active=False)

    answer = api.post(url_of(tier, "redemption"), BODY)

    assert (answer.status_code, answer.json()["key"]) == (400, "promotion_inactive")
    assert Redemption.objects.get(project=project).result == "FAILURE"


def test_a_retry_with_the_same_key_redeems_once(api, project):
    tier = PromotionTierFactory(project=project)
    headers = {"Idempotency-Key": "one"}

    first = api.post(url_of(tier, "redemption"), BODY, **headers)
    second = api.post(url_of(tier, "redemption"), BODY, **headers)

    assert first.content == second.content
    assert Redemption.objects.filter(project=project).count() == 1


@pytest.mark.parametrize("verb", ["validation", "redemption"])
def test_an_unknown_tier_is_not_found(api, verb):
    answer = api.post(f"/v1/promotions/tiers/promo_none/{verb}", BODY)

    assert (answer.status_code, answer.json()["key"]) == (404, "not_found")


@pytest.mark.parametrize("verb", ["validation", "redemption"])
def test_a_body_is_an_object(api, project, verb):
    answer = api.post(url_of(PromotionTierFactory(project=project), verb), [])

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")


def test_the_summary_counts_what_was_not_rolled_back(api, project):
    tier, other = PromotionTierFactory(project=project), PromotionTierFactory(project=project)
    for amount in (1000, 2000, 4000):
        undone = api.post(url_of(tier, "redemption"), {"order": {"amount": amount}}).json()
    api.post(url_of(other, "redemption"), BODY)
    api.post(f"/v1/redemptions/{undone['id']}/rollback")

    count_promotions()

    assert api.get(f"/v1/promotions/tiers/{tier.public_id}").json()["summary"] == {
        "redemptions": {"total_redeemed": 2},
        "orders": {"total_amount": 3000, "total_discount_amount": 1000},
    }


def test_the_summary_of_a_tier_whose_only_use_was_rolled_back_is_empty(api, project):
    tier = PromotionTierFactory(project=project)
    undone = api.post(url_of(tier, "redemption"), BODY).json()
    count_promotions()
    api.post(f"/v1/redemptions/{undone['id']}/rollback")

    count_promotions()

    tier.refresh_from_db()
    assert (tier.redeemed_count, tier.redeemed_orders_amount, tier.redeemed_discount_amount) == (0, 0, 0)
