"""Validation and redemption of one or several redeemables, over HTTP."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redemptions.models import Redemption
from tests.factories import (
    CampaignFactory,
    CustomerFactory,
    ProjectFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from vouchers.models import Voucher


def redeemables(*codes):
    return [{"object": "voucher", "id": code} for code in codes]


def validate(api, *codes, **body):
    return api.post("/v1/validations", {"redeemables": redeemables(*codes), **body})


def redeem(api, *codes, **body):
    return api.post("/v1/redemptions", {"redeemables": redeemables(*codes), **body})


ORDER = {"amount": 20000}


def test_validation_calculates_the_discounted_order(api, project):
    VoucherFactory(project=project, code="TEN")

    answer = validate(api, "TEN", order=ORDER)

    assert answer.status_code == 200
    assert answer.json()["order"] == {
        "amount": 20000,
        "discount_amount": 1000,
        "total_discount_amount": 1000,
        "total_amount": 19000,
        "applied_discount_amount": 1000,
        "total_applied_discount_amount": 1000,
        "metadata": {},
        "customer_id": None,
        "referrer_id": None,
        "object": "order",
    }


def test_a_discount_with_a_number_beyond_64_bits_in_it_is_used(api, project):
    discount = {"type": "AMOUNT", "amount_off": 1000, "of_the_shop": 10**30}
    VoucherFactory(project=project, code="TEN", discount=discount)

    assert validate(api, "TEN", order=ORDER).json()["order"]["total_amount"] == 19000
    assert redeem(api, "TEN", order=ORDER).json()["order"]["total_amount"] == 19000


def test_validation_uses_nothing_up(api, project):
    voucher = VoucherFactory(project=project, quantity=1)

    validate(api, voucher.code, order=ORDER)

    voucher.refresh_from_db()
    assert voucher.redeemed_quantity == 0


@pytest.mark.parametrize(
    ("discount", "total"),
    [
        ({"type": "AMOUNT", "amount_off": 1000}, 19000),
        ({"type": "AMOUNT", "amount_off": 30000}, 0),
        ({"type": "PERCENT", "percent_off": 12.5}, 17500),
        ({"type": "PERCENT", "percent_off": 50, "amount_limit": 3000}, 17000),
        ({"type": "FIXED", "fixed_amount": 4999}, 4999),
        ({"type": "FIXED", "fixed_amount": 40000}, 20000),
    ],
)
def test_each_type_of_discount_on_an_order(api, project, discount, total):
    voucher = VoucherFactory(project=project, discount=discount)

    answer = validate(api, voucher.code, order=ORDER)

    assert answer.json()["order"]["total_amount"] == total


def test_a_stack_is_calculated_in_the_order_asked(api, project):
    VoucherFactory(project=project, code="GIFT", discount={"type": "AMOUNT", "amount_off": 100})
    VoucherFactory(project=project, code="FIFTH", discount={"type": "PERCENT", "percent_off": 20})

    answer = validate(api, "GIFT", "FIFTH", order={"amount": 200000})

    assert answer.json()["redeemables"][1]["order"]["applied_discount_amount"] == 39980


def test_items_make_the_amount(api, project):
    VoucherFactory(project=project, code="TEN")

    answer = validate(
        api,
        "TEN",
        order={"items": [{"product_id": "prod_a", "quantity": "2", "price": 5000}, {"amount": 700}]},
    )

    assert answer.json()["order"]["amount"] == 10700


def test_an_unknown_code_is_an_answer(api):
    answer = validate(api, "NONE", order=ORDER).json()

    assert answer["valid"] is False
    assert answer["inapplicable_redeemables"][0]["result"]["error"]["key"] == "not_found"


def test_those_after_a_failure_are_skipped(api, project):
    VoucherFactory(project=project, code="TEN")

    answer = validate(api, "NONE", "TEN", order=ORDER).json()

    assert [one["status"] for one in answer["redeemables"]] == ["INAPPLICABLE", "SKIPPED"]


def test_partial_mode_uses_those_that_apply(api, project):
    project.stacking_rules = {"redeemables_application_mode": "PARTIAL"}
    project.save()
    VoucherFactory(project=project, code="TEN")

    answer = redeem(api, "NONE", "TEN", order=ORDER).json()

    assert [one["voucher"]["code"] for one in answer["redemptions"]] == ["TEN"]


def test_five_of_thirty_redeemables_apply(api, project):
    codes = [VoucherFactory(project=project).code for _ in range(30)]

    answer = redeem(api, *codes, order=ORDER).json()

    assert (len(answer["redemptions"]), len(answer["skipped_redeemables"])) == (5, 25)


def test_redemption_counts_a_limited_code(api, project):
    voucher = VoucherFactory(project=project, quantity=2)

    answer = redeem(api, voucher.code, order=ORDER)

    assert answer.status_code == 200
    assert answer.json()["redemptions"][0]["voucher"]["redemption"]["redeemed_quantity"] == 1


def test_redemption_counts_a_code_without_limit(api, project):
    voucher = VoucherFactory(project=project)
    redeem(api, voucher.code, order=ORDER)

    answer = redeem(api, voucher.code, order=ORDER)

    assert answer.json()["redemptions"][0]["voucher"]["redemption"]["redeemed_quantity"] == 2


def test_a_used_up_code_is_refused_and_the_attempt_kept(api, project):
    voucher = VoucherFactory(project=project, quantity=1)
    redeem(api, voucher.code, order=ORDER)

    answer = redeem(api, voucher.code, order=ORDER)

    assert (answer.status_code, answer.json()["key"]) == (400, "quantity_exceeded")
    assert Redemption.objects.filter(voucher=voucher, failure_code="quantity_exceeded").count() == 1


def test_a_stack_has_a_parent(api, project):
    codes = [VoucherFactory(project=project).code for _ in range(3)]

    answer = redeem(api, *codes, order=ORDER).json()

    parent = answer["parent_redemption"]["id"]
    assert [one["redemption"] for one in answer["redemptions"]] == [parent] * 3


def test_a_stack_with_one_unusable_code_uses_none(api, project):
    good = VoucherFactory(project=project, quantity=1)
    bad = VoucherFactory(project=project, active=False)

    answer = redeem(api, good.code, bad.code, order=ORDER)

    good.refresh_from_db()
    assert (answer.json()["key"], good.redeemed_quantity) == ("voucher_disabled", 0)


def test_a_disabled_campaign_stops_its_codes(api, project):
    campaign = CampaignFactory(project=project, active=False)
    voucher = VoucherFactory(project=project, campaign=campaign, discount=None)

    assert redeem(api, voucher.code, order=ORDER).json()["key"] == "voucher_disabled"


@pytest.mark.parametrize(
    ("dates", "key"),
    [
        ({"start_date": "2999-01-01T00:00:00Z"}, "voucher_not_active"),
        ({"expiration_date": "2001-01-01T00:00:00Z"}, "voucher_expired"),
    ],
)
def test_dates_are_kept(api, project, dates, key):
    voucher = VoucherFactory(project=project, **dates)

    assert redeem(api, voucher.code, order=ORDER).json()["key"] == key


def test_codes_are_looked_up_without_blanks_and_in_the_projects_case(api, project):
    project.case_sensitive_codes = False
    project.save()
    VoucherFactory(project=project, code="Summer", code_key="SUMMER")

    assert validate(api, "  sUmMeR ", order=ORDER).json()["valid"] is True


def test_the_customer_is_created_and_kept(api, project):
    voucher = VoucherFactory(project=project)

    answer = redeem(api, voucher.code, order=ORDER, customer={"source_id": "u-1", "name": "Ann"}).json()

    customer = answer["redemptions"][0]["customer"]
    assert (customer["source_id"], customer["name"]) == ("u-1", "Ann")


def test_gift_credits_are_taken_off_the_card(api, project):
    card = VoucherFactory(
        project=project, type=Voucher.Type.GIFT_VOUCHER, discount=None, gift_amount=5000, gift_balance=5000
    )
    body = {
        "redeemables": [{"object": "voucher", "id": card.code, "gift": {"credits": 1500}}],
        "order": ORDER,
    }

    answer = api.post("/v1/redemptions", body).json()

    card.refresh_from_db()
    assert (answer["redemptions"][0]["amount"], answer["order"]["total_amount"]) == (1500, 18500)
    assert (card.gift_balance, card.redeemed_amount) == (3500, 1500)


def test_more_credits_than_the_card_has_are_refused(api, project):
    card = VoucherFactory(
        project=project, type=Voucher.Type.GIFT_VOUCHER, discount=None, gift_amount=100, gift_balance=100
    )
    body = {"redeemables": [{"object": "voucher", "id": card.code, "gift": {"credits": 101}}], "order": ORDER}

    assert api.post("/v1/redemptions", body).json()["key"] == "gift_amount_exceeded"


def test_a_promotion_tier_is_redeemed(api, project):
    tier = PromotionTierFactory(project=project)
    body = {"redeemables": [{"object": "promotion_tier", "id": tier.public_id}], "order": ORDER}

    answer = api.post("/v1/redemptions", body).json()

    assert answer["redemptions"][0]["promotion_tier"]["id"] == tier.public_id
    assert answer["order"]["total_amount"] == 19500


def test_a_second_redemption_on_a_stored_order_adds_up(api, project):
    first, second = (VoucherFactory(project=project).code for _ in range(2))
    order = redeem(api, first, order={"amount": 5000, "source_id": "cart-1"}).json()["order"]

    answer = redeem(api, second, order={"id": order["id"]}).json()

    assert answer["order"]["total_amount"] == 3000
    assert answer["order"]["applied_discount_amount"] == 1000


def test_a_session_keeps_the_last_use_for_its_owner(api, project):
    voucher = VoucherFactory(project=project, quantity=1)
    session = {"type": "LOCK", "key": "cart-7", "ttl": 5, "ttl_unit": "MINUTES"}
    validate(api, voucher.code, order=ORDER, session=session)

    stranger = validate(api, voucher.code, order=ORDER).json()
    owner = redeem(api, voucher.code, order=ORDER, session={"type": "LOCK", "key": "cart-7"})

    assert stranger["redeemables"][0]["result"]["error"]["key"] == "quantity_exceeded"
    assert owner.status_code == 200


def test_a_released_session_frees_the_use(api, project):
    voucher = VoucherFactory(project=project, quantity=1)
    key = validate(api, voucher.code, order=ORDER, session={"type": "LOCK"}).json()["session"]["key"]

    released = api.delete(f"/v1/vouchers/{voucher.code}/sessions/{key}")

    assert released.status_code == 204
    assert validate(api, voucher.code, order=ORDER).json()["valid"] is True


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "invalid_payload"),
        ([], "invalid_payload"),
        ({"redeemables": []}, "invalid_payload"),
        ({"redeemables": [{"object": "voucher"}]}, "invalid_payload"),
        ({"redeemables": [{"object": "shoe", "id": "A"}]}, "invalid_payload"),
        ({"redeemables": redeemables("A", "A")}, "duplicated_redeemables"),
        ({"redeemables": redeemables("A"), "order": {"amount": -1}}, "invalid_amount"),
        ({"redeemables": redeemables("A"), "order": {"amount": 1.5}}, "invalid_payload"),
        ({"redeemables": redeemables("A"), "order": {"items": [{"quantity": -1}]}}, "invalid_amount"),
        (
            {"redeemables": redeemables("A"), "order": {"items": [{"quantity": 9e15, "price": 9}]}},
            "invalid_amount",
        ),
        ({"redeemables": redeemables("A"), "customer": {"id": "cust_x"}}, "not_found"),
        ({"redeemables": redeemables("A"), "customer": 5}, "invalid_payload"),
        ({"redeemables": redeemables("A"), "session": {"ttl": -1}}, "invalid_payload"),
        ({"redeemables": redeemables("A\x00B")}, "invalid_payload"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/validations", "/v1/redemptions"])
def test_bad_input_is_named(api, path, body, key):
    answer = api.post(path, body)

    assert answer.json()["key"] == key


def test_one_code_under_two_names_is_named_twice(api, project):
    voucher = VoucherFactory(project=project, quantity=5)

    answer = redeem(api, voucher.code, voucher.public_id, order=ORDER)

    voucher.refresh_from_db()
    assert (answer.json()["key"], voucher.redeemed_quantity) == ("duplicated_redeemables", 0)


def test_another_projects_code_is_unknown(api, project):
    foreign = VoucherFactory(project=ProjectFactory())

    assert redeem(api, foreign.code, order=ORDER).json()["key"] == "not_found"


def test_a_retry_with_the_same_key_gets_the_same_bytes(api, project):
    voucher = VoucherFactory(project=project, quantity=5)
    body = {"redeemables": redeemables(voucher.code), "order": ORDER}
    first = api.post("/v1/redemptions", body, **{"Idempotency-Key": "k-1"})

    second = api.post("/v1/redemptions", body, **{"Idempotency-Key": "k-1"})

    voucher.refresh_from_db()
    assert (second.content, voucher.redeemed_quantity) == (first.content, 1)


def test_the_same_key_with_another_body_is_a_conflict(api, project):
    voucher = VoucherFactory(project=project, quantity=5)
    body = {"redeemables": redeemables(voucher.code), "order": ORDER}
    api.post("/v1/redemptions", body, **{"Idempotency-Key": "k-1"})

    answer = api.post("/v1/redemptions", body | {"order": {"amount": 1}}, **{"Idempotency-Key": "k-1"})

    assert answer.status_code == 409


def test_a_failed_redemption_is_answered_again_too(api, project):
    body = {"redeemables": redeemables("NONE"), "order": ORDER}
    first = api.post("/v1/redemptions", body, **{"Idempotency-Key": "k-1"})

    second = api.post("/v1/redemptions", body, **{"Idempotency-Key": "k-1"})

    assert second.content == first.content
    assert Redemption.objects.filter(project=project).count() == 1


def test_queries_do_not_grow_with_the_stack(api, project, django_assert_num_queries):
    codes = [VoucherFactory(project=project, quantity=9).code for _ in range(5)]
    customer = CustomerFactory(project=project)
    context = {"order": ORDER | {"source_id": "cart"}, "customer": {"source_id": customer.source_id}}
    validate(api, *codes, **context)

    with django_assert_num_queries(3):
        validate(api, codes[0], **context)
    with django_assert_num_queries(3):
        validate(api, *codes, **context)


def test_queries_of_a_redemption_do_not_grow_with_stack_or_lines(api, project, django_assert_num_queries):
    codes = [VoucherFactory(project=project, quantity=9).code for _ in range(5)]
    long_order = {"items": [{"source_id": f"p{n}", "quantity": 1, "price": 100} for n in range(100)]}
    redeem(api, *codes, order=ORDER)
    redeem(api, *codes, order=long_order)

    with CaptureQueriesContext(connection) as short:
        redeem(api, codes[0], order=ORDER)
    with django_assert_num_queries(len(short)):
        redeem(api, *codes, order=long_order)
    # To gather, and to claim and write, within a savepoint of this test's transaction.
    assert len(short) == 4
