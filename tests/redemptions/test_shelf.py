"""The shelf of offers, which a process keeps, shows every change of what is on it."""

import pytest

from campaigns.models import Campaign, Category, PromotionTier, ValidationRule, ValidationRuleAssignment
from promoengine.core.services.definitions import definitions_changed
from redemptions.shelf import shelf_of
from tests.factories import CampaignFactory, CategoryFactory, PromotionTierFactory, ValidationRuleFactory

pytestmark = pytest.mark.django_db
DEAR = {"1": {"name": "order.amount", "conditions": {"$more_than": [10**6]}}, "logic": "1"}


@pytest.fixture
def tier(project):
    campaign = CampaignFactory(
        project=project, campaign_type="PROMOTION", discount=None, category=CategoryFactory(project=project)
    )
    return PromotionTierFactory(
        project=project, campaign=campaign, category=CategoryFactory(project=project, hierarchy=2)
    )


@pytest.fixture
def rule(project, tier):
    rule = ValidationRuleFactory(project=project)
    assign(rule, tier)
    return rule


def assign(rule, tier):
    ValidationRuleAssignment.objects.create(
        project=rule.project, rule=rule, related_object_type="promotion_tier", related_object_id=tier.pk
    )


def on_shelf(project):
    """Return what a process that goes on from its last shelf has on the next one."""
    definitions_changed(project)
    project.refresh_from_db()
    return {
        offer.id: (offer.discount.figure.fixed, len(offer.rules), offer.category.hierarchy)
        for offer in shelf_of(project, project.definitions_version).tiers.offers
    }


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda: PromotionTier.objects.update(discount={"type": "AMOUNT", "amount_off": 7}), (7, 1, 2)),
        (lambda: PromotionTier.objects.update(category=None), (500, 1, 1)),
        (lambda: Category.objects.filter(hierarchy=2).update(hierarchy=9), (500, 1, 9)),
        (lambda: ValidationRuleAssignment.objects.all().delete(), (500, 0, 2)),
        (lambda: PromotionTier.objects.update(active=False), None),
        (lambda: Campaign.objects.update(active=False), None),
    ],
)
def test_a_change_is_seen(project, tier, rule, change, shown):
    assert on_shelf(project)[tier.public_id] == (500, 1, 2)

    change()

    assert on_shelf(project).get(tier.public_id) == shown


def test_what_is_deleted_is_gone(project, tier):
    other = PromotionTierFactory(project=project, category=tier.category)
    assert on_shelf(project).keys() == {tier.public_id, other.public_id}

    PromotionTier.objects.filter(pk=other.pk).delete()

    assert on_shelf(project).keys() == {tier.public_id}


def test_a_changed_rule_is_judged_as_it_is_now(project, tier, rule):
    on_shelf(project)

    ValidationRule.objects.update(rules=DEAR, version=2)
    on_shelf(project)

    offer = shelf_of(project, project.definitions_version).offers[tier.pk]
    assert [node.name for node in offer.rules[0].nodes.values()] == ["order.amount"]


def test_a_rule_that_is_assigned_later_is_seen(project, tier):
    assert on_shelf(project)[tier.public_id] == (500, 0, 2)

    assign(ValidationRuleFactory(project=project), tier)

    assert on_shelf(project)[tier.public_id] == (500, 1, 2)


def test_what_is_added_is_seen_and_the_rest_stays_as_it_is(project, tier):
    on_shelf(project)
    kept = shelf_of(project, project.definitions_version).offers[tier.pk]

    added = PromotionTierFactory(project=project, category=tier.category)

    assert on_shelf(project).keys() == {tier.public_id, added.public_id}
    assert shelf_of(project, project.definitions_version).offers[tier.pk] is kept
