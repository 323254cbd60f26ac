"""Categories over REST."""

import pytest

from campaigns.models import Category
from tests.factories import CampaignFactory, CategoryFactory, PromotionTierFactory, VoucherFactory
from tests.versions import growths


def test_a_category_is_made(api):
    body = api.post("/v1/categories", {"name": "Summer", "hierarchy": 3}).json()

    assert body == {
        "id": body["id"],
        "name": "Summer",
        "hierarchy": 3,
        "created_at": body["created_at"],
        "object": "category",
    }


def test_the_lowest_hierarchy_is_zero(api):
    assert api.post("/v1/categories", {"name": "First", "hierarchy": 0}).json()["hierarchy"] == 0


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"hierarchy": 1}, "'name'"),
        ({"name": "Summer"}, "'hierarchy'"),
        ({"name": "", "hierarchy": 1}, ".name"),
        ({"name": "x" * 256, "hierarchy": 1}, ".name"),
        ({"name": "Summer", "hierarchy": -1}, ".hierarchy"),
        ({"name": "Summer", "hierarchy": 2**31}, ".hierarchy"),
        ({"name": "Summer", "hierarchy": "high"}, ".hierarchy"),
        ([], "Payload"),
    ],
)
def test_a_wrong_category_names_the_property(api, body, named):
    answer = api.post("/v1/categories", body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert named in answer.json()["details"]


def test_a_name_is_taken_once(api, project):
    CategoryFactory(project=project, name="Summer")

    answer = api.post("/v1/categories", {"name": "Summer", "hierarchy": 1})

    assert (answer.status_code, answer.json()["key"]) == (409, "duplicate_found")


def test_another_project_may_have_the_same_name(api, project):
    CategoryFactory(name="Summer")

    assert api.post("/v1/categories", {"name": "Summer", "hierarchy": 1}).status_code == 200


def test_a_category_is_updated(api, project):
    category = CategoryFactory(project=project)

    body = api.put(f"/v1/categories/{category.public_id}", {"name": "Winter", "hierarchy": 0}).json()

    assert (body["name"], body["hierarchy"], "updated_at" in body) == ("Winter", 0, True)
    assert api.get(f"/v1/categories/{category.public_id}").json() == body


def test_an_update_may_not_take_another_name(api, project):
    CategoryFactory(project=project, name="Summer")
    category = CategoryFactory(project=project)

    answer = api.put(f"/v1/categories/{category.public_id}", {"name": "Summer", "hierarchy": 1})

    assert answer.status_code == 409


def test_what_carried_a_deleted_category_is_without_one(api, project):
    category = CategoryFactory(project=project)
    campaign = CampaignFactory(project=project, category=category)
    tier = PromotionTierFactory(project=project, category=category)
    voucher = VoucherFactory(project=project, category=category)

    assert api.delete(f"/v1/categories/{category.public_id}").status_code == 204

    for row in (campaign, tier, voucher):
        row.refresh_from_db()
        assert row.category is None
    assert not Category.objects.filter(project=project).exists()


def test_the_list_shows_all_newest_first(api, project):
    made = [CategoryFactory(project=project) for _ in range(12)]

    body = api.get("/v1/categories").json()

    assert [row["id"] for row in body["data"]] == [row.public_id for row in reversed(made)]
    assert (body["total"], body["has_more"]) == (12, False)


def test_the_list_says_when_there_is_more(api, project):
    CategoryFactory(project=project)
    CategoryFactory(project=project)

    body = api.get("/v1/categories", {"limit": 1}).json()

    assert (len(body["data"]), body["total"], body["has_more"]) == (1, 2, True)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_a_constant_number_of_queries(api, project, django_assert_num_queries, count):
    for _ in range(count):
        CategoryFactory(project=project)
    api.get("/v1/async-actions")

    with django_assert_num_queries(1):
        api.get("/v1/categories")


def test_an_unknown_category_is_not_found(api):
    answer = api.get("/v1/categories/cat_none")

    assert (answer.status_code, answer.json()["resource_type"]) == (404, "category")


def test_a_change_of_a_category_is_a_change_of_definitions(api, project):
    category = api.post("/v1/categories", {"name": "Summer", "hierarchy": 1}).json()
    api.put(f"/v1/categories/{category['id']}", {"name": "Winter", "hierarchy": 1})
    api.delete(f"/v1/categories/{category['id']}")

    project.refresh_from_db()
    assert growths(project) == 3
