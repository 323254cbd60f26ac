"""Limits by validation rules: how many, for whom, and what comes back."""

import pytest

from promoengine.core.models import Project
from redemptions.models import Redemption, UsageCounter
from tests.factories import (
    CampaignFactory,
    CustomerFactory,
    GiftCardFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from tests.limits import (
    REFUSED,
    assert_ledger_agrees,
    assign,
    key_of,
    limit,
    redeem,
    roll_back,
    standing,
)

COUNTS = [
    f"{name}{window}"
    for name in (
        "campaign.redemptions.count",
        "campaign.redemptions.customers_count",
        "redemption.count.per_customer",
        "redemption.count.per_api_key",
    )
    for window in ("", ".daily", ".weekly", ".monthly")
] + ["redemption.count.daily", "redemption.count.weekly", "redemption.count.monthly"]


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_allows_as_many_as_it_says(api, project, code, name):
    limit(code.campaign, name, 2, message="Gone for now")

    answers = [redeem(api, code.code, customer={"source_id": "ann"}) for _ in range(3)]

    refused = answers[2].json()
    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert refused["error"] == {"message": "Gone for now"}
    assert refused["key"] in (REFUSED, "customer_rules_violated")
    assert_ledger_agrees(project)


@pytest.mark.parametrize(
    "name", ["campaign.redemptions.customers_count", "redemption.count.per_customer.daily"]
)
def test_a_limit_by_customer_is_each_customers_own(api, project, code, name):
    limit(code.campaign, name, 1)

    keys = [key_of(redeem(api, code.code, customer={"source_id": who})) for who in ("ann", "bob", "ann")]

    assert keys == ["success", "success", REFUSED]


def test_a_limit_by_customer_asks_who_it_is(api, code):
    limit(code.campaign, "redemption.count.per_customer", 1)

    assert key_of(redeem(api, code.code)) == "missing_customer"


@pytest.mark.parametrize(
    ("name", "most", "used"),
    [
        ("campaign.orders.amount", 10000, [5000, 5000]),
        ("campaign.orders.amount", 10001, [5000, 5000]),
        ("campaign.orders.amount_discounted", 1500, [500, 500, 500]),
        ("campaign.orders.amount_discounted", 1499, [500, 500]),
    ],
)
def test_a_budget_is_never_overspent(api, project, code, name, most, used):
    limit(code.campaign, name, most)

    keys = [key_of(redeem(api, code.code)) for _ in range(4)]

    assert keys == ["success"] * len(used) + [REFUSED] * (4 - len(used))
    assert sum(UsageCounter.objects.values_list("value", flat=True)) == sum(used)
    assert_ledger_agrees(project)


def test_a_budget_of_gift_credits_is_kept(api, project):
    campaign = CampaignFactory(
        project=project, campaign_type="GIFT_VOUCHERS", discount=None, gift={"amount": 9000}
    )
    cards = [GiftCardFactory(project=project, campaign=campaign, gift_amount=9000) for _ in range(3)]
    limit(campaign, "redemption.gift.amount", 10000)

    keys = [key_of(redeem(api, card.code)) for card in cards]

    assert keys == ["success", "success", REFUSED]
    assert_ledger_agrees(project)


def test_the_rule_itself_may_have_the_words(api, code):
    limit(code.campaign, "campaign.redemptions.count", 0, extra={"error": {"message": "Sold out, sorry"}})

    assert redeem(api, code.code).json()["error"] == {"message": "Sold out, sorry"}


def test_a_limit_counts_what_was_used_before_it(api, project, code):
    for _ in range(2):
        redeem(api, code.code)
    limit(code.campaign, "campaign.redemptions.count", 3)

    keys = [key_of(redeem(api, code.code)) for _ in range(2)]

    assert keys == ["success", REFUSED]


def test_a_limit_taken_away_and_set_again_has_missed_nothing(api, project, code):
    assignment = limit(code.campaign, "campaign.redemptions.count", 5)
    redeem(api, code.code)
    rule = assignment.rule.public_id
    gone = api.delete(f"/v1/validation-rules/{rule}/assignments/{assignment.public_id}")
    for _ in range(3):
        redeem(api, code.code)
    assign(code.campaign, assignment.rule)

    keys = [key_of(redeem(api, code.code)) for _ in range(2)]

    assert gone.status_code == 204
    assert keys == ["success", REFUSED]
    assert_ledger_agrees(project)


def test_a_limit_on_one_code_counts_its_whole_campaign(api, project, code):
    """The other code has no rule; what it uses of the campaign counts all the same."""
    other = VoucherFactory(project=project, campaign=code.campaign, discount=None)
    limit(code, "campaign.redemptions.count", 3)

    keys = [key_of(redeem(api, one.code)) for one in (code, other, other, code, other)]

    assert keys == ["success", "success", "success", REFUSED, "success"]
    assert_ledger_agrees(project)


def test_a_tightened_limit_holds_at_once(api, code):
    assignment = limit(code.campaign, "campaign.redemptions.count", 10)
    redeem(api, code.code)
    rules = {"1": {"name": "campaign.redemptions.count", "conditions": {"$less_than_or_equal": [1]}}}
    api.put(f"/v1/validation-rules/{assignment.rule.public_id}", {"rules": rules})

    assert key_of(redeem(api, code.code)) == REFUSED


@pytest.mark.parametrize("name", ["campaign.redemptions.count", "campaign.redemptions.customers_count.daily"])
def test_a_rollback_frees_the_place(api, project, code, name):
    limit(code.campaign, name, 1)
    who = {"customer": {"source_id": "ann"}}
    first = redeem(api, code.code, **who)
    refused = redeem(api, code.code, **who)

    roll_back(api, first)

    assert [key_of(refused), key_of(redeem(api, code.code, **who))] == [REFUSED, "success"]
    assert_ledger_agrees(project)


def test_a_rollback_returns_the_budget(api, project, code):
    limit(code.campaign, "campaign.orders.amount_discounted", 500)
    first = redeem(api, code.code)

    roll_back(api, first)

    assert standing(project) == {("discount_amount", "ever"): 0}


def test_two_codes_of_one_campaign_count_twice(api, project, code):
    other = VoucherFactory(project=project, campaign=code.campaign, discount=None)
    limit(code.campaign, "campaign.redemptions.count", 3)

    keys = [key_of(redeem(api, code.code, other.code)) for _ in range(2)]

    assert keys == ["success", REFUSED]
    assert standing(project) == {("count", "ever"): 2}
    assert_ledger_agrees(project)


def test_a_stack_comes_back_whole(api, project, code):
    other = VoucherFactory(project=project, campaign=code.campaign, discount=None)
    limit(code.campaign, "campaign.redemptions.count", 2)
    stack = redeem(api, code.code, other.code)

    roll_back(api, stack)

    assert standing(project) == {("count", "ever"): 0}
    assert key_of(redeem(api, code.code, other.code)) == "success"


def test_partial_mode_leaves_out_what_is_used_up(api, project, code):
    Project.objects.filter(pk=project.pk).update(stacking_rules={"redeemables_application_mode": "PARTIAL"})
    other = VoucherFactory(project=project, campaign=code.campaign, discount=None)
    limit(code.campaign, "campaign.redemptions.count", 1)

    answer = redeem(api, code.code, other.code).json()

    assert [one["voucher"]["code"] for one in answer["redemptions"]] == [code.code]
    assert [one["id"] for one in answer["inapplicable_redeemables"]] == [other.code]
    assert standing(project) == {("count", "ever"): 1}


def test_where_rules_leave_out_all_the_redemption_is_refused(api, project):
    Project.objects.filter(pk=project.pk).update(stacking_rules={"redeemables_no_effect_rule": "SKIP"})
    code = VoucherFactory(project=project, discount={"type": "PERCENT", "percent_off": 0.001})

    assert key_of(redeem(api, code.code)) == "invalid_redeemables"


def test_a_failed_redemption_counts_nothing(api, project, code):
    limit(code.campaign, "campaign.redemptions.count", 5)
    redeem(api, code.code)
    expired = VoucherFactory(project=project, active=False)

    redeem(api, code.code, expired.code)

    assert standing(project) == {("count", "ever"): 1}
    assert Redemption.objects.filter(result="FAILURE").count() == 1


def test_a_promotion_is_limited_like_a_code(api, project):
    tier = PromotionTierFactory(project=project)
    limit(tier, "redemption.count.daily", 1)

    keys = [key_of(redeem(api, tier.public_id)) for _ in range(2)]

    assert keys == ["success", REFUSED]


def test_discounted_units_are_limited_over_all_orders(api, project):
    tier = PromotionTierFactory(
        project=project, discount={"type": "PERCENT", "percent_off": 100, "effect": "APPLY_TO_ITEMS"}
    )
    product = {"object": "product", "id": "shoe", "source_id": "shoe"}
    limit(
        tier,
        "redemption.count.daily",
        100,
        extra={"applicable_to": {"included": [product | {"product_campaign_quantity_limit": 5}]}},
    )
    order = {"items": [{"source_id": "shoe", "product_id": "shoe", "quantity": 3, "price": 1000}]}

    answers = [redeem(api, tier.public_id, order=order).json() for _ in range(3)]

    taken = [answer.get("order", {}).get("total_applied_discount_amount", 0) for answer in answers]
    assert sum(taken) == 5000
    assert_ledger_agrees(project)


def test_a_limit_on_a_count_that_many_must_have_reached(api, code):
    """From the third use on, which the first two can't be."""
    limit(code.campaign, "campaign.redemptions.count", 2, operator="$more_than")

    assert key_of(redeem(api, code.code)) == REFUSED


def test_another_projects_counters_stay_out_of_it(api, other_api, project, code):
    other = VoucherFactory(project=other_api.project, code=code.code)
    limit(other, "redemption.count.daily", 1)
    limit(code, "redemption.count.daily", 1)

    keys = [key_of(redeem(one, code.code)) for one in (api, other_api, api, other_api)]

    assert keys == ["success", "success", REFUSED, REFUSED]


def test_an_imported_codes_earlier_uses_are_no_difference(project):
    VoucherFactory(project=project, quantity=5, redeemed_quantity=3, imported_quantity=3)

    assert_ledger_agrees(project)


def test_guests_and_customers_share_what_is_limited_for_all(api, project, code):
    limit(code.campaign, "campaign.redemptions.count", 2)
    CustomerFactory(project=project, source_id="ann")

    keys = [key_of(redeem(api, code.code, customer=who)) for who in (None, {"source_id": "ann"}, None)]

    assert keys == ["success", "success", REFUSED]
