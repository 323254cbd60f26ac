"""Rules on the pages of campaigns, codes and promotions, and the way from there to the simulator."""

import pytest
from django.contrib.auth.models import Permission, User

from campaigns.models import ValidationRuleAssignment
from promoengine.core.models import OutboxEvent
from tests.factories import (
    CampaignFactory,
    ProjectFactory,
    PromotionTierFactory,
    ValidationRuleFactory,
    VoucherFactory,
)
from tests.versions import growths

RULES = {"1": {"name": "order.amount", "conditions": {"$more_than": [10000]}}}
PAGES = {
    "campaign": "/admin/campaigns/campaign/",
    "promotion_tier": "/admin/campaigns/promotiontier/",
    "voucher": "/admin/vouchers/voucher/",
}
FACTORIES = {
    "campaign": CampaignFactory,
    "promotion_tier": PromotionTierFactory,
    "voucher": VoucherFactory,
}


@pytest.mark.parametrize("kind", PAGES)
def test_a_rule_is_assigned_and_taken_off(marketer, project, kind):
    rule = ValidationRuleFactory(project=project, name="Big orders", rules=RULES)
    row = FACTORIES[kind](project=project)
    panel = f"{PAGES[kind]}{row.pk}/rules/"

    page = marketer.post(panel, {"assign": rule.public_id}).content.decode()
    assignment = ValidationRuleAssignment.objects.get()
    rest = marketer.post(panel, {"unassign": rule.public_id}).content.decode()

    assert "Order amount is more than 100.00 EUR" in page
    assert (assignment.related_object_type, assignment.related_object_id) == (kind, row.pk)
    assert "No rule guards it" in rest
    assert not ValidationRuleAssignment.objects.exists()
    assert list(OutboxEvent.objects.order_by("pk").values_list("type", flat=True)) == [
        "business_validation_rule.assignment.created",
        "business_validation_rule.assignment.deleted",
    ]
    assert growths(project) == 2


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_leads_to_its_rules_and_to_the_simulator(marketer, project, kind):
    row = FACTORIES[kind](project=project)

    page = marketer.get(f"{PAGES[kind]}{row.pk}/change/").content.decode()

    assert f"{PAGES[kind]}{row.pk}/rules/" in page
    assert f"{PAGES[kind]}{row.pk}/try-out" in page


def test_the_simulator_is_filled_in_with_the_code(marketer, project):
    voucher = VoucherFactory(project=project, code="SUMMER 5", campaign=CampaignFactory(project=project))
    tier = PromotionTierFactory(project=project)
    asked = {
        "voucher": (voucher.pk, "codes=SUMMER+5"),
        "campaign": (voucher.campaign.pk, "codes=SUMMER+5"),
        "promotion_tier": (tier.pk, f"promotions={tier.public_id}"),
    }

    urls = {
        kind: marketer.get(f"{PAGES[kind]}{key}/try-out", follow=True).redirect_chain[-1][0]
        for kind, (key, _) in asked.items()
    }

    assert urls == {kind: f"/admin/redemptions/redemption/try/?{query}" for kind, (_, query) in asked.items()}


def test_a_campaign_of_promotions_is_tried_with_them(marketer, project):
    tier = PromotionTierFactory(project=project)

    answer = marketer.get(f"{PAGES['campaign']}{tier.campaign.pk}/try-out", follow=True)

    assert answer.redirect_chain[-1][0] == f"/admin/redemptions/redemption/try/?promotions={tier.public_id}"


@pytest.mark.parametrize("kind", ["voucher", "promotion_tier"])
def test_the_campaigns_rules_are_shown_but_not_taken_off(marketer, project, kind):
    rule = ValidationRuleFactory(project=project, name="Big orders", rules=RULES)
    row = PromotionTierFactory(project=project)
    if kind == "voucher":
        row = VoucherFactory(project=project, campaign=CampaignFactory(project=project))
    marketer.post(f"{PAGES['campaign']}{row.campaign.pk}/rules/", {"assign": rule.public_id})

    panel = f"{PAGES[kind]}{row.pk}/rules/"
    page = marketer.get(panel).content.decode()
    marketer.post(panel, {"unassign": rule.public_id})

    assert "from its campaign" in page
    assert ValidationRuleAssignment.objects.count() == 1


@pytest.mark.parametrize(
    ("back", "where"),
    [
        ("/admin/campaigns/campaign/", "/admin/campaigns/campaign/"),
        ("https://example.com/admin/", "/admin/campaigns/validationrule/"),
        ("//example.com", "/admin/campaigns/validationrule/"),
    ],
)
def test_a_new_rule_leads_back_to_the_offer_it_was_made_for(marketer, back, where):
    form = {"name": "Big", "junction": "and", "message": "", "_save": ""}

    answer = marketer.post(f"/admin/campaigns/validationrule/add/?back={back}", form)

    assert answer["Location"] == where


def test_a_rule_that_guards_already_is_said(marketer, project):
    rule, campaign = ValidationRuleFactory(project=project), CampaignFactory(project=project)
    panel = f"{PAGES['campaign']}{campaign.pk}/rules/"

    marketer.post(panel, {"assign": rule.public_id})
    page = marketer.post(panel, {"assign": rule.public_id})

    assert page.context["mistake"]
    assert ValidationRuleAssignment.objects.count() == 1


def test_another_projects_rules_and_rows_are_out_of_reach(marketer, project):
    other = ProjectFactory()
    theirs, rule = CampaignFactory(project=other), ValidationRuleFactory(project=other, name="Their rule")
    own = CampaignFactory(project=project)

    page = marketer.post(f"{PAGES['campaign']}{own.pk}/rules/", {"assign": rule.public_id})

    assert "Their rule" not in page.content.decode()
    assert not ValidationRuleAssignment.objects.exists()
    assert marketer.get(f"{PAGES['campaign']}{theirs.pk}/rules/").status_code == 404
    assert marketer.get(f"{PAGES['campaign']}{theirs.pk}/try-out/").status_code == 404


def test_only_those_who_may_assign_do(client, project):
    user = User.objects.create_user("teammate", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_campaign", "view_validationrule"])
    )
    client.force_login(user)
    campaign, rule = CampaignFactory(project=project), ValidationRuleFactory(project=project)
    panel = f"{PAGES['campaign']}{campaign.pk}/rules/"

    assert client.get(panel).status_code == 200
    assert client.post(panel, {"assign": rule.public_id}).status_code == 403
