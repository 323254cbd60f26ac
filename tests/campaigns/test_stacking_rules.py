"""Stacking rules over the management API."""

import pytest

from tests.factories import CategoryFactory, ProjectFactory
from tests.versions import growths

DEFAULTS = {
    "redeemables_limit": 30,
    "applicable_redeemables_limit": 5,
    "applicable_redeemables_per_category_limit": None,
    "applicable_redeemables_category_limits": {},
    "applicable_exclusive_redeemables_limit": 1,
    "applicable_exclusive_redeemables_per_category_limit": None,
    "exclusive_categories": [],
    "joint_categories": [],
    "discount_calculation_mode": "DISCOUNTED_AMOUNT",
    "initial_amount_mode_categories": [],
    "discounted_amount_mode_categories": [],
    "redeemables_application_mode": "ALL",
    "redeemables_sorting_rule": "REQUESTED_ORDER",
    "redeemables_products_application_mode": "STACK",
    "redeemables_no_effect_rule": "REDEEM_ANYWAY",
    "no_effect_skip_categories": [],
    "no_effect_redeem_anyway_categories": [],
    "redeemables_rollback_order_mode": "WITH_ORDER",
    "grouped_redeemables_sorting_rule": "JOINT_ALWAYS_LAST",
}


@pytest.fixture
def url(project) -> str:
    return f"/management/v1/projects/{project.public_id}/stacking-rules"


def test_the_list_shows_the_defaults_without_an_id(management, url):
    body = management.get(url).json()

    assert body == {"object": "list", "data_ref": "data", "data": [DEFAULTS], "total": 1}


def test_rules_are_made_over_the_defaults(management, url):
    body = management.post(url, {"redeemables_application_mode": "PARTIAL"}).json()

    assert body["id"].startswith("stk_")
    assert body == DEFAULTS | {
        "id": body["id"],
        "redeemables_application_mode": "PARTIAL",
        "created_at": body["created_at"],
    }
    assert management.get(url).json()["data"] == [body]
    assert management.get(f"{url}/{body['id']}").json() == body


def test_a_project_has_one_set_of_rules(management, url):
    management.post(url, {})

    answer = management.post(url, {})

    assert (answer.status_code, answer.json()["key"]) == (409, "stacking_rules_exist")
    assert answer.json()["message"] == "Stacking rules exist"


def test_an_update_changes_what_it_names(management, url):
    made = management.post(url, {"redeemables_limit": 20, "redeemables_no_effect_rule": "SKIP"}).json()

    body = management.put(f"{url}/{made['id']}", {"redeemables_limit": 10}).json()

    assert body == made | {"redeemables_limit": 10, "updated_at": body["updated_at"]}


def test_an_update_replaces_a_list(management, url, project):
    one, other = CategoryFactory(project=project).public_id, CategoryFactory(project=project).public_id
    made = management.post(url, {"joint_categories": [one]}).json()

    body = management.put(f"{url}/{made['id']}", {"joint_categories": [other]}).json()

    assert body["joint_categories"] == [other]


def test_every_rule_can_be_set(management, url, project):
    cats = [CategoryFactory(project=project).public_id for _ in range(6)]
    rules = {
        "redeemables_limit": 25,
        "applicable_redeemables_limit": 10,
        "applicable_redeemables_per_category_limit": 2,
        "applicable_redeemables_category_limits": {cats[0]: 1, cats[1]: 10},
        "applicable_exclusive_redeemables_limit": 5,
        "applicable_exclusive_redeemables_per_category_limit": 5,
        "exclusive_categories": [cats[0]],
        "joint_categories": [cats[1]],
        "discount_calculation_mode": "INITIAL_AMOUNT",
        "initial_amount_mode_categories": [cats[2]],
        "discounted_amount_mode_categories": [cats[3]],
        "redeemables_application_mode": "PARTIAL",
        "redeemables_sorting_rule": "CATEGORY_HIERARCHY",
        "redeemables_products_application_mode": "ONCE",
        "redeemables_no_effect_rule": "SKIP",
        "no_effect_skip_categories": [cats[4]],
        "no_effect_redeem_anyway_categories": [cats[5]],
        "redeemables_rollback_order_mode": "WITHOUT_ORDER",
        "grouped_redeemables_sorting_rule": "SORTING_RULE",
    }

    body = management.post(url, rules).json()

    assert {name: body[name] for name in rules} == rules


@pytest.mark.parametrize(
    ("rules", "details"),
    [
        ({"redeemables_limit": 31}, "Property .redeemables_limit must be <= 30"),
        ({"redeemables_limit": 0}, "Property .redeemables_limit must be >= 1"),
        ({"redeemables_limit": "10"}, "Property .redeemables_limit must be integer"),
        ({"redeemables_limit": True}, "Property .redeemables_limit must be integer"),
        ({"redeemables_limit": None}, "Property .redeemables_limit must be integer"),
        (
            {"applicable_exclusive_redeemables_limit": 6},
            "Property .applicable_exclusive_redeemables_limit must be <= 5",
        ),
        (
            {"redeemables_limit": 4},
            "Property .applicable_redeemables_limit must be <= .redeemables_limit, which is 4",
        ),
        (
            {"applicable_redeemables_per_category_limit": 6},
            "Property .applicable_redeemables_per_category_limit must be <= .applicable_redeemables_limit, "
            "which is 5",
        ),
        (
            {"applicable_redeemables_category_limits": {"cat_x": 11}},
            "Property .applicable_redeemables_category_limits.cat_x must be <= 10",
        ),
        (
            {"applicable_redeemables_category_limits": []},
            "Property .applicable_redeemables_category_limits must be object",
        ),
        (
            {"applicable_redeemables_category_limits": {"cat_x": 1}},
            "Property .applicable_redeemables_category_limits names cat_x, but there is no such category",
        ),
        (
            {"exclusive_categories": ["cat_x"]},
            "Property .exclusive_categories names cat_x, but there is no such category",
        ),
        ({"joint_categories": None}, "Property .joint_categories must be an array of category ids"),
        ({"joint_categories": [1]}, "Property .joint_categories must be an array of category ids"),
        (
            {"redeemables_application_mode": "SOME"},
            "Property .redeemables_application_mode must be one of ALL, PARTIAL",
        ),
        (
            {"redeemables_sorting_rule": ["ALL"]},
            "Property .redeemables_sorting_rule must be one of REQUESTED_ORDER, CATEGORY_HIERARCHY",
        ),
        ([], "Payload should be object"),
    ],
)
def test_a_wrong_rule_names_the_property(management, url, rules, details):
    answer = management.post(url, rules)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert answer.json()["details"] == details


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exclusive_categories", "joint_categories"),
        ("no_effect_skip_categories", "no_effect_redeem_anyway_categories"),
        ("initial_amount_mode_categories", "discounted_amount_mode_categories"),
    ],
)
def test_a_category_is_on_one_side_of_a_pair(management, url, project, one, other):
    category = CategoryFactory(project=project).public_id
    made = management.post(url, {one: [category]}).json()

    answer = management.put(f"{url}/{made['id']}", {other: [category]})

    assert answer.json()["details"] == f"Properties .{one} and .{other} can't both have {category}"


def test_another_projects_category_does_not_exist(management, url):
    strange = CategoryFactory().public_id

    answer = management.post(url, {"joint_categories": [strange]})

    assert answer.status_code == 400


def test_deleting_the_rules_brings_back_the_defaults(management, url):
    made = management.post(url, {"redeemables_limit": 20}).json()

    assert management.delete(f"{url}/{made['id']}").status_code == 204

    assert management.get(url).json()["data"] == [DEFAULTS]
    assert management.get(f"{url}/{made['id']}").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_unknown_id_is_not_found(management, url, method):
    management.post(url, {})
    arguments = [{}] if method == "put" else []

    answer = getattr(management, method)(f"{url}/stk_none", *arguments)

    assert (answer.status_code, answer.json()["resource_type"]) == (404, "stacking_rules")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_the_defaults_have_no_id_to_ask_for(management, url, method):
    made = management.post(url, {}).json()
    management.delete(f"{url}/{made['id']}")
    arguments = [{}] if method == "put" else []

    assert getattr(management, method)(f"{url}/{made['id']}", *arguments).status_code == 404


def test_a_key_reaches_its_own_project_only(management):
    other = ProjectFactory()

    answer = management.get(f"/management/v1/projects/{other.public_id}/stacking-rules")

    assert (answer.status_code, answer.json()["resource_type"]) == (404, "project")


def test_a_server_key_does_not_reach_the_rules(api, url):
    assert api.get(url).status_code == 401


def test_a_deleted_category_leaves_the_rules(api, management, url, project):
    gone, kept = CategoryFactory(project=project).public_id, CategoryFactory(project=project).public_id
    management.post(
        url,
        {
            "exclusive_categories": [gone, kept],
            "applicable_redeemables_category_limits": {gone: 1, kept: 2},
        },
    )

    api.delete(f"/v1/categories/{gone}")

    rules = management.get(url).json()["data"][0]
    assert rules["exclusive_categories"] == [kept]
    assert rules["applicable_redeemables_category_limits"] == {kept: 2}


def test_a_change_of_the_rules_is_a_change_of_definitions(management, url, project):
    made = management.post(url, {}).json()
    management.put(f"{url}/{made['id']}", {"redeemables_limit": 10})
    management.delete(f"{url}/{made['id']}")

    project.refresh_from_db()
    assert growths(project) == 3
