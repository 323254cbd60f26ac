"""The rules on campaigns, codes and promotion tiers: given, replaced and shown with them."""

import pytest

from campaigns.models import ValidationRuleAssignment
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, PromotionTierFactory, ValidationRuleFactory, VoucherFactory

DISCOUNT = {"type": "AMOUNT", "amount_off": 100}
CODE = {"type": "DISCOUNT_VOUCHER", "discount": DISCOUNT}
TIER = {"name": "T", "action": {"discount": DISCOUNT}}


@pytest.fixture
def rule(project):
    return ValidationRuleFactory(project=project)


def assign(rule, related_object_type, row):
    return ValidationRuleAssignment.objects.create(
        project=rule.project, rule=rule, related_object_type=related_object_type, related_object_id=row.pk
    )


def rules_on(wire):
    """Return the ids of the rules that an object shows."""
    shown = wire.get("validation_rules_assignments") or wire["validation_rule_assignments"]
    assert shown["total"] == len(shown["data"])
    return [one["rule_id"] for one in shown["data"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/campaigns", {"name": "C", "voucher": CODE}),
        ("/v1/vouchers/NEW", CODE),
        ("/v1/vouchers", CODE),
    ],
)
def test_a_rule_is_given_at_the_making(api, project, rule, path, body):
    made = api.post(path, body | {"validation_rules": [rule.public_id]}).json()

    assert rules_on(made) == [rule.public_id]
    assert rules_on(api.get(f"{path.removesuffix('/NEW')}/{made.get('code') or made['id']}").json()) == [
        rule.public_id
    ]


def test_a_tier_is_made_with_its_rule(api, rule):
    tiers = [TIER, TIER | {"name": "U", "validation_rules": [rule.public_id]}]
    body = {"name": "P", "campaign_type": "PROMOTION", "promotion": {"tiers": tiers}}

    made = api.post("/v1/campaigns", body).json()

    assert [rules_on(tier) for tier in made["promotion"]["tiers"]] == [[], [rule.public_id]]


def test_the_making_is_told_with_its_rule(api, project, rule):
    api.post("/v1/vouchers/NEW", CODE | {"validation_rules": [rule.public_id]})

    told = {event.type: event.data for event in OutboxEvent.objects.filter(project=project)}

    assert rules_on(told["voucher.created"]["voucher"]) == [rule.public_id]
    assert told["business_validation_rule.assignment.created"]["voucher"]["code"] == "NEW"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/campaigns", {"name": "C", "voucher": CODE}),
        ("/v1/vouchers", CODE),
    ],
)
@pytest.mark.parametrize(
    ("rules", "status", "details"),
    [
        (["val_none"], 404, "Cannot find validation_rules with id val_none"),
        (["val_1", "val_2"], 400, "Property .validation_rules should have up to 1 item"),
        ("val_1", 400, 'Property .validation_rules Expected a list of items but got type "str".'),
        ([{}], 400, "Property .validation_rules[0] Not a valid string."),
    ],
)
def test_a_wrong_rule_makes_nothing(api, project, path, body, rules, status, details):
    answer = api.post(path, body | {"validation_rules": rules})

    assert (answer.status_code, answer.json()["details"]) == (status, details)
    assert not OutboxEvent.objects.filter(project=project).exists()


@pytest.mark.parametrize(("kind", "factory"), [("campaign", CampaignFactory), ("voucher", VoucherFactory)])
def test_an_update_replaces_takes_away_or_leaves_the_rule(api, project, rule, kind, factory):
    row, other = factory(project=project), ValidationRuleFactory(project=project)
    assign(rule, kind, row)
    path = f"/v1/{kind}s/{row.public_id}"

    left = api.put(path, {"metadata": {"a": 1}}).json()
    replaced = api.put(path, {"validation_rules": [other.public_id]}).json()
    gone = api.put(path, {"validation_rules": []}).json()

    assert [rules_on(wire) for wire in (left, replaced, gone)] == [[rule.public_id], [other.public_id], []]


@pytest.mark.parametrize(("kind", "factory"), [("campaign", CampaignFactory), ("voucher", VoucherFactory)])
def test_naming_the_rule_that_is_there_changes_nothing(api, project, rule, kind, factory):
    row = factory(project=project)
    assignment = assign(rule, kind, row)

    api.put(f"/v1/{kind}s/{row.public_id}", {"validation_rules": [rule.public_id]})

    assert ValidationRuleAssignment.objects.get() == assignment
    assert not OutboxEvent.objects.filter(project=project).exists()


def test_a_code_shows_its_rules_and_its_campaigns(api, project, rule):
    campaign = CampaignFactory(project=project)
    voucher = VoucherFactory(project=project, campaign=campaign)
    own = ValidationRuleFactory(project=project)
    assign(rule, "campaign", campaign)
    assign(own, "voucher", voucher)

    shown = api.get(f"/v1/vouchers/{voucher.code}").json()

    assert rules_on(shown) == [own.public_id, rule.public_id]


def test_a_published_code_shows_its_campaigns_rule(api, project, rule):
    campaign = CampaignFactory(project=project)
    assign(rule, "campaign", campaign)

    given = api.post(
        "/v1/publications", {"campaign": {"name": campaign.name}, "customer": {"source_id": "ann"}}
    ).json()
    wallet = api.get("/v1/customers/ann/redeemables").json()

    assert rules_on(given["voucher"]) == [rule.public_id]
    assert rules_on(wallet["data"][0]["redeemable"]["voucher"]) == [rule.public_id]


def test_a_redeemed_code_shows_its_rules(api, project, rule):
    campaign = CampaignFactory(project=project)
    voucher = VoucherFactory(project=project, campaign=campaign)
    assign(rule, "campaign", campaign)
    body = {"redeemables": [{"object": "voucher", "id": voucher.code}], "order": {"amount": 5000}}

    (redemption,) = api.post("/v1/redemptions", body).json()["redemptions"]

    assert rules_on(redemption["voucher"]) == [rule.public_id]


def test_listed_redemptions_show_the_rules(api, project, rule):
    voucher, tier = VoucherFactory(project=project), PromotionTierFactory(project=project)
    redeemables = [
        {"object": "voucher", "id": voucher.code},
        {"object": "promotion_tier", "id": tier.public_id},
    ]
    api.post("/v1/redemptions", {"redeemables": redeemables, "order": {"amount": 5000}})
    assign(rule, "voucher", voucher)
    assign(rule, "promotion_tier", tier)

    listed = api.get("/v1/redemptions").json()["redemptions"]

    shown = [one["voucher"] if "voucher" in one else one.get("promotion_tier") for one in listed]
    assert [rules_on(wire) for wire in shown if wire] == [[rule.public_id]] * 2


def test_a_qualification_shows_the_rules_when_asked_to(api, project, rule):
    voucher = VoucherFactory(project=project)
    assign(rule, "voucher", voucher)
    body = {"order": {"amount": 5000}, "options": {"expand": ["validation_rules"]}}

    (found,) = api.post("/v1/qualifications", body).json()["redeemables"]["data"]

    assert rules_on(found) == [rule.public_id]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/v1/validation-rules", 1),
        ("/v1/validation-rules-assignments", 1),
        ("/v1/vouchers", 2),
    ],
)
def test_lists_ask_as_much_for_three_as_for_one(
    api, project, django_assert_num_queries, path, queries, count
):
    for _ in range(count):
        voucher = VoucherFactory(project=project, campaign=CampaignFactory(project=project))
        assign(ValidationRuleFactory(project=project), "voucher", voucher)
    api.get(path)

    with django_assert_num_queries(queries):
        api.get(path)


@pytest.mark.parametrize("count", [1, 3])
def test_a_promotion_asks_as_much_for_three_tiers_as_for_one(
    api, project, rule, django_assert_num_queries, count
):
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    for tier in PromotionTierFactory.create_batch(count, project=project, campaign=campaign):
        assign(rule, "promotion_tier", tier)
    path = f"/v1/campaigns/{campaign.public_id}"
    api.get(path)

    with django_assert_num_queries(4):
        api.get(path)


def test_what_is_deleted_for_good_takes_its_assignments_along(api, project, rule):
    campaign, voucher = CampaignFactory(project=project), VoucherFactory(project=project)
    code = VoucherFactory(project=project, campaign=campaign)
    for kind, row in (("campaign", campaign), ("voucher", voucher), ("voucher", code)):
        assign(rule, kind, row)

    api.delete(f"/v1/vouchers/{voucher.code}?force=true")
    api.delete(f"/v1/campaigns/{campaign.public_id}?force=true")
    run_async_action(AsyncAction.objects.get(project=project).pk)

    assert not ValidationRuleAssignment.objects.exists()
