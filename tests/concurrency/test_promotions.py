"""Promotions and stacking rules stay whole however many change them at once."""

from collections import Counter

import pytest

from campaigns.models import PromotionStack, PromotionTier
from promoengine.core.models import ApiKey
from tests.api import Api
from tests.concurrency.parallel import in_parallel
from tests.factories import CampaignFactory, PromotionTierFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_tiers_made_at_once_follow_each_other(api, project):
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    url = f"/v1/promotions/{campaign.public_id}/tiers"

    made = in_parallel(12, lambda number: api.post(url, {"name": f"T{number}"}).json()["hierarchy"])

    assert sorted(made) == list(range(1, 13))


def test_stacking_rules_are_made_once(project):
    management = Api(project, ApiKey.Kind.MANAGEMENT)
    url = f"/management/v1/projects/{project.public_id}/stacking-rules"

    answers = in_parallel(12, lambda _: management.post(url, {}))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 11}


def test_a_stack_never_names_a_tier_that_is_gone(api, project):
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    tiers = [PromotionTierFactory(project=project, campaign=campaign).public_id for _ in range(6)]
    url = f"/v1/promotions/{campaign.public_id}/stacks"

    def stack_or_delete(number):
        if number % 2:
            return api.delete(f"/v1/promotions/tiers/{tiers[number // 2]}").status_code
        return api.post(url, {"name": "S", "tiers": {"ids": tiers}}).status_code

    answers = in_parallel(12, stack_or_delete)

    assert set(answers) <= {200, 204, 404}
    present = set(PromotionTier.objects.values_list("pk", flat=True))
    assert all(set(stack.tier_ids) <= present for stack in PromotionStack.objects.all())
