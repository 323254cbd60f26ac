"""Validation sessions: what they hold, for how long, for whom, and how it is given back; over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from redemptions.models import CounterHold, Reservation
from tests.factories import PromotionTierFactory, VoucherFactory
from tests.redemptions.storefront import assign, code_with, make_rule, redeem, redeemables, validate
from vouchers.models import Voucher

ORDER = {"amount": 10000}


def held(api, *codes, key="cart", **session):
    """Validate with a session and return the answer."""
    lock = {"type": "LOCK", "key": key, **session}
    return validate(api, *codes, order=ORDER, session=lock)


def expire(project):
    """Let every session's time be over."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    Reservation.objects.filter(project=project).update(expires_at=past)
    CounterHold.objects.filter(project=project).update(expires_at=past)


@pytest.fixture
def single(project):
    return VoucherFactory(project=project, quantity=1).code


@pytest.fixture
def card(project):
    gift = {"type": Voucher.Type.GIFT_VOUCHER, "discount": None, "gift_amount": 5000, "gift_balance": 5000}
    return VoucherFactory(project=project, **gift).code


@pytest.mark.parametrize(
    ("number", "unit", "ttl"),
    [
        (2, "DAYS", timedelta(days=2)),
        (3, "HOURS", timedelta(hours=3)),
        (4, "MINUTES", timedelta(minutes=4)),
        (5, "SECONDS", timedelta(seconds=5)),
        (6000, "MILLISECONDS", timedelta(seconds=6)),
        (7_000_000, "MICROSECONDS", timedelta(seconds=7)),
        (8_000_000_000, "NANOSECONDS", timedelta(seconds=8)),
        (1.5, "HOURS", timedelta(minutes=90)),
    ],
)
def test_each_unit_of_time(api, single, number, unit, ttl):
    before = datetime.now(UTC)

    answer = held(api, single, ttl=number, ttl_unit=unit)

    after = datetime.now(UTC)
    expires_at = Reservation.objects.get().expires_at
    assert answer["session"] == {"key": "cart", "type": "LOCK", "ttl": number, "ttl_unit": unit}
    assert before + ttl <= expires_at <= after + ttl


def test_a_session_lasts_seven_days_unless_told_otherwise(api, single):
    answer = held(api, single)

    assert answer["session"] == {"key": "cart", "type": "LOCK", "ttl": 7, "ttl_unit": "DAYS"}


def test_a_session_without_a_key_gets_one(api, single):
    answer = validate(api, single, order=ORDER, session={"type": "LOCK"})

    assert answer["session"]["key"].startswith("ssn_")


def test_what_is_not_valid_is_not_held(api, single):
    answer = held(api, single, "UNKNOWN")

    assert "session" not in answer
    assert not Reservation.objects.exists()


def test_a_session_that_expired_holds_nothing(api, project, single):
    held(api, single)
    before = validate(api, single, order=ORDER)["valid"]

    expire(project)

    assert (before, validate(api, single, order=ORDER)["valid"]) == (False, True)
    assert redeem(api, single, order=ORDER)["redemptions"][0]["result"] == "SUCCESS"


def test_an_expired_session_may_still_be_redeemed_as_long_as_there_is_something_left(api, project, single):
    held(api, single)
    expire(project)

    answer = redeem(api, single, order=ORDER, session={"type": "LOCK", "key": "cart"})

    assert answer["redemptions"][0]["session"] == {"key": "cart"}


def test_the_same_key_holds_what_came_last(api, project):
    first, second = (VoucherFactory(project=project, quantity=1).code for _ in range(2))
    held(api, first)

    held(api, second)

    assert [validate(api, code, order=ORDER)["valid"] for code in (first, second)] == [True, False]


def test_its_own_lock_does_not_stand_in_its_way(api, single):
    answers = [held(api, single)["valid"] for _ in range(3)]

    assert answers == [True, True, True]
    assert Reservation.objects.count() == 1


def test_a_redemption_with_the_key_uses_what_was_held(api, single):
    held(api, single)

    stranger = api.post("/v1/redemptions", {"redeemables": redeemables(single), "order": ORDER})
    owner = redeem(api, single, order=ORDER, session={"type": "LOCK", "key": "cart"})

    assert (stranger.status_code, stranger.json()["key"]) == (400, "quantity_exceeded")
    assert owner["redemptions"][0]["result"] == "SUCCESS"
    assert not Reservation.objects.exists()


def test_gift_credits_are_held(api, card):
    asked = [{"object": "voucher", "id": card, "gift": {"credits": 4000}}]
    body = {"redeemables": asked, "order": ORDER}
    api.post("/v1/validations", body | {"session": {"type": "LOCK", "key": "cart"}})

    stranger = api.post("/v1/validations", body).json()
    rest = api.post(
        "/v1/validations",
        {"redeemables": [{"object": "voucher", "id": card, "gift": {"credits": 1000}}], "order": ORDER},
    ).json()
    owner = api.post("/v1/redemptions", body | {"session": {"type": "LOCK", "key": "cart"}}).json()

    assert stranger["redeemables"][0]["result"]["error"]["key"] == "gift_amount_exceeded"
    assert rest["valid"] is True
    assert owner["redemptions"][0]["amount"] == 4000


def test_limits_of_rules_are_held_too(api):
    twice = {"name": "campaign.redemptions.count", "conditions": {"$less_than_or_equal": [2]}}
    code = code_with(api, twice)
    for key in ("one", "two"):
        held(api, code, key=key)

    stranger, owner = held(api, code, key="three"), held(api, code, key="one")

    assert stranger["redeemables"][0]["result"]["error"]["key"] == "redemption_rules_violated"
    assert owner["valid"] is True


def test_a_promotion_tiers_limit_is_held(api, project):
    tier = PromotionTierFactory(project=project).public_id
    once = {"name": "redemption.count.daily", "conditions": {"$less_than_or_equal": [1]}}
    assign(api, make_rule(api, once), related_object_type="promotion_tier", related_object_id=tier)
    held(api, tier)

    stranger = validate(api, tier, order=ORDER)
    owner = redeem(api, tier, order=ORDER, session={"type": "LOCK", "key": "cart"})

    assert stranger["valid"] is False
    assert owner["redemptions"][0]["result"] == "SUCCESS"
    assert not CounterHold.objects.exists()


def test_a_released_code_is_free_and_the_others_stay_held(api, project):
    first, second = (VoucherFactory(project=project, quantity=1).code for _ in range(2))
    held(api, first, second)

    answer = api.delete(f"/v1/vouchers/{first}/sessions/cart")

    assert answer.status_code == 204
    assert [validate(api, code, order=ORDER)["valid"] for code in (first, second)] == [True, False]


@pytest.mark.parametrize("path", ["/v1/vouchers/{code}/sessions/other", "/v1/vouchers/NONE/sessions/cart"])
def test_a_session_that_is_not_there_cannot_be_released(api, single, path):
    held(api, single)

    answer = api.delete(path.format(code=single))

    assert (answer.status_code, answer.json()["key"]) == (404, "not_found")


def test_a_session_is_released_once(api, single):
    held(api, single)
    api.delete(f"/v1/vouchers/{single}/sessions/cart")

    assert api.delete(f"/v1/vouchers/{single}/sessions/cart").status_code == 404


def test_another_project_cannot_release_it(api, other_api, single):
    held(api, single)

    assert other_api.delete(f"/v1/vouchers/{single}/sessions/cart").status_code == 404
    assert validate(api, single, order=ORDER)["valid"] is False


def test_an_older_validation_holds_too(api, single):
    body = {"order": ORDER, "session": {"type": "LOCK", "key": "cart", "ttl": 1, "ttl_unit": "HOURS"}}

    answer = api.post(f"/v1/vouchers/{single}/validate", body).json()

    assert answer["session"] == {"key": "cart", "type": "LOCK", "ttl": 1, "ttl_unit": "HOURS"}
    assert validate(api, single, order=ORDER)["valid"] is False


def test_part_of_what_was_held_may_be_redeemed(api, project):
    first, second = (VoucherFactory(project=project, quantity=1).code for _ in range(2))
    held(api, first, second)

    redeem(api, first, order=ORDER, session={"type": "LOCK", "key": "cart"})

    assert validate(api, second, order=ORDER)["valid"] is False
    assert held(api, second)["valid"] is True


@pytest.mark.parametrize(
    ("session", "details"),
    [
        ({"type": "OPEN"}, "Property .session.type should be LOCK"),
        ({"ttl": 0}, "Property .session.ttl should be a positive number"),
        ({"ttl": "5"}, "Property .session.ttl should be a positive number"),
        ({"ttl": 367}, "Property .session.ttl may be up to 366 days"),
        (
            {"ttl": 1, "ttl_unit": "WEEKS"},
            "Property .session.ttl_unit should be one of DAYS, HOURS, MINUTES, SECONDS, MILLISECONDS, "
            "MICROSECONDS, NANOSECONDS",
        ),
        ({"key": {}}, "Property .session.key should be string"),
    ],
)
def test_bad_sessions_are_named(api, single, session, details):
    answer = api.post(
        "/v1/validations", {"redeemables": redeemables(single), "order": ORDER, "session": session}
    )

    assert (answer.status_code, answer.json()["details"]) == (400, details)
