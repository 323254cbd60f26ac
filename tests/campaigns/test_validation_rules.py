"""Validation rules over HTTP: made, changed, deleted, and assigned to what they guard."""

import pytest

from campaigns.models import ValidationRule, ValidationRuleAssignment
from promoengine.core.models import OutboxEvent
from tests.factories import CampaignFactory, PromotionTierFactory, ValidationRuleFactory, VoucherFactory
from tests.versions import growths

BIG_CART = {
    "1": {"name": "order.amount", "property": None, "conditions": {"$more_than": [50000]}, "rules": {}},
    "logic": "1",
}


def events(project, prefix="business_validation_rule."):
    rows = OutboxEvent.objects.filter(project=project, type__startswith=prefix).order_by("id")
    return [row.type.removeprefix(prefix) for row in rows]


def test_a_rule_is_made_as_it_is_published(api, project):
    body = {
        "name": "Big cart",
        "rules": BIG_CART,
        "error": {"message": "Spend more"},
        "applicable_to": {"included": [{"object": "product", "id": "prod_1"}]},
        "type": "complex",
        "context_type": "campaign.promotion.discount.apply_to_order",
    }

    made = api.post("/v1/validation-rules", body).json()

    rule = ValidationRule.objects.get()
    assert made == {
        "id": rule.public_id,
        "created_at": made["created_at"],
        "object": "validation_rules",
        "assignments_count": 0,
        "bundle_rules": {},
        **body,
        "applicable_to": {"excluded": [], "included_all": False, **body["applicable_to"]},
    }
    assert api.get(f"/v1/validation-rules/{rule.public_id}").json() == made
    assert events(project) == ["created"]


def test_a_name_is_enough(api):
    made = api.post("/v1/validation-rules", {"name": "Later"}).json()

    assert (made["rules"], made["type"], made["context_type"]) == ({}, "expression", "global")


def test_empty_objects_may_come_as_php_writes_them(api):
    made = api.post("/v1/validation-rules", {"name": "PHP", "rules": [], "applicable_to": []}).json()

    assert made["rules"] == {}


def test_older_names_are_understood(api):
    rules = {"1": {"name": "customer_segment", "conditions": {"$is": ["seg_1"]}}, "logic": "1"}

    made = api.post("/v1/validation-rules", {"name": "Segment", "rules": rules}).json()

    assert made["rules"]["1"] == {"name": "customer.segment", "conditions": {"$is": ["seg_1"]}, "rules": {}}


@pytest.mark.parametrize(
    ("body", "key", "details"),
    [
        ({}, "invalid_payload", "Payload must have required property 'name'"),
        ({"name": 5 * ["x"]}, "invalid_payload", "Property .name Not a valid string."),
        (
            {"name": "x", "rules": "1"},
            "invalid_payload",
            'Property .rules Expected a dictionary of items but got type "str".',
        ),
        (
            {"name": "x", "type": "simple"},
            "invalid_payload",
            'Property .type "simple" is not a valid choice.',
        ),
        (
            {"name": "x", "context_type": "moon"},
            "invalid_payload",
            'Property .context_type "moon" is not a valid choice.',
        ),
        (
            {"name": "x", "rules": {"1": {"name": "custom_event.metadata", "conditions": {"$is": [1]}}}},
            "invalid_validation_rules",
            "Rule 'custom_event.metadata' must have a 'property'",
        ),
        (
            {"name": "x", "rules": {"1": {"name": "order.color", "conditions": {"$is": [1]}}}},
            "invalid_validation_rules",
            "rules.1.name 'order.color' is not a known rule",
        ),
        (
            {"name": "x", "rules": BIG_CART | {"logic": "1 and 2"}},
            "invalid_validation_rules",
            "rules.logic names condition 2, which is not among the rules",
        ),
        ({"name": "x", "rules": {"1": []}}, "invalid_validation_rules", "rules.1 should be object"),
    ],
)
def test_what_can_not_be_meant_is_refused_by_name(api, body, key, details):
    answer = api.post("/v1/validation-rules", body)

    assert (answer.status_code, answer.json()["key"], answer.json()["details"]) == (400, key, details)
    assert not ValidationRule.objects.exists()


def test_an_update_changes_what_is_sent(api, project):
    rule = ValidationRuleFactory(project=project, rules=BIG_CART, error={"message": "Old"})

    changed = api.put(f"/v1/validation-rules/{rule.public_id}", {"name": "New", "error": None}).json()

    rule.refresh_from_db()
    assert (changed["name"], changed["rules"], "error" in changed) == ("New", BIG_CART, False)
    assert (rule.version, "updated_at" in changed, events(project)) == (2, True, ["updated"])


def test_an_update_that_changes_nothing_says_nothing(api, project):
    rule = ValidationRuleFactory(project=project, rules=BIG_CART)

    api.put(f"/v1/validation-rules/{rule.public_id}", {"rules": BIG_CART})

    rule.refresh_from_db()
    assert (rule.version, rule.updated_at, events(project)) == (1, None, [])


def test_an_update_can_not_spoil_a_rule(api, project):
    rule = ValidationRuleFactory(project=project, rules=BIG_CART)

    answer = api.put(f"/v1/validation-rules/{rule.public_id}", {"rules": BIG_CART | {"logic": "1 or"}})

    assert answer.json()["key"] == "invalid_validation_rules"


def test_changes_of_rules_are_changes_of_definitions(api, project):
    campaign = CampaignFactory(project=project)
    made = api.post("/v1/validation-rules", {"name": "R"}).json()
    path = f"/v1/validation-rules/{made['id']}"
    api.put(path, {"name": "S"})
    assignment = api.post(f"{path}/assignments", {"campaign": campaign.name}).json()
    api.delete(f"{path}/assignments/{assignment['id']}")
    api.delete(path)

    project.refresh_from_db()

    assert growths(project) == 5


def test_an_unknown_rule_is_not_found(api, project):
    answer = api.delete("/v1/validation-rules/val_none")

    assert (answer.status_code, answer.json()["details"]) == (
        404,
        "Cannot find validation_rules with id val_none",
    )


@pytest.mark.parametrize(
    ("related", "by_name"),
    [("voucher", False), ("voucher", True), ("campaign", True), ("promotion_tier", True)],
)
def test_a_rule_is_assigned(api, project, related, by_name):
    rule = ValidationRuleFactory(project=project)
    rows = {"voucher": VoucherFactory, "campaign": CampaignFactory, "promotion_tier": PromotionTierFactory}
    row = rows[related](project=project)
    named = {related: row.public_id}
    typed = {"related_object_type": related, "related_object_id": row.public_id}

    answer = api.post(f"/v1/validation-rules/{rule.public_id}/assignments", named if by_name else typed)

    made = ValidationRuleAssignment.objects.get()
    assert answer.json() == {
        "id": made.public_id,
        "rule_id": rule.public_id,
        "related_object_id": row.public_id,
        "related_object_type": related,
        "created_at": answer.json()["created_at"],
        "object": "validation_rules_assignment",
        "validation_status": "VALID",
        "validation_omitted_rules": [],
    }
    assert events(project) == ["assignment.created"]


def test_assignments_tell_what_they_are_about(api, project):
    rule, voucher = ValidationRuleFactory(project=project), VoucherFactory(project=project)
    path = f"/v1/validation-rules/{rule.public_id}/assignments"
    assignment = api.post(path, {"voucher": voucher.code}).json()
    api.delete(f"{path}/{assignment['id']}")

    created, deleted = OutboxEvent.objects.filter(project=project).order_by("id")

    assert created.data["assignment"] == deleted.data["assignment"] == assignment
    assert created.data["voucher"] == deleted.data["voucher"]
    assert (created.data["rule"]["assignments_count"], deleted.data["rule"]["assignments_count"]) == (1, 0)


def test_a_second_assignment_of_the_two_is_a_duplicate(api, project):
    rule, voucher = ValidationRuleFactory(project=project), VoucherFactory(project=project)
    path = f"/v1/validation-rules/{rule.public_id}/assignments"
    first = api.post(path, {"voucher": voucher.code}).json()["id"]

    answer = api.post(path, {"voucher": voucher.code})

    assert (answer.status_code, answer.json()["key"], answer.json()["resource_id"]) == (
        409,
        "duplicate_found",
        first,
    )


def test_a_forced_assignment_replaces_the_first(api, project):
    rule, voucher = ValidationRuleFactory(project=project), VoucherFactory(project=project)
    path = f"/v1/validation-rules/{rule.public_id}/assignments"
    first = api.post(path, {"voucher": voucher.code}).json()["id"]

    second = api.post(f"{path}?force=true", {"voucher": voucher.code}).json()["id"]

    assert first != second == ValidationRuleAssignment.objects.get().public_id


@pytest.mark.parametrize(
    ("body", "status", "details"),
    [
        ({}, 400, "Payload must have required property 'related_object_id'"),
        ({"voucher": "NONE"}, 404, "Cannot find voucher with id NONE"),
        ({"campaign": "camp_none"}, 404, "Cannot find campaign with id camp_none"),
        (
            {"related_object_type": "earning_rule", "related_object_id": "ern_1"},
            404,
            "Cannot find earning_rule with id ern_1",
        ),
        (
            {"related_object_type": "moon", "related_object_id": "1"},
            400,
            'Property .related_object_type "moon" is not a valid choice.',
        ),
    ],
)
def test_an_assignment_to_nothing_is_refused(api, project, body, status, details):
    rule = ValidationRuleFactory(project=project)

    answer = api.post(f"/v1/validation-rules/{rule.public_id}/assignments", body)

    assert (answer.status_code, answer.json()["details"]) == (status, details)


def test_assignments_are_listed_by_rule_and_by_object(api, project):
    rules = ValidationRuleFactory.create_batch(2, project=project)
    voucher, campaign = VoucherFactory(project=project), CampaignFactory(project=project)
    for rule in rules:
        api.post(f"/v1/validation-rules/{rule.public_id}/assignments", {"voucher": voucher.code})
    api.post(f"/v1/validation-rules/{rules[0].public_id}/assignments", {"campaign": campaign.public_id})

    of_rule = api.get(f"/v1/validation-rules/{rules[0].public_id}/assignments").json()
    by_query = api.get("/v1/validation-rules-assignments", {"rule": rules[0].public_id}).json()
    of_object = api.get(
        "/v1/validation-rules-assignments", {"related_object_id": voucher.public_id, "order": "created_at"}
    ).json()

    assert [one["related_object_id"] for one in of_rule["data"]] == [campaign.public_id, voucher.public_id]
    assert by_query == of_rule
    assert [one["rule_id"] for one in of_object["data"]] == [rule.public_id for rule in rules]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/validation-rules/val_none/assignments",
        "/v1/validation-rules-assignments?rule=val_none",
        "/v1/validation-rules-assignments?related_object_id=none",
    ],
)
def test_assignments_of_nothing_are_an_empty_list(api, project, path):
    ValidationRuleAssignment.objects.create(
        project=project,
        rule=ValidationRuleFactory(project=project),
        related_object_type="voucher",
        related_object_id=VoucherFactory(project=project).pk,
    )

    assert api.get(path).json() == {"object": "list", "data_ref": "data", "data": [], "total": 0}


def test_an_assignment_is_deleted_under_its_own_rule_only(api, project):
    rule, other = ValidationRuleFactory.create_batch(2, project=project)
    voucher = VoucherFactory(project=project)
    path = f"/v1/validation-rules/{rule.public_id}/assignments"
    assignment = api.post(path, {"voucher": voucher.code}).json()["id"]

    wrong = api.delete(f"/v1/validation-rules/{other.public_id}/assignments/{assignment}")
    right = api.delete(f"{path}/{assignment}")

    assert (wrong.status_code, right.status_code) == (404, 204)
    assert wrong.json()["resource_type"] == "validation_rules_assignment"
    assert api.get(f"/v1/validation-rules/{rule.public_id}").json()["assignments_count"] == 0


def test_a_deleted_rule_takes_its_assignments_along(api, project):
    rule, campaign = ValidationRuleFactory(project=project), CampaignFactory(project=project)
    api.post(f"/v1/validation-rules/{rule.public_id}/assignments", {"campaign": campaign.name})

    answer = api.delete(f"/v1/validation-rules/{rule.public_id}")

    assert (answer.status_code, ValidationRuleAssignment.objects.count()) == (204, 0)
    assert events(project) == ["assignment.created", "deleted"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["b", "a"]),
        ({"order": "created_at"}, ["a", "b"]),
        ({"order": "name"}, ["a", "b"]),
        ({"order": "-name"}, ["b", "a"]),
        ({"limit": 1, "page": 2}, ["a"]),
        ({"start_date": "2026-02-01"}, ["b"]),
        ({"end_date": "2026-01-31T00:00:00Z"}, ["a"]),
    ],
)
def test_rules_are_listed(api, project, query, names):
    ValidationRuleFactory(project=project, name="a", created_at="2026-01-01T00:00:00Z")
    ValidationRuleFactory(project=project, name="b", created_at="2026-03-01T00:00:00Z")

    body = api.get("/v1/validation-rules", query).json()

    assert [rule["name"] for rule in body["data"]] == names


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"end_date": "soon"}, "Property .end_date cannot be recognized as a ISO-8601 compliant date"),
        ({"limit": 101}, "Property .limit should be between 1 and 100"),
        (
            {"order": "color"},
            "Property .order should be one of created_at, name, updated_at, or -one of them",
        ),
    ],
)
def test_a_list_asked_for_wrongly_is_refused(api, query, details):
    answer = api.get("/v1/validation-rules", query)

    assert (answer.status_code, answer.json()["details"]) == (400, details)


@pytest.mark.parametrize(
    ("related", "factory"),
    [("voucher", VoucherFactory), ("campaign", CampaignFactory), ("promotion_tier", PromotionTierFactory)],
)
def test_another_projects_objects_can_not_be_guarded(other_api, project, related, factory):
    rule = other_api.post("/v1/validation-rules", {"name": "Mine"}).json()["id"]
    row = factory(project=project)

    answer = other_api.post(f"/v1/validation-rules/{rule}/assignments", {related: row.public_id})

    assert (answer.status_code, answer.json()["resource_type"]) == (404, related)


def test_another_projects_assignments_are_not_listed(other_api, project):
    rule, campaign = ValidationRuleFactory(project=project), CampaignFactory(project=project)
    ValidationRuleAssignment.objects.create(
        project=project, rule=rule, related_object_type="campaign", related_object_id=campaign.pk
    )

    listed = other_api.get(f"/v1/validation-rules/{rule.public_id}/assignments").json()

    assert listed["total"] == 0
