"""Promotion stacks over REST."""

import pytest

from campaigns.models import PromotionStack
from promoengine.core.models import OutboxEvent
from tests.factories import CampaignFactory, CategoryFactory, PromotionTierFactory
from tests.versions import growths


@pytest.fixture
def campaign(project):
    return CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)


@pytest.fixture
def tiers(project, campaign):
    return [PromotionTierFactory(project=project, campaign=campaign).public_id for _ in range(3)]


@pytest.fixture
def url(campaign):
    return f"/v1/promotions/{campaign.public_id}/stacks"


def test_a_stack_is_made_in_the_order_given(api, url, campaign, tiers):
    ids = [tiers[2], tiers[0]]

    body = api.post(url, {"name": "Both", "tiers": {"ids": ids}}).json()

    assert body == {
        "id": body["id"],
        "name": "Both",
        "created_at": body["created_at"],
        "campaign_id": campaign.public_id,
        "tiers": {"ids": ids, "hierarchy_mode": "MANUAL"},
        "category_id": None,
        "categories": [],
        "object": "promotion_stack",
    }
    assert api.get(f"{url}/{body['id']}").json() == body


def test_the_campaign_may_be_named(api, campaign, tiers):
    body = {"name": "Both", "tiers": {"ids": tiers}}

    assert api.post(f"/v1/promotions/{campaign.name}/stacks", body).status_code == 200


def test_a_stack_has_a_category(api, url, tiers, project):
    category = CategoryFactory(project=project)

    body = api.post(url, {"name": "Both", "tiers": {"ids": tiers}, "category_id": category.public_id}).json()

    assert body["category_id"] == category.public_id
    assert [one["id"] for one in body["categories"]] == [category.public_id]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"tiers": {"ids": ["promo_x"]}}, "'name'"),
        ({"name": "S"}, "'tiers'"),
        ({"name": "S", "tiers": {}}, "'ids'"),
        ({"name": "S", "tiers": []}, ".tiers"),
        ({"name": "S", "tiers": {"ids": []}}, ".tiers.ids"),
        ({"name": "S", "tiers": {"ids": "promo_x"}}, ".tiers.ids"),
        ({"name": "S", "tiers": {"ids": ["promo_x"] * 31}}, ".tiers.ids"),
        ({"name": "S", "tiers": {"ids": ["promo_x"], "hierarchy_mode": "LOOSE"}}, ".tiers.hierarchy_mode"),
    ],
)
def test_a_wrong_stack_names_the_property(api, url, body, named):
    answer = api.post(url, body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert named in answer.json()["details"]


def test_a_tier_stands_in_a_stack_once(api, url, tiers):
    answer = api.post(url, {"name": "S", "tiers": {"ids": [tiers[0], tiers[0]]}})

    assert answer.json()["details"] == f"Property .tiers.ids should name {tiers[0]} only once"


def test_a_stack_has_tiers_of_its_own_campaign(api, url, project):
    strange = PromotionTierFactory(project=project).public_id

    answer = api.post(url, {"name": "S", "tiers": {"ids": [strange]}})

    assert (answer.status_code, answer.json()["resource_type"]) == (404, "promotion_tier")


def test_a_stack_needs_a_campaign(api, tiers):
    answer = api.post("/v1/promotions/camp_none/stacks", {"name": "S", "tiers": {"ids": tiers}})

    assert (answer.status_code, answer.json()["resource_type"]) == (404, "campaign")


def test_an_update_changes_what_it_names(api, url, tiers):
    made = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()

    body = api.put(f"{url}/{made['id']}", {"tiers": {"ids": tiers[:1]}}).json()

    assert body == made | {
        "tiers": {"ids": tiers[:1], "hierarchy_mode": "MANUAL"},
        "updated_at": body["updated_at"],
    }


def test_an_update_may_not_empty_a_stack(api, url, tiers):
    made = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()

    assert api.put(f"{url}/{made['id']}", {"tiers": {"ids": []}}).status_code == 400


def test_a_stack_is_deleted_and_its_tiers_stay(api, url, tiers):
    made = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()

    assert api.delete(f"{url}/{made['id']}").status_code == 204

    answer = api.get(f"{url}/{made['id']}")
    assert (answer.status_code, answer.json()["resource_type"]) == (404, "promotion_stack")
    assert api.get("/v1/promotions/tiers").json()["total"] == 3


def test_a_stack_is_found_in_its_own_campaign_only(api, url, tiers, project):
    made = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()
    other = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)

    assert api.get(f"/v1/promotions/{other.public_id}/stacks/{made['id']}").status_code == 404


def test_a_deleted_tier_leaves_its_stacks(api, url, tiers):
    made = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()

    api.delete(f"/v1/promotions/tiers/{tiers[1]}")

    assert api.get(f"{url}/{made['id']}").json()["tiers"]["ids"] == [tiers[0], tiers[2]]


def test_a_stack_goes_with_its_last_tier(api, url, tiers, project):
    api.post(url, {"name": "S", "tiers": {"ids": tiers[:1]}})

    api.delete(f"/v1/promotions/tiers/{tiers[0]}")

    assert not PromotionStack.objects.exists()
    assert events(project) == [
        "campaign.promotion_stack.created",
        "campaign.promotion_stack.deleted",
        "campaign.promotion_tier.deleted",
    ]


def test_each_change_is_told_and_is_a_change_of_definitions(api, url, campaign, tiers, project):
    made = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()
    api.put(f"{url}/{made['id']}", {"name": "T"})
    api.delete(f"{url}/{made['id']}")

    assert events(project) == [
        "campaign.promotion_stack.created",
        "campaign.promotion_stack.updated",
        "campaign.promotion_stack.deleted",
    ]
    told = OutboxEvent.objects.filter(project=project).earliest("pk")
    assert told.data["promotion_stack"] == made
    assert told.data["campaign"]["id"] == campaign.public_id
    project.refresh_from_db()
    assert growths(project) == 3


def test_the_list_of_a_campaign_shows_its_own(api, url, tiers, project):
    made = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()
    stack_of_another_campaign(api, project)

    body = api.get(url).json()

    assert (body["data_ref"], body["data"], body["total"]) == ("data", [made], 1)


def test_the_list_shows_all_campaigns_newest_first(api, url, tiers, project):
    old = api.post(url, {"name": "S", "tiers": {"ids": tiers}}).json()
    new = stack_of_another_campaign(api, project)

    assert api.get("/v1/promotions/stacks").json()["data"] == [new, old]
    assert api.get("/v1/promotions/stacks", {"order": "created_at"}).json()["data"] == [old, new]


@pytest.mark.parametrize("name", ["[created_at][after]", "filters[created_at][conditions][$after][0]"])
def test_the_list_is_filtered_by_dates(api, url, tiers, name):
    api.post(url, {"name": "S", "tiers": {"ids": tiers}})

    assert api.get("/v1/promotions/stacks", {name: "2999-01-01"}).json()["total"] == 0
    assert api.get("/v1/promotions/stacks", {name: "2000-01-01"}).json()["total"] == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_a_constant_number_of_queries(
    api, url, tiers, project, django_assert_num_queries, count
):
    for number in range(count):
        category = CategoryFactory(project=project).public_id
        api.post(url, {"name": f"S{number}", "tiers": {"ids": tiers}, "category_id": category})

    with django_assert_num_queries(1):
        api.get("/v1/promotions/stacks")


def stack_of_another_campaign(api, project):
    tier = PromotionTierFactory(project=project)
    body = {"name": "Other", "tiers": {"ids": [tier.public_id]}}
    return api.post(f"/v1/promotions/{tier.campaign.public_id}/stacks", body).json()


def events(project):
    found = OutboxEvent.objects.filter(project=project).order_by("pk").values_list("type", flat=True)
    return list(found)
