"""What shops have complained about for years, by the numbers of the list of asks: it does not happen here."""

from collections import Counter

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from redemptions.models import Order, Redemption, UsageCounter
from tests.concurrency.parallel import in_parallel
from tests.factories import PromotionTierFactory, VoucherFactory
from tests.limits import assert_ledger_agrees, body, key_of, limit, lock, redeem, roll_back, standing
from vouchers.models import Voucher
from vouchers.selectors import voucher_by_ref

RULES = "redemption_rules_violated"
SINGLE_USE = {
    "name": "Once",
    "voucher": {
        "type": "DISCOUNT_VOUCHER",
        "discount": {"type": "PERCENT", "percent_off": 10},
        "redemption": {"quantity": 1},
    },
}
racing = pytest.mark.django_db(transaction=True)


def counted(answers):
    return Counter(key_of(answer) for answer in answers)


@racing
def test_ask_1_a_code_for_one_use_is_redeemed_once(api, project):
    code = VoucherFactory(project=project, quantity=1).code

    answers = in_parallel(64, lambda _: redeem(api, code))

    assert counted(answers) == {"success": 1, "quantity_exceeded": 63}


@racing
def test_ask_2_a_budget_is_not_overshot_by_carts_that_come_together(api, project, code):
    limit(code.campaign, "campaign.orders.amount_discounted", 1700)

    answers = in_parallel(32, lambda _: redeem(api, code.code))

    assert counted(answers) == {"success": 3, RULES: 29}
    assert standing(project) == {("discount_amount", "ever"): 1500}


@racing
def test_ask_3_a_popular_code_without_limit_waits_for_no_row(api, project, code):
    """Its voucher and campaign rows are locked by somebody else, who doesn't let go."""
    settings = connection.get_connection_params()
    with psycopg.connect(**{name: settings[name] for name in ("dbname", "user", "host")}) as other:
        other.execute("SELECT 1 FROM vouchers_voucher FOR NO KEY UPDATE")
        other.execute("SELECT 1 FROM campaigns_campaign FOR NO KEY UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")

        answer = redeem(api, code.code)

        other.rollback()
    assert answer.status_code == 200


@racing
def test_ask_4_no_count_is_lost(api, project, code):
    limit(code.campaign, "campaign.redemptions.count", 1000)

    in_parallel(32, lambda _: [redeem(api, code.code) for _ in range(2)])

    assert standing(project) == {("count", "ever"): 64}
    assert_ledger_agrees(project)


def test_ask_5_an_order_sent_twice_and_asked_about_often_is_counted_once(api, project):
    code = VoucherFactory(project=project, quantity=5)
    for _ in range(3):
        api.post("/v1/validations", body(code.code))
    for _ in range(3):
        api.post("/v1/redemptions", body(code.code), **{"Idempotency-Key": "order-1"})

    assert voucher_by_ref(project, code.code).redeemed_quantity == 1


def test_ask_6_a_cancelled_order_gives_everything_back(api, project, code):
    card = VoucherFactory(
        project=project, type=Voucher.Type.GIFT_VOUCHER, discount=None, gift_amount=9000, gift_balance=9000
    )
    single = VoucherFactory(project=project, campaign=code.campaign, discount=None, quantity=1)
    limit(code.campaign, "campaign.redemptions.count", 1)
    limit(code.campaign, "campaign.orders.amount_discounted", 500)
    order = redeem(api, single.code, card.code)

    roll_back(api, order)

    card.refresh_from_db()
    assert card.gift_balance == 9000
    assert set(standing(project).values()) == {0}
    assert key_of(redeem(api, single.code)) == "success"


@pytest.mark.parametrize(
    ("policy", "status", "is_taken_back"),
    [
        ({"allowed": "ALWAYS"}, "PAID", True),
        ({"allowed": "NEVER"}, "CREATED", False),
        ({"allowed": "UNLESS_PAID"}, "CREATED", True),
        ({"allowed": "UNLESS_PAID"}, "PAID", False),
        ({"allowed": "ALWAYS", "until": "2020-01-01T00:00:00Z"}, "CREATED", False),
        ({"allowed": "ALWAYS", "until": "2999-01-01T00:00:00Z"}, "CREATED", True),
        ({"allowed": "UNLESS_PAID", "until": "2999-01-01T00:00:00Z"}, "PAID", False),
    ],
)
def test_ask_7_a_code_is_not_used_twice_by_canceling(api, project, policy, status, is_taken_back):
    api.post("/v1/campaigns", SINGLE_USE | {"rollback_policy": policy})
    api.post("/v1/campaigns/Once/vouchers/ONCE")
    once = redeem(api, "ONCE", order={"amount": 1000, "status": status})

    taken_back = roll_back(api, once)

    assert (taken_back.status_code == 200) is is_taken_back
    assert taken_back.json().get("key") == (None if is_taken_back else "rollback_not_allowed")
    assert (key_of(redeem(api, "ONCE")) == "success") is is_taken_back
    assert_ledger_agrees(project)


def test_ask_7_one_campaign_that_forbids_it_keeps_all_of_an_order(api, project, code):
    api.post("/v1/campaigns", SINGLE_USE | {"rollback_policy": {"allowed": "NEVER"}})
    api.post("/v1/campaigns/Once/vouchers/ONCE")
    both = redeem(api, code.code, "ONCE")

    refused = roll_back(api, both)

    assert "Uses of campaign Once are not taken back" in refused.json()["details"]
    voucher = voucher_by_ref(project, code.code)
    assert voucher.redeemed_quantity + voucher.pending_quantity == 1


def test_ask_7_the_policy_is_shown_and_changed(api):
    made = api.post("/v1/campaigns", SINGLE_USE | {"rollback_policy": {"allowed": "NEVER"}}).json()
    changed = api.put("/v1/campaigns/Once", {"rollback_policy": {"allowed": "UNLESS_PAID"}}).json()
    lifted = api.put("/v1/campaigns/Once", {"rollback_policy": None}).json()

    assert made["rollback_policy"] == {"allowed": "NEVER", "until": None}
    assert changed["rollback_policy"]["allowed"] == "UNLESS_PAID"
    assert "rollback_policy" not in lifted


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        ({"allowed": "SOMETIMES"}, ".rollback_policy.allowed"),
        ({"until": "tomorrow"}, ".rollback_policy.until"),
        ({"until": "2026-01-01T00:00:00"}, ".rollback_policy.until"),
        ("NEVER", "rollback_policy"),
    ],
)
def test_ask_7_a_policy_that_can_not_be_meant_is_refused(api, policy, field):
    refused = api.post("/v1/campaigns", SINGLE_USE | {"rollback_policy": policy})

    assert (refused.status_code, refused.json()["key"]) == (400, "invalid_payload")
    assert field in f"{refused.json()['details']}"


def test_ask_8_one_use_is_held_by_one_order_which_it_never_hinders(api, project):
    code = VoucherFactory(project=project, quantity=1).code

    held = [
        api.post("/v1/validations", body(code, session=lock(cart))).json()["valid"]
        for cart in ("first", "second", "first")
    ]

    assert held == [True, False, True]
    assert key_of(redeem(api, code, session=lock("first"))) == "success"


@racing
def test_ask_9_what_is_held_before_payment_can_be_had_after_it(api, project, code):
    """Everybody else tries for the last place while the holder pays."""
    limit(code.campaign, "campaign.redemptions.count", 3)
    api.post("/v1/validations", body(code.code, session=lock("paying")))

    answers = in_parallel(
        16, lambda n: redeem(api, code.code, **({"session": lock("paying")} if n == 7 else {}))
    )

    assert key_of(answers[7]) == "success"
    assert counted(answers)["success"] == 3


@racing
def test_ask_10_rollbacks_at_once_restore_once(api, project, code):
    limit(code.campaign, "campaign.redemptions.count", 5)
    order = redeem(api, code.code)
    redeem(api, code.code)

    answers = in_parallel(16, lambda _: roll_back(api, order))

    assert counted(answers) == {"success": 1, "already_rolled_back": 15}
    assert standing(project) == {("count", "ever"): 1}


def test_ask_11_the_first_customers_get_it_once_each_and_so_many_a_day(api, code):
    limit(code.campaign, "campaign.redemptions.count", 5)
    limit(code.campaign, "campaign.redemptions.customers_count", 1)
    limit(code.campaign, "campaign.redemptions.count.daily", 2)

    keys = [key_of(redeem(api, code.code, customer={"source_id": who})) for who in "abac"]

    assert keys == ["success", "success", RULES, RULES]


def test_ask_12_a_guest_is_not_a_way_around_a_limit_per_customer(api, code):
    limit(code.campaign, "campaign.redemptions.customers_count", 1)
    guest = {"customer": {"email": "ann@example.com"}}

    keys = [key_of(redeem(api, code.code, **who)) for who in (guest, guest, {})]

    assert keys == ["success", RULES, "missing_customer"]


def test_ask_13_a_guest_without_an_address_is_told_that_it_does_not_apply(api, code):
    rules = {"1": {"name": "customer.email", "conditions": {"$ends_with": ["@example.com"]}}}
    limit(code.campaign, "customer.email", "", extra={"rules": rules})

    answer = api.post("/v1/validations", body(code.code))

    assert (answer.status_code, answer.json()["valid"]) == (200, False)


def test_ask_14_a_limit_per_customer_does_not_use_up_the_code(api, project, code):
    limit(code.campaign, "campaign.redemptions.customers_count", 1)
    for who in ("ann", "bob"):
        redeem(api, code.code, customer={"source_id": who})

    assert voucher_by_ref(project, code.code).state_at(timezone.now()) == Voucher.State.ACTIVE
    answer = api.post("/v1/validations", body(code.code, customer={"source_id": "eve"}))
    assert answer.json()["valid"] is True


def test_ask_15_an_order_of_many_lines_is_one_use(api, project, code):
    limit(code.campaign, "campaign.redemptions.count", 1)
    items = [{"product_id": f"p{number}", "quantity": 3, "price": 100} for number in range(20)]

    redeem(api, code.code, order={"items": items})

    assert UsageCounter.objects.get().value == 1
    assert_ledger_agrees(project)


@pytest.mark.parametrize("percent", [10, 33.33, 100])
def test_ask_26_what_the_lines_lose_is_what_the_order_loses(api, project, percent):
    code = VoucherFactory(
        project=project,
        discount={"type": "PERCENT", "percent_off": percent, "effect": "APPLY_TO_ITEMS"},
    )
    items = [{"product_id": f"p{price}", "quantity": 3, "price": price} for price in (333, 199, 1, 999)]

    order = redeem(api, code.code, order={"items": items}).json()["order"]

    lines = sum(item.get("applied_discount_amount", 0) for item in order["items"])
    assert lines == order["total_applied_discount_amount"]
    assert order["total_amount"] == order["amount"] - lines
    assert percent < 100 or order["total_amount"] == 0


@pytest.mark.parametrize("count", [1, 4])
def test_ask_29_rules_are_not_asked_one_by_one(api, project, count, django_assert_max_num_queries):
    tiers = [PromotionTierFactory(project=project) for _ in range(count)]
    for tier in tiers:
        limit(tier, "redemption.count.daily", 100)
        limit(tier.campaign, "campaign.redemptions.count", 100)
    refs = [tier.public_id for tier in tiers]
    redeem(api, *refs)

    with django_assert_max_num_queries(12):
        api.post("/v1/validations", body(*refs))


def test_ask_32_each_lines_share_is_kept_with_the_order(api, project):
    code = VoucherFactory(
        project=project, discount={"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ORDER"}
    )
    per_line = VoucherFactory(
        project=project, discount={"type": "PERCENT", "percent_off": 50, "effect": "APPLY_TO_ITEMS"}
    )
    items = [
        {"product_id": "a", "quantity": 1, "price": 3000},
        {"product_id": "b", "quantity": 2, "price": 500},
    ]
    redeem(api, per_line.code, code.code, order={"items": items})

    kept = Order.objects.get(project=project).calculated
    assert (kept["discount"], kept["items"]) == (1000, [1500, 500])


def test_ask_36_a_refusal_has_a_key_and_the_shops_own_words(api, code):
    rules = {
        "1": {
            "name": "order.amount",
            "conditions": {"$more_than_or_equal": [6240]},
            "error": {"message": "Spend 62.40"},
        }
    }
    limit(code.campaign, "order.amount", 0, extra={"rules": rules})

    refused = redeem(api, code.code).json()
    (shown,) = api.post("/v1/validations", body(code.code, options={"expand": ["trace"]})).json()[
        "redeemables"
    ]

    assert (refused["key"], refused["error"]) == ("order_rules_violated", {"message": "Spend 62.40"})
    assert shown["trace"]["hints"] == ["12.40 EUR more"]


def test_ask_4_a_refused_attempt_is_kept_and_not_counted(api, project):
    code = VoucherFactory(project=project, quantity=1)
    for _ in range(2):
        redeem(api, code.code)

    kept = Redemption.objects.filter(project=project).values_list("status", flat=True)
    assert Counter(kept) == {"SUCCEEDED": 1, "FAILED": 1}
    assert_ledger_agrees(project)
