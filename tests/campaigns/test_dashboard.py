"""Promotions, categories and stacking rules as marketers see them."""

import pytest

from campaigns.models import Campaign, Category, PromotionTier
from tests.factories import CampaignFactory, CategoryFactory, PromotionTierFactory

CATEGORY = "/admin/campaigns/category/"
PROMOTION = "/admin/campaigns/promotiontier/"
STACKING = "/admin/campaigns/projectstacking/"
TIER = {
    "name": "Spring",
    "banner": "",
    "offer": "PERCENT",
    "value": "12.5",
    "most": "",
    "scope": "APPLY_TO_ORDER",
    "hierarchy": "",
    "active": "on",
    "category_name": "",
}
COMMON = {"meeting": "", "no_effect": "", "calculation": "", "limit": ""}


def rules_of(project):
    project.refresh_from_db()
    return project.stacking_rules


def errors_of(answer):
    return answer.context["adminform"].form.errors


def test_a_promotion_is_made_in_a_new_campaign(marketer, project):
    answer = marketer.post(f"{PROMOTION}add/", TIER | {"new_campaign": "Summer"})

    assert answer.status_code == 302
    tier = PromotionTier.objects.get(project=project)
    assert tier.discount == {"type": "PERCENT", "percent_off": 12.5, "effect": "APPLY_TO_ORDER"}
    assert (tier.campaign.name, tier.campaign.campaign_type) == ("Summer", "PROMOTION")


def test_a_promotion_joins_a_campaign_after_the_others(marketer, project):
    first = PromotionTierFactory(project=project, hierarchy=4)

    marketer.post(
        f"{PROMOTION}add/",
        TIER | {"campaign": first.campaign.pk, "offer": "AMOUNT", "value": "7.50", "scope": "APPLY_TO_ITEMS"},
    )

    tier = PromotionTier.objects.get(campaign=first.campaign, name="Spring")
    assert tier.discount == {"type": "AMOUNT", "amount_off": 750, "effect": "APPLY_TO_ITEMS"}
    assert tier.hierarchy == 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "campaign"),
        ({"new_campaign": "Taken"}, "new_campaign"),
        ({"new_campaign": "New", "value": "101"}, "value"),
        ({"new_campaign": "New", "scope": "APPLY_TO_ITEMS_BY_QUANTITY"}, "scope"),
        ({"new_campaign": "New", "hierarchy": "0"}, "hierarchy"),
        (
            {
                "new_campaign": "New",
                "start_date_0": "2026-02-01",
                "start_date_1": "00:00",
                "expiration_date_0": "2026-01-01",
                "expiration_date_1": "00:00",
            },
            "expiration_date",
        ),
    ],
)
def test_a_wrong_promotion_says_what_is_wrong(marketer, project, wrong, field):
    CampaignFactory(project=project, name="Taken")

    answer = marketer.post(f"{PROMOTION}add/", TIER | wrong)

    assert list(errors_of(answer)) == [field]
    assert not PromotionTier.objects.exists()


def test_a_promotion_is_changed(marketer, project):
    tier = PromotionTierFactory(project=project)
    body = TIER | {"offer": "AMOUNT", "value": "5.00", "hierarchy": "1", "category_name": "News"}

    marketer.post(f"{PROMOTION}{tier.pk}/change/", body)

    tier.refresh_from_db()
    assert (tier.name, tier.category.name) == ("Spring", "News")
    assert tier.discount == {"type": "AMOUNT", "amount_off": 500}


@pytest.mark.parametrize(
    "discount",
    [
        {"type": "PERCENT", "percent_off": 10, "aggregated_amount_limit": 100},
        {"type": "AMOUNT", "amount_off": 500, "amount_limit": 400},
    ],
)
def test_an_offer_that_the_form_cannot_show_is_kept(marketer, project, discount):
    tier = PromotionTierFactory(project=project, discount=discount)

    marketer.post(f"{PROMOTION}{tier.pk}/change/", {"name": "Renamed", "hierarchy": "1", "active": "on"})

    tier.refresh_from_db()
    assert (tier.name, tier.discount) == ("Renamed", discount)


def test_promotions_are_listed_switched_and_deleted(marketer, project):
    tier = PromotionTierFactory(project=project, name="Five off")
    PromotionTierFactory(name="Somebody else's")

    page = marketer.get(PROMOTION).content.decode()
    marketer.get(f"{PROMOTION}{tier.pk}/switch/")

    assert "Five off" in page
    assert "Somebody else" not in page
    tier.refresh_from_db()
    assert not tier.active
    marketer.post(f"{PROMOTION}{tier.pk}/delete/", {"post": "yes"})
    assert not PromotionTier.objects.filter(project=project).exists()


def test_a_campaign_leads_to_its_promotions(marketer, project):
    tier = PromotionTierFactory(project=project, name="Five off")
    PromotionTierFactory(project=project, name="Of another campaign")
    link = f"{PROMOTION}?campaign__id__exact={tier.campaign.pk}"

    for url in ("/admin/campaigns/campaign/", f"/admin/campaigns/campaign/{tier.campaign.pk}/change/"):
        assert link in marketer.get(url).content.decode()
    page = marketer.get(link).content.decode()

    assert "Five off" in page
    assert "Of another campaign" not in page


def test_pages_to_add_and_change_open(marketer, project):
    tier = PromotionTierFactory(project=project)
    category = CategoryFactory(project=project)

    for url in (
        f"{PROMOTION}add/",
        f"{PROMOTION}{tier.pk}/change/",
        f"{CATEGORY}add/",
        f"{CATEGORY}{category.pk}/change/",
        f"{STACKING}{project.pk}/change/",
    ):
        assert marketer.get(url).status_code == 200


def test_a_category_is_made_without_touching_the_rules(marketer, project):
    marketer.post(f"{CATEGORY}add/", COMMON | {"name": "News", "hierarchy": "2"})

    category = Category.objects.get(project=project)
    assert (category.name, category.hierarchy) == ("News", 2)
    assert rules_of(project) == {}
    assert project.stacking_rules_created_at is None


def test_a_category_says_how_its_offers_meet_others(marketer, project):
    body = COMMON | {
        "name": "News",
        "hierarchy": "2",
        "meeting": "exclusive_categories",
        "no_effect": "no_effect_skip_categories",
        "calculation": "initial_amount_mode_categories",
        "limit": "3",
    }
    marketer.post(f"{CATEGORY}add/", body)

    category = Category.objects.get(project=project)
    own = category.public_id
    assert rules_of(project) == {
        "exclusive_categories": [own],
        "no_effect_skip_categories": [own],
        "initial_amount_mode_categories": [own],
        "applicable_redeemables_category_limits": {own: 3},
    }
    marketer.post(f"{CATEGORY}{category.pk}/change/", body | {"meeting": "joint_categories", "limit": ""})
    assert rules_of(project) == {
        "exclusive_categories": [],
        "joint_categories": [own],
        "no_effect_skip_categories": [own],
        "initial_amount_mode_categories": [own],
        "applicable_redeemables_category_limits": {},
    }


def test_a_name_of_another_category_is_refused(marketer, project):
    CategoryFactory(project=project, name="News")

    answer = marketer.post(f"{CATEGORY}add/", COMMON | {"name": "News", "hierarchy": "1"})

    assert list(errors_of(answer)) == ["name"]


def test_a_deleted_category_leaves_its_campaigns(marketer, project):
    campaign = CampaignFactory(project=project, category=CategoryFactory(project=project))

    marketer.post(f"{CATEGORY}{campaign.category.pk}/delete/", {"post": "yes"})

    assert Campaign.objects.get(pk=campaign.pk).category is None


def stacking_form(marketer, project):
    """Return the page's fields as they are filled in."""
    page = marketer.get(f"{STACKING}{project.pk}/change/")
    form = page.context["adminform"].form
    return {name: form[name].value() or "" for name in form.fields}


def test_the_menu_leads_to_the_rules_of_the_project(marketer, project):
    assert marketer.get(STACKING)["Location"] == f"{STACKING}{project.pk}/change/"


def test_rules_are_changed_and_the_others_stay_by_default(marketer, project):
    body = stacking_form(marketer, project)

    marketer.post(f"{STACKING}{project.pk}/change/", body | {"redeemables_application_mode": "PARTIAL"})

    assert rules_of(project) == {"redeemables_application_mode": "PARTIAL"}


def test_a_page_that_is_saved_unchanged_changes_nothing(marketer, project):
    marketer.post(f"{STACKING}{project.pk}/change/", stacking_form(marketer, project))

    assert rules_of(project) == {}
    assert project.stacking_rules_created_at is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("redeemables_limit", "31"),
        ("applicable_redeemables_limit", ""),
        ("applicable_redeemables_per_category_limit", "6"),
        ("redeemables_no_effect_rule", "MAYBE"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(marketer, project, field, value):
    body = stacking_form(marketer, project)

    answer = marketer.post(f"{STACKING}{project.pk}/change/", body | {field: value})

    assert list(errors_of(answer)) == [field]


def test_another_projects_rules_are_out_of_reach(marketer, project):
    other = PromotionTierFactory().project

    assert marketer.get(f"{STACKING}{other.pk}/change/").status_code == 302
    assert marketer.get(f"{STACKING}{project.pk}/change/").status_code == 200
