"""Several redeemables at one checkout: order, limits, exclusive and joint categories, stacks; over HTTP."""

import pytest

from tests.factories import CampaignFactory, CategoryFactory, PromotionTierFactory, VoucherFactory
from tests.redemptions.storefront import assign, code_with, make_rule, redeem, redeemables, validate

ORDER = {"amount": 10000}
BIG = {"name": "order.amount", "conditions": {"$more_than": [9000]}}


@pytest.fixture
def stacking(project):
    """Set the project's stacking rules."""

    def change(**rules):
        project.stacking_rules = rules
        project.save()

    return change


@pytest.fixture
def code(project):
    """Make codes, of a category where one is given."""

    def make(name, category=None, **discount):
        discount = discount or {"type": "AMOUNT", "amount_off": 1000}
        return VoucherFactory(project=project, code=name, category=category, discount=discount).code

    return make


def statuses(answer, name="redeemables"):
    return [(one["id"], one["status"]) for one in answer.get(name, [])]


def skipped(answer):
    """Return which redeemables were left out, and by which key."""
    return [(one["id"], one["result"]["details"]["key"]) for one in answer.get("skipped_redeemables", [])]


def applied(answer):
    return [one["id"] for one in answer["redeemables"] if one["status"] == "APPLICABLE"]


def test_all_mode_shows_every_redeemable_and_no_order(api, code):
    first, last = code("FIRST"), code("LAST")
    failing = code_with(api, BIG, code="FAILING")

    answer = validate(api, first, failing, last, order=ORDER)

    assert answer["valid"] is False
    assert statuses(answer) == [("FIRST", "APPLICABLE"), ("FAILING", "INAPPLICABLE"), ("LAST", "SKIPPED")]
    assert answer["inapplicable_redeemables"] == [answer["redeemables"][1]]
    assert answer["skipped_redeemables"] == [answer["redeemables"][2]]
    assert answer["redeemables"][2]["result"]["details"] == {
        "key": "preceding_validation_failed",
        "message": "Redeemable cannot be applied due to preceding validation failure",
    }
    assert "order" not in answer


def test_partial_mode_shows_those_that_apply_and_the_rest_apart(api, stacking, code):
    stacking(redeemables_application_mode="PARTIAL")
    first, last = code("FIRST"), code("LAST")
    failing = code_with(api, BIG, code="FAILING")

    answer = validate(api, first, failing, last, order=ORDER)

    assert answer["valid"] is True
    assert statuses(answer) == [("FIRST", "APPLICABLE"), ("LAST", "APPLICABLE")]
    assert statuses(answer, "inapplicable_redeemables") == [("FAILING", "INAPPLICABLE")]
    assert "skipped_redeemables" not in answer
    assert answer["order"]["total_amount"] == 8000


def test_partial_mode_with_nothing_that_applies_is_not_valid(api, stacking):
    stacking(redeemables_application_mode="PARTIAL")
    failing = code_with(api, BIG, code="FAILING")

    answer = validate(api, failing, "UNKNOWN", order={"amount": 100})
    redeemed = api.post(
        "/v1/redemptions", {"redeemables": redeemables(failing, "UNKNOWN"), "order": {"amount": 100}}
    )

    assert (answer["valid"], answer["redeemables"]) == (False, [])
    assert len(answer["inapplicable_redeemables"]) == 2
    assert (redeemed.status_code, redeemed.json()["key"]) == (400, "order_rules_violated")


def test_arrays_of_those_left_out_are_absent_when_empty(api, code):
    answer = validate(api, code("FIRST"), order=ORDER)

    assert not {"inapplicable_redeemables", "skipped_redeemables"} & set(answer)


def test_a_redemption_has_both_arrays_always(api, code):
    answer = redeem(api, code("FIRST"), order=ORDER)

    assert (answer["inapplicable_redeemables"], answer["skipped_redeemables"]) == ([], [])
    assert "parent_redemption" not in answer


def test_the_order_asked_for_counts_unless_categories_decide(api, project, stacking, code):
    early, late = (CategoryFactory(project=project, hierarchy=number) for number in (1, 2))
    code("LATE", late)
    code("EARLY", early)
    code("NONE")
    asked = ("NONE", "LATE", "EARLY")

    requested = validate(api, *asked, order=ORDER)
    stacking(redeemables_sorting_rule="CATEGORY_HIERARCHY")
    by_hierarchy = validate(api, *asked, order=ORDER)

    assert applied(requested) == list(asked)
    assert applied(by_hierarchy) == ["EARLY", "LATE", "NONE"]


def test_one_of_a_category_may_be_used_where_rules_say_so(api, project, stacking, code):
    category = CategoryFactory(project=project)
    stacking(applicable_redeemables_per_category_limit=1)
    names = [code("A", category), code("B", category), code("C")]

    answer = validate(api, *names, order=ORDER)

    assert skipped(answer) == [("B", "applicable_redeemables_per_category_limit_exceeded")]
    assert applied(answer) == ["A", "C"]
    assert answer["valid"] is True


def test_more_than_may_apply_are_left_out(api, stacking, code):
    stacking(applicable_redeemables_limit=1)

    answer = validate(api, code("A"), code("B"), order=ORDER)

    assert skipped(answer) == [("B", "applicable_redeemables_limit_exceeded")]
    assert answer["skipped_redeemables"][0]["result"]["details"]["message"] == (
        "Applicable redeemables limit exceeded"
    )


def test_more_than_may_be_named_are_refused(api, stacking, code):
    stacking(redeemables_limit=1)

    answer = api.post("/v1/validations", {"redeemables": redeemables(code("A"), code("B")), "order": ORDER})

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_redeemables")


def test_an_exclusive_code_leaves_common_ones_out_and_joint_ones_in(api, project, stacking, code):
    alone, joint = CategoryFactory(project=project), CategoryFactory(project=project)
    stacking(exclusive_categories=[alone.public_id], joint_categories=[joint.public_id])
    names = [code("COMMON"), code("JOINT", joint), code("ALONE", alone), code("ALONE-2", alone)]

    answer = validate(api, *names, order=ORDER)

    assert applied(answer) == ["ALONE", "JOINT"]
    assert skipped(answer) == [
        ("COMMON", "exclusion_rules_not_met"),
        ("ALONE-2", "applicable_exclusive_redeemables_limit_exceeded"),
    ]


def test_categories_say_how_they_stack(api, project, stacking, code):
    alone, joint, common = (CategoryFactory(project=project) for _ in range(3))
    stacking(exclusive_categories=[alone.public_id], joint_categories=[joint.public_id])
    names = [code("A", alone), code("J", joint), code("C", common)]

    answer = validate(api, *names, order=ORDER)

    (types,) = (
        {
            one["id"]: one["categories"][0].get("stacking_rules_type")
            for name in ("redeemables", "skipped_redeemables")
            for one in answer[name]
        },
    )
    assert types == {"A": "EXCLUSIVE", "J": "JOINT", "C": None}


def test_what_takes_nothing_off_is_redeemed_anyway_or_left_out(api, stacking, code):
    names = [code("ALL", type="PERCENT", percent_off=100), code("NOTHING")]
    anyway = validate(api, *names, order=ORDER)

    stacking(redeemables_no_effect_rule="SKIP")
    answer = validate(api, *names, order=ORDER)

    assert applied(anyway) == names
    assert applied(answer) == ["ALL"]
    assert len(skipped(answer)) == 1


@pytest.mark.parametrize(("mode", "total"), [("INITIAL_AMOUNT", 8000), ("DISCOUNTED_AMOUNT", 8100)])
def test_percentages_are_of_the_first_or_of_the_discounted_amount(api, stacking, code, mode, total):
    stacking(discount_calculation_mode=mode)
    names = [code(name, type="PERCENT", percent_off=10) for name in "AB"]

    assert validate(api, *names, order=ORDER)["order"]["total_amount"] == total


def test_a_line_is_discounted_once_where_rules_say_so(api, stacking, code):
    stacking(redeemables_products_application_mode="ONCE")
    names = [code(name, type="PERCENT", percent_off=10, effect="APPLY_TO_ITEMS") for name in "AB"]
    items = [{"source_id": "a", "quantity": 1, "price": 1000}]

    assert validate(api, *names, order={"items": items})["order"]["total_amount"] == 900


def test_the_answer_names_the_stacking_rules_in_force(api, stacking, code):
    stacking(redeemables_application_mode="PARTIAL", applicable_redeemables_limit=2)

    rules = validate(api, code("A"), order=ORDER)["stacking_rules"]

    assert (rules["redeemables_application_mode"], rules["applicable_redeemables_limit"]) == ("PARTIAL", 2)
    assert rules["redeemables_limit"] == 30


def test_a_rollback_undoes_all_or_leaves_the_order(api, stacking, code):
    stacking(redeemables_rollback_order_mode="WITHOUT_ORDER")
    parent = redeem(api, code("A"), code("B"), order=ORDER)["parent_redemption"]["id"]

    undone = api.post(f"/v1/redemptions/{parent}/rollbacks").json()

    assert (undone["order"]["status"], undone["order"]["total_amount"]) == ("PAID", 8000)


@pytest.fixture
def stack(api, project):
    """A stack of three tiers of 5.00 each; the second asks for more than 90.00."""
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    tiers = PromotionTierFactory.create_batch(3, project=project, campaign=campaign)
    related = {"related_object_type": "promotion_tier", "related_object_id": tiers[1].public_id}
    assign(api, make_rule(api, BIG), **related)
    body = {"name": "S", "tiers": {"ids": [tier.public_id for tier in tiers]}}
    return api.post(f"/v1/promotions/{campaign.public_id}/stacks", body).json()


def test_a_stack_shows_all_its_tiers_in_their_order(api, stack):
    answer = validate(api, stack["id"], order=ORDER)

    assert statuses(answer) == [(tier, "APPLICABLE") for tier in stack["tiers"]["ids"]]
    assert [one["order"]["total_amount"] for one in answer["redeemables"]] == [9500, 9000, 8500]
    assert answer["order"]["total_amount"] == 8500


def test_a_stack_with_a_tier_that_fails_is_not_valid(api, stack):
    answer = validate(api, stack["id"], order={"amount": 9200})

    assert [status for _, status in statuses(answer)] == ["APPLICABLE", "INAPPLICABLE", "SKIPPED"]
    assert answer["valid"] is False


def test_a_stack_is_redeemed_as_a_whole_and_rolled_back(api, stack):
    answer = redeem(api, stack["id"], order=ORDER)
    parent = answer["parent_redemption"]["id"]

    undone = api.post(f"/v1/redemptions/{parent}/rollbacks").json()

    assert [one["promotion_tier"]["id"] for one in answer["redemptions"]] == stack["tiers"]["ids"]
    assert {one["redemption"] for one in answer["redemptions"]} == {parent}
    assert answer["order"]["total_amount"] == 8500
    assert len(undone["rollbacks"]) == 3
    assert undone["order"]["total_amount"] == 10000


@pytest.mark.parametrize("path", ["/v1/validations", "/v1/redemptions"])
def test_a_stack_stands_alone(api, stack, code, path):
    answer = api.post(path, {"redeemables": redeemables(stack["id"], code("A")), "order": ORDER})

    body = answer.json()
    assert (answer.status_code, body["key"]) == (400, "invalid_redeemables")
    assert body["details"] == "Promotion Stack cannot be used with other redeemables"


def test_an_unknown_stack_is_not_found(api, other_api, stack):
    unknown, foreign = validate(api, "stack_none", order=ORDER), validate(other_api, stack["id"], order=ORDER)

    errors = [answer["redeemables"][0]["result"]["error"]["key"] for answer in (unknown, foreign)]
    assert errors == ["not_found", "not_found"]
