"""Promotion tiers over REST."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import PromotionTier
from promoengine.core.models import OutboxEvent
from tests.factories import CampaignFactory, CategoryFactory, PromotionTierFactory, ValidationRuleFactory
from tests.versions import growths

OFF = {"discount": {"type": "AMOUNT", "amount_off": 500}}


@pytest.fixture
def campaign(project):
    return CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)


def tiers_url(campaign):
    return f"/v1/promotions/{campaign.public_id}/tiers"


def url_of(tier):
    return f"/v1/promotions/tiers/{tier.public_id}"


def test_a_tier_is_made(api, campaign):
    body = api.post(
        tiers_url(campaign),
        {
            "name": "Five off",
            "banner": "Now 5.00 off",
            "action": OFF,
            "metadata": {"level": "A"},
            "start_date": "2026-01-01",
            "expiration_date": "2999-01-01T00:00:00Z",
            "validity_timeframe": {"interval": "P2D", "duration": "P1D"},
            "validity_day_of_week": [1, 2],
        },
    ).json()

    assert body == {
        "id": body["id"],
        "created_at": body["created_at"],
        "name": "Five off",
        "banner": "Now 5.00 off",
        "action": OFF,
        "metadata": {"level": "A"},
        "hierarchy": 1,
        "promotion_id": campaign.public_id,
        "campaign": {"id": campaign.public_id, "active": True, "object": "campaign"},
        "campaign_id": campaign.public_id,
        "active": True,
        "start_date": "2026-01-01T00:00:00.000Z",
        "expiration_date": "2999-01-01T00:00:00.000Z",
        "validity_timeframe": {"interval": "P2D", "duration": "P1D"},
        "validity_day_of_week": [1, 2],
        "summary": {
            "redemptions": {"total_redeemed": 0},
            "orders": {"total_amount": 0, "total_discount_amount": 0},
        },
        "categories": [],
        "validation_rule_assignments": {"object": "list", "data_ref": "data", "data": [], "total": 0},
        "object": "promotion_tier",
    }
    assert api.get(f"/v1/promotions/tiers/{body['id']}").json() == body


def test_the_campaign_may_be_named(api, campaign):
    assert api.post(f"/v1/promotions/{campaign.name}/tiers", {"name": "T"}).status_code == 200


def test_a_tier_may_have_no_action_yet(api, campaign):
    assert api.post(tiers_url(campaign), {"name": "T"}).json()["action"] == {}


def test_tiers_without_a_hierarchy_follow_each_other(api, campaign):
    url = tiers_url(campaign)
    api.post(url, {"name": "First"})
    api.post(url, {"name": "Seventh", "hierarchy": 7})

    assert api.post(url, {"name": "Eighth"}).json()["hierarchy"] == 8


def test_tiers_made_with_their_campaign_have_dates_and_follow_each_other(api):
    body = api.post(
        "/v1/campaigns",
        {
            "name": "Promotion",
            "campaign_type": "PROMOTION",
            "promotion": {
                "tiers": [{"name": "A", "start_date": "2026-01-01", "hierarchy": 3}, {"name": "B"}]
            },
        },
    ).json()

    first, second = body["promotion"]["tiers"]
    assert (first["start_date"], first["hierarchy"]) == ("2026-01-01T00:00:00.000Z", 3)
    assert second["hierarchy"] == 4


WRONG = [
    ({}, "'name'"),
    ({"name": ""}, ".name"),
    ({"name": "T", "banner": {}}, ".banner"),
    ({"name": "T", "action": []}, ".action"),
    ({"name": "T", "action": {"discount": {"type": "AMOUNT"}}}, ".action.discount"),
    ({"name": "T", "hierarchy": 0}, ".hierarchy"),
    ({"name": "T", "hierarchy": 2**31}, ".hierarchy"),
    ({"name": "T", "active": "maybe"}, ".active"),
    ({"name": "T", "metadata": []}, ".metadata"),
    ({"name": "T", "start_date": "soon"}, ".start_date"),
    ({"name": "T", "validity_timeframe": {"interval": "x"}}, ".validity_timeframe"),
    ({"name": "T", "validation_rules": ["val_a", "val_b"]}, ".validation_rules"),
]


@pytest.mark.parametrize(("body", "named"), WRONG)
def test_a_wrong_tier_names_the_property(api, campaign, body, named):
    answer = api.post(tiers_url(campaign), body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert named in answer.json()["details"]


@pytest.mark.parametrize(("body", "named"), WRONG[:6])
def test_a_wrong_tier_of_a_new_campaign_names_the_property(api, body, named):
    promotion = {"tiers": [{"name": "Fine"}, body]}

    answer = api.post("/v1/campaigns", {"name": "P", "campaign_type": "PROMOTION", "promotion": promotion})

    assert answer.status_code == 400
    assert ".promotion.tiers[1]" in answer.json()["details"]
    assert named in answer.json()["details"]


def test_a_tier_may_not_end_before_it_starts(api, campaign):
    answer = api.post(
        tiers_url(campaign), {"name": "T", "start_date": "2026-02-01", "expiration_date": "2026-01-01"}
    )

    assert answer.json()["key"] == "invalid_expiration_date"


def test_a_campaign_of_codes_has_no_tiers(api, project):
    answer = api.post(tiers_url(CampaignFactory(project=project)), {"name": "T"})

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_campaign")


def test_a_tier_needs_a_campaign(api):
    answer = api.post("/v1/promotions/camp_none/tiers", {"name": "T"})

    assert (answer.status_code, answer.json()["resource_type"]) == (404, "campaign")


def test_an_update_changes_what_it_names(api, project):
    tier = PromotionTierFactory(project=project, banner="Old", metadata={"a": 1})
    before = api.get(url_of(tier)).json()

    body = api.put(url_of(tier), {"name": "New", "metadata": {"b": 2}}).json()

    assert body == before | {
        "name": "New",
        "metadata": {"a": 1, "b": 2},
        "updated_at": body["updated_at"],
    }
    assert api.get(url_of(tier)).json() == body


def test_an_update_by_null_takes_dates_windows_and_category_away(api, project):
    now = timezone.now()
    tier = PromotionTierFactory(
        project=project,
        start_date=now,
        expiration_date=now + timedelta(days=1),
        validity={"day_of_week": [1]},
        category=CategoryFactory(project=project),
    )

    body = api.put(
        url_of(tier),
        {"start_date": None, "expiration_date": None, "validity_day_of_week": None, "category_id": None},
    ).json()

    assert body["categories"] == []
    assert {"start_date", "expiration_date", "validity_day_of_week", "category_id"} & body.keys() == set()


def test_an_update_that_changes_nothing_is_none(api, project):
    tier = PromotionTierFactory(project=project)

    body = api.put(url_of(tier), {"name": tier.name}).json()

    assert "updated_at" not in body
    assert events(project) == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": ""}, ".name"),
        ({"hierarchy": 0}, ".hierarchy"),
        ({"action": {"discount": {"type": "PERCENT", "percent_off": 101}}}, ".action.discount"),
    ],
)
def test_a_wrong_update_names_the_property(api, project, body, named):
    answer = api.put(url_of(PromotionTierFactory(project=project)), body)

    assert answer.status_code == 400
    assert named in answer.json()["details"]


def test_a_rule_guards_a_tier_until_it_is_taken_away(api, campaign, project):
    rule = ValidationRuleFactory(project=project)
    made = api.post(tiers_url(campaign), {"name": "T", "validation_rules": [rule.public_id]}).json()

    kept = api.put(f"/v1/promotions/tiers/{made['id']}", {"banner": "x"}).json()
    freed = api.put(f"/v1/promotions/tiers/{made['id']}", {"validation_rules": []}).json()

    assert made["validation_rule_assignments"]["data"][0]["rule_id"] == rule.public_id
    assert kept["validation_rule_assignments"] == made["validation_rule_assignments"]
    assert freed["validation_rule_assignments"]["total"] == 0


def test_an_unknown_rule_is_not_found(api, campaign):
    answer = api.post(tiers_url(campaign), {"name": "T", "validation_rules": ["val_none"]})

    assert answer.status_code == 404
    assert not PromotionTier.objects.exists()


def test_a_tier_is_disabled_and_enabled(api, project):
    tier = PromotionTierFactory(project=project)

    assert api.post(f"{url_of(tier)}/disable").json()["active"] is False
    assert api.post(f"{url_of(tier)}/enable").json()["active"] is True
    assert events(project) == ["campaign.promotion_tier.disabled", "campaign.promotion_tier.enabled"]


def test_a_deleted_tier_is_gone(api, project):
    tier = PromotionTierFactory(project=project)

    assert api.delete(url_of(tier)).status_code == 204

    answer = api.get(url_of(tier))
    assert (answer.status_code, answer.json()["resource_type"]) == (404, "promotion_tier")


def test_a_deleted_tier_leaves_its_redemptions(api, project):
    tier = PromotionTierFactory(project=project)
    redeemables = [{"object": "promotion_tier", "id": tier.public_id}]
    made = api.post("/v1/redemptions", {"redeemables": redeemables, "order": {"amount": 1000}}).json()
    redemption = f"/v1/redemptions/{made['redemptions'][0]['id']}"

    api.delete(url_of(tier))

    assert api.get(redemption).json()["related_object_id"] == tier.public_id
    assert api.get("/v1/redemptions").json()["total"] == 1
    assert api.post(f"{redemption}/rollback").status_code == 200


def test_tiers_of_a_deleted_campaign_are_gone(api, project):
    tier = PromotionTierFactory(project=project)

    api.delete(f"/v1/campaigns/{tier.campaign.public_id}")

    assert api.get(url_of(tier)).status_code == 404
    assert api.get("/v1/promotions/tiers").json()["tiers"] == []


def test_each_change_is_told(api, campaign, project):
    made = api.post(tiers_url(campaign), {"name": "T"}).json()
    api.put(f"/v1/promotions/tiers/{made['id']}", {"name": "U"})
    api.delete(f"/v1/promotions/tiers/{made['id']}")

    assert events(project) == [
        "campaign.promotion_tier.created",
        "campaign.promotion_tier.updated",
        "campaign.promotion_tier.deleted",
    ]
    told = OutboxEvent.objects.filter(project=project).earliest("pk")
    assert told.data["promotion_tier"] == made
    assert told.data["campaign"]["id"] == campaign.public_id


def test_each_change_is_a_change_of_definitions(api, campaign, project):
    made = api.post(tiers_url(campaign), {"name": "T"}).json()
    url = f"/v1/promotions/tiers/{made['id']}"
    api.put(url, {"name": "U"})
    api.post(f"{url}/disable")
    api.delete(url)

    project.refresh_from_db()
    assert growths(project) == 4


def test_the_list_shows_the_newest_first(api, project):
    old, new = PromotionTierFactory(project=project), PromotionTierFactory(project=project)

    body = api.get("/v1/promotions/tiers").json()

    assert [tier["id"] for tier in body["tiers"]] == [new.public_id, old.public_id]
    assert (body["data_ref"], body["total"], body["has_more"]) == ("tiers", 2, False)


def test_the_list_is_ordered(api, project):
    old, new = PromotionTierFactory(project=project), PromotionTierFactory(project=project)

    body = api.get("/v1/promotions/tiers", {"order": "created_at"}).json()

    assert [tier["id"] for tier in body["tiers"]] == [old.public_id, new.public_id]


def test_the_list_of_a_campaign_shows_all_of_its_own(api, project, campaign):
    PromotionTierFactory(project=project)
    for _ in range(12):
        PromotionTierFactory(project=project, campaign=campaign)

    body = api.get(tiers_url(campaign)).json()

    assert {tier["campaign_id"] for tier in body["tiers"]} == {campaign.public_id}
    assert (len(body["tiers"]), body["has_more"]) == (12, False)


def test_the_list_shows_what_is_available(api, project):
    now = timezone.now()
    past, ahead = now - timedelta(days=1), now + timedelta(days=1)
    running = PromotionTierFactory(project=project, start_date=past, expiration_date=ahead)
    PromotionTierFactory(project=project, active=False)
    PromotionTierFactory(project=project, expiration_date=past)
    PromotionTierFactory(project=project, start_date=ahead)
    PromotionTierFactory(project=project, campaign__active=False)
    PromotionTierFactory(project=project, campaign__expiration_date=past)
    PromotionTierFactory(project=project, campaign__start_date=ahead)

    body = api.get("/v1/promotions/tiers", {"is_available": "true"}).json()

    assert [tier["id"] for tier in body["tiers"]] == [running.public_id]


@pytest.mark.parametrize("query", [{"limit": 101}, {"limit": 0}, {"order": "name"}, {"page": 0}])
def test_a_wrong_query_is_refused(api, query):
    answer = api.get("/v1/promotions/tiers", query)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_query_params")


def test_browsers_may_list_tiers(client_api, project):
    tier = PromotionTierFactory(project=project)

    body = client_api.get("/client/v1/promotions/tiers").json()

    assert [one["id"] for one in body["tiers"]] == [tier.public_id]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_a_constant_number_of_queries(api, project, django_assert_num_queries, count):
    for _ in range(count):
        PromotionTierFactory(project=project, category=CategoryFactory(project=project))
    api.get("/v1/async-actions")

    with django_assert_num_queries(2):
        api.get("/v1/promotions/tiers")


def events(project):
    found = OutboxEvent.objects.filter(project=project).order_by("pk").values_list("type", flat=True)
    return [one for one in found if one.startswith("campaign.")]
