"""Sessions hold their place within the limits of validation rules, and let go of it."""

from datetime import UTC, datetime, timedelta

import pytest

from redemptions.models import CounterHold
from redemptions.requests import parse_checkout
from redemptions.services.redeem import RedemptionRefused
from redemptions.services.validate import validate as validate_at
from tests.factories import (
    VoucherFactory,
)
from tests.limits import (
    REFUSED,
    SHOP,
    assert_ledger_agrees,
    body,
    key_of,
    limit,
    lock,
    redeem,
    use,
)


def validate(api, *refs, **more):
    return api.post("/v1/validations", body(*refs, **more)).json()


def test_a_session_holds_its_place(api, code):
    limit(code.campaign, "campaign.redemptions.count", 1)
    held = validate(api, code.code, session=lock("mine"))

    refused = redeem(api, code.code)

    assert (held["valid"], key_of(refused)) == (True, REFUSED)


def test_who_holds_a_place_is_never_refused_by_it(api, project, code):
    limit(code.campaign, "campaign.redemptions.count", 1)
    for _ in range(3):
        assert validate(api, code.code, session=lock("mine"))["valid"] is True

    assert key_of(redeem(api, code.code, session=lock("mine"))) == "success"
    assert CounterHold.objects.count() == 0
    assert_ledger_agrees(project)


def test_the_same_key_again_replaces_what_was_held(api, project, code):
    other = VoucherFactory(project=project)
    limit(code.campaign, "campaign.redemptions.count", 1)
    validate(api, code.code, session=lock("mine"))

    validate(api, other.code, session=lock("mine"))

    assert key_of(redeem(api, code.code)) == "success"


def test_a_released_session_frees_its_place(api, code):
    limit(code.campaign, "campaign.redemptions.count", 1)
    validate(api, code.code, session=lock("mine"))

    released = api.delete(f"/v1/vouchers/{code.code}/sessions/mine")

    assert (released.status_code, key_of(redeem(api, code.code))) == (204, "success")


def test_a_failed_redemption_leaves_the_session_its_place(api, code):
    limit(code.campaign, "campaign.redemptions.count", 1)
    validate(api, code.code, session=lock("mine"))
    redeem(api, code.code, "NO-SUCH-CODE", session=lock("mine"))

    assert [key_of(redeem(api, code.code)), key_of(redeem(api, code.code, session=lock("mine")))] == [
        REFUSED,
        "success",
    ]


def test_a_session_lets_go_by_itself(project, code):
    limit(code.campaign, "campaign.redemptions.count", 1)
    start = datetime(2026, 5, 1, tzinfo=UTC)
    asked = parse_checkout(body(code.code, session=lock("mine", 10, "MINUTES")))
    validate_at(project, asked, channel=SHOP, now=start)

    with pytest.raises(RedemptionRefused):
        use(project, code, start + timedelta(minutes=9))
    use(project, code, start + timedelta(minutes=10))

    assert CounterHold.objects.count() == 1  # nobody had to delete it


def test_two_things_held_in_one_session_take_two_places(api, code):
    other = VoucherFactory(project=code.project, campaign=code.campaign, discount=None)
    limit(code.campaign, "campaign.redemptions.count", 2)
    validate(api, code.code, other.code, session=lock("mine"))

    keys = [key_of(redeem(api, code.code)), key_of(redeem(api, code.code, session=lock("mine")))]

    assert keys == [REFUSED, "success"]
    assert key_of(redeem(api, other.code)) == REFUSED
