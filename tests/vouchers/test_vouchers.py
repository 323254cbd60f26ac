"""Vouchers over HTTP."""

from urllib.parse import quote

import pytest

from tests.factories import CampaignFactory, CategoryFactory, CustomerFactory, VoucherFactory
from tests.moments import FUTURE, PAST
from vouchers.models import Voucher

AMOUNT = {"type": "AMOUNT", "amount_off": 500}


@pytest.mark.parametrize("code", ["A B", "ÄÖ-1", "a/b", "100%", "50% off?", "x" * 255, "enable"])
def test_a_code_may_be_any_readable_text(api, code):
    path = f"/v1/vouchers/{quote(code, safe='')}"

    made = api.post(path, {"type": "DISCOUNT_VOUCHER", "discount": AMOUNT})

    assert (made.status_code, made.json()["code"]) == (200, code)
    assert api.get(path).json()["id"] == made.json()["id"]


@pytest.mark.parametrize(
    "code", ["\N{PARTY POPPER}", "a\nb", "a\tb", "x" * 256, "ß" * 200, "\u202eabc", "a\u0301"]
)
def test_a_code_that_nobody_can_type_is_refused(api, code):
    answer = api.post("/v1/vouchers", {"code": code, "discount": AMOUNT})

    assert (answer.status_code, Voucher.objects.count()) == (400, 0)


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ({}, "invalid_voucher"),
        ({"type": "DISCOUNT_VOUCHER"}, "invalid_payload"),
        ({"type": "NONSENSE"}, "invalid_payload"),
        ({"type": "LOYALTY_CARD", "loyalty_card": {"points": 1}}, "invalid_voucher"),
        ({"type": "GIFT_VOUCHER"}, "invalid_payload"),
        ({"type": "GIFT_VOUCHER", "gift": {"amount": -1}}, "invalid_gift"),
        ({"type": "GIFT_VOUCHER", "gift": {"amount": 2**62}}, "invalid_gift"),
        ({"discount": AMOUNT, "campaign": "nowhere"}, "not_found"),
        ({"discount": AMOUNT, "redemption": {"quantity": -1}}, "invalid_payload"),
        (
            {"discount": AMOUNT, "start_date": "2026-02-01", "expiration_date": "2026-02-01"},
            "invalid_expiration_date",
        ),
        ({"discount": AMOUNT, "category": "a", "category_id": "b"}, "invalid_payload"),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, sent, key):
    assert api.post("/v1/vouchers", sent).json()["key"] == key
    assert Voucher.objects.count() == 0


def test_the_letter_case_follows_the_project(api, project):
    project.case_sensitive_codes = False
    project.save()
    api.post("/v1/vouchers/Summer", {"discount": AMOUNT})

    assert api.get("/v1/vouchers/%20sUMMER%20").json()["code"] == "Summer"
    assert api.post("/v1/vouchers/SUMMER", {"discount": AMOUNT}).status_code == 409


def test_what_is_not_sent_stays(api, project):
    voucher = VoucherFactory(project=project, metadata={"a": 1}, expiration_date=FUTURE, additional_info="x")

    changed = api.put(f"/v1/vouchers/{voucher.code}", {"metadata": {"b": 2}, "nonsense": 1}).json()

    assert changed["metadata"] == {"a": 1, "b": 2}
    assert (changed["additional_info"], changed["expiration_date"] is None) == ("x", False)


def test_null_clears_the_expiration(api, project):
    voucher = VoucherFactory(project=project, expiration_date=FUTURE)

    assert (
        api.put(f"/v1/vouchers/{voucher.code}", {"expiration_date": None}).json()["expiration_date"] is None
    )


def test_a_limit_may_not_be_below_the_uses(api, project):
    voucher = VoucherFactory(project=project)
    for _ in range(3):
        api.post(f"/v1/vouchers/{voucher.code}/redemption", {"order": {"amount": 1000}})

    refused = api.put(f"/v1/vouchers/{voucher.code}", {"redemption": {"quantity": 2}})
    allowed = api.put(f"/v1/vouchers/{voucher.code}", {"redemption": {"quantity": 3}})

    assert (refused.status_code, allowed.status_code) == (400, 200)
    assert (
        api.post(f"/v1/vouchers/{voucher.code}/redemption", {"order": {"amount": 1}}).json()["key"]
        == "quantity_exceeded"
    )


def test_a_deleted_code_stays_reserved_unless_forced(api, project):
    voucher = VoucherFactory(project=project)
    api.delete(f"/v1/vouchers/{voucher.code}")
    reserved = api.post(f"/v1/vouchers/{voucher.code}", {"discount": AMOUNT})
    other = VoucherFactory(project=project)
    api.delete(f"/v1/vouchers/{other.code}?force=true")
    free = api.post(f"/v1/vouchers/{other.code}", {"discount": AMOUNT})

    assert (reserved.status_code, free.status_code) == (409, 200)


def test_a_purged_code_leaves_its_redemptions(api, project):
    voucher = VoucherFactory(project=project)
    made = api.post(f"/v1/vouchers/{voucher.code}/redemption", {"order": {"amount": 1000}}).json()
    api.delete(f"/v1/vouchers/{voucher.code}?force=true")

    kept = api.get(f"/v1/redemptions/{made['id']}")

    assert (kept.status_code, kept.json()["voucher"]["code"]) == (200, voucher.code)


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"order": "code"}, ["A", "B", "C"]),
        ({"order": "-code", "limit": 1}, ["C"]),
        ({"campaign": "Spring"}, ["B"]),
        ({"code": "A"}, ["A"]),
        ({"customer": "holder"}, ["C"]),
        ({"category": "News"}, ["A"]),
        ({"filters[active][conditions][$disabled]": "true"}, ["C"]),
        ({"filters[active][conditions][$expired]": "true"}, ["B"]),
        (
            {
                "filters[code][conditions][$in][0]": "A",
                "filters[code][conditions][$in][1]": "B",
                "order": "code",
            },
            ["A", "B"],
        ),
        ({"filters[metadata.n][conditions][$is]": "7"}, ["A"]),
        ({"filters[redemption.redeemed_quantity][conditions][$more_than]": "0"}, ["B"]),
        (
            {
                "filters[junction]": "or",
                "filters[code][conditions][$is]": "A",
                "filters[campaign][conditions][$is]": "Spring",
                "order": "code",
            },
            ["A", "B"],
        ),
        ({"created_at[after]": "2999-01-01"}, []),
    ],
)
def test_vouchers_are_listed(api, project, query, codes):
    VoucherFactory(
        project=project, code="A", metadata={"n": 7}, category=CategoryFactory(project=project, name="News")
    )
    VoucherFactory(
        project=project,
        code="B",
        campaign=CampaignFactory(project=project, name="Spring"),
        expiration_date=PAST,
        redeemed_quantity=1,
    )
    VoucherFactory(
        project=project, code="C", active=False, holder=CustomerFactory(project=project, source_id="holder")
    )

    answer = api.get("/v1/vouchers", query)

    assert [row["code"] for row in answer.json()["vouchers"]] == codes


def test_listing_asks_as_much_for_three_as_for_one(api, project, django_assert_num_queries):
    for _ in range(4):
        VoucherFactory(project=project, campaign=CampaignFactory(project=project))
    api.get("/v1/vouchers")

    with django_assert_num_queries(3):
        api.get("/v1/vouchers", {"limit": 1})
    with django_assert_num_queries(3):
        api.get("/v1/vouchers", {"limit": 3})


def gift(project, balance=1000):
    return VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=balance, gift_balance=balance
    )


def test_credits_are_added_and_taken(api, project):
    card = gift(project)
    api.post(f"/v1/vouchers/{card.code}/balance", {"amount": 500})

    taken = api.post(f"/v1/vouchers/{card.code}/balance", {"amount": -300, "reason": "mistake"}).json()

    assert (taken["total"], taken["balance"]) == (1500, 1200)
    assert api.get(f"/v1/vouchers/{card.code}").json()["gift"]["subtracted_amount"] == 300
    assert [
        row["details"]["balance"]["amount"]
        for row in api.get(f"/v1/vouchers/{card.code}/transactions").json()["data"]
    ] == [-300, 500]


def test_the_same_change_happens_once(api, project):
    card = gift(project)
    for _ in range(3):
        api.post(f"/v1/vouchers/{card.code}/balance", {"amount": 500, "source_id": "top-up-1"})

    conflict = api.post(f"/v1/vouchers/{card.code}/balance", {"amount": 1, "source_id": "top-up-1"})

    card.refresh_from_db()
    assert (card.gift_balance, conflict.status_code) == (1500, 409)


@pytest.mark.parametrize("amount", [-1001, 0, 1.5, "x", None, True, 2**60])
def test_a_balance_that_cannot_be_is_refused(api, project, amount):
    card = gift(project)

    answer = api.post(f"/v1/vouchers/{card.code}/balance", {"amount": amount})

    card.refresh_from_db()
    assert (answer.status_code, card.gift_balance) == (400, 1000)
