"""The limits on a campaign's form are a rule like any other, and the checkout keeps them."""

import pytest

from campaigns.models import Campaign, ValidationRule, ValidationRuleAssignment
from tests.factories import CampaignFactory, PromotionTierFactory, ValidationRuleFactory

PAGE = "/admin/campaigns/campaign/"
NEW = {
    "name": "Spring",
    "description": "",
    "category_name": "",
    "offer": "AMOUNT",
    "value": "10",
    "most": "",
    "quantity": "",
    "type": "STANDALONE",
    "common_code": "SPRING",
    "pattern": "########",
    "charset": "0123456789",
}


def form_of(page):
    """Return the page's fields as they are filled in, as a browser sends them."""
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value if value == [] else value or "" for name, value in values.items()}


def redeemed(api, customer):
    body = {
        "redeemables": [{"object": "voucher", "id": "SPRING"}],
        "order": {"amount": 5000},
        "customer": {"source_id": customer},
    }
    return api.post("/v1/redemptions", body).status_code


def test_a_new_campaigns_limits_hold_at_the_checkout(marketer, project, api):
    marketer.post(f"{PAGE}add/", NEW | {"limit_customer": "1", "limit_discount": "25"})

    assert [redeemed(api, who) for who in ("ann", "ann", "bob", "cleo")] == [200, 400, 200, 400]
    assert ValidationRule.objects.get().name == "Limits of Spring"


def test_limits_are_shown_changed_and_taken_away(marketer, project):
    campaign = PromotionTierFactory(project=project).campaign
    path = f"{PAGE}{campaign.pk}/change/"

    marketer.post(path, form_of(marketer.get(path)) | {"limit_total": "100", "limit_discount": "50.5"})
    made = ValidationRule.objects.get()
    shown = form_of(marketer.get(path))
    marketer.post(path, shown | {"limit_total": "", "limit_daily": "7"})
    changed = ValidationRule.objects.get()
    marketer.post(path, form_of(marketer.get(path)) | {"limit_daily": "", "limit_discount": ""})

    assert (shown["limit_total"], str(shown["limit_discount"])) == (100, "50.50")
    assert made.rules["2"] == {
        "name": "campaign.orders.amount_discounted",
        "conditions": {"$less_than_or_equal": [5050]},
        "rules": {},
    }
    assert (changed.pk, changed.rules["1"]["name"]) == (made.pk, "campaign.redemptions.count.daily")
    assert not ValidationRule.objects.exists()


def test_a_page_that_is_saved_unchanged_makes_no_rule(marketer, project):
    campaign = CampaignFactory(project=project)
    path = f"{PAGE}{campaign.pk}/change/"

    marketer.post(path, form_of(marketer.get(path)) | {"name": campaign.name})

    assert Campaign.objects.count() == 1
    assert not ValidationRule.objects.exists()


@pytest.mark.parametrize(
    ("rules", "more"),
    [
        ({"1": ("campaign.redemptions.count", 5), "2": ("order.amount", 5)}, {}),
        ({"1": ("campaign.redemptions.count", 5)}, {"error": {"message": "Sold out"}}),
    ],
)
def test_rules_that_say_more_than_limits_stay(marketer, project, rules, more):
    written = {
        number: {"name": name, "conditions": {"$less_than_or_equal": [most]}, "rules": {}}
        for number, (name, most) in rules.items()
    }
    rule = ValidationRuleFactory(project=project, rules=written, **more)
    campaign = CampaignFactory(project=project)
    ValidationRuleAssignment.objects.create(
        project=project, rule=rule, related_object_type="campaign", related_object_id=campaign.pk
    )
    path = f"{PAGE}{campaign.pk}/change/"

    shown = form_of(marketer.get(path))
    marketer.post(path, shown | {"limit_total": "9"})

    rule.refresh_from_db()
    assert (shown["limit_total"], rule.rules) == ("", written)
    assert ValidationRuleAssignment.objects.filter(related_object_id=campaign.pk).count() == 2


def test_a_limit_is_at_least_one(marketer):
    page = marketer.post(f"{PAGE}add/", NEW | {"limit_total": "0"})

    assert list(page.context["adminform"].form.errors) == ["limit_total"]


def test_who_counts_as_one_customer_is_set_on_the_form(marketer, project, api):
    marketer.post(
        f"{PAGE}add/",
        NEW | {"limit_customer": "1", "one_customer_by": ["email", "card"], "guests": "REFUSED"},
    )
    campaign = Campaign.objects.get()
    body = {"redeemables": [{"object": "voucher", "id": "SPRING"}], "order": {"amount": 5000}}
    keys = [
        api.post("/v1/redemptions", body | {"customer": {"source_id": who, "email": "a@b.co"}}).status_code
        for who in ("ann", "bob")
    ]

    assert (campaign.one_customer_by, campaign.guests) == (["email", "card"], "REFUSED")
    assert keys == [200, 400]
    assert api.post("/v1/redemptions", body).json()["key"] == "missing_customer"


@pytest.mark.parametrize(
    "factory", [CampaignFactory, lambda project: PromotionTierFactory(project=project).campaign]
)
def test_who_counts_as_one_customer_is_shown_and_changed(marketer, project, factory):
    campaign = factory(project=project)
    path = f"{PAGE}{campaign.pk}/change/"
    marketer.post(path, form_of(marketer.get(path)) | {"one_customer_by": ["device"], "guests": "COUNTED"})

    page = marketer.get(path)
    shown = form_of(page)
    marketer.post(path, shown | {"one_customer_by": []})
    campaign.refresh_from_db()

    assert (shown["one_customer_by"], shown["guests"]) == (["device"], "COUNTED")
    assert "Who counts as one customer" in page.content.decode()
    assert (campaign.one_customer_by, campaign.guests) == ([], "COUNTED")
