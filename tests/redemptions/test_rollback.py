"""Undoing redemptions, over HTTP."""

import pytest

from redemptions.models import Redemption
from tests.factories import VoucherFactory
from vouchers.models import Voucher


def redeem(api, *codes, **body):
    redeemables = [{"object": "voucher", "id": code} for code in codes]
    return api.post(
        "/v1/redemptions", {"redeemables": redeemables, "order": {"amount": 20000}, **body}
    ).json()


@pytest.mark.parametrize("quantity", [1, None])
def test_rollback_gives_the_use_back(api, project, quantity):
    voucher = VoucherFactory(project=project, quantity=quantity)
    redemption = redeem(api, voucher.code)["redemptions"][0]

    answer = api.post(f"/v1/redemptions/{redemption['id']}/rollback?reason=returned")

    assert answer.json()["reason"] == "returned"
    assert answer.json()["voucher"]["redemption"]["redeemed_quantity"] == 0


def test_rollback_cancels_the_order(api, project):
    voucher = VoucherFactory(project=project)
    redemption = redeem(api, voucher.code)["redemptions"][0]

    order = api.post(f"/v1/redemptions/{redemption['id']}/rollback").json()["order"]

    assert (order["status"], order["total_amount"]) == ("CANCELED", 20000)


def test_a_second_rollback_is_refused_and_kept(api, project):
    voucher = VoucherFactory(project=project, quantity=5)
    redemption = redeem(api, voucher.code)["redemptions"][0]
    api.post(f"/v1/redemptions/{redemption['id']}/rollback")

    answer = api.post(f"/v1/redemptions/{redemption['id']}/rollback")

    voucher.refresh_from_db()
    assert (answer.status_code, answer.json()["key"]) == (400, "already_rolled_back")
    assert answer.json()["resource_id"].startswith("rrf_")
    assert voucher.redeemed_quantity == 0


def test_rollback_of_a_stack_undoes_all_its_parts(api, project):
    codes = [VoucherFactory(project=project, quantity=1).code for _ in range(3)]
    parent = redeem(api, *codes)["parent_redemption"]

    answer = api.post(f"/v1/redemptions/{parent['id']}/rollbacks", {"reason": "all of it"}).json()

    assert len(answer["rollbacks"]) == 3
    assert answer["parent_rollback"]["redemption"] == parent["id"]
    assert not Voucher.objects.filter(project=project, redeemed_quantity__gt=0).exists()


def test_a_part_cannot_be_undone_alone(api, project):
    codes = [VoucherFactory(project=project).code for _ in range(2)]
    stack = redeem(api, *codes)

    child = api.post(f"/v1/redemptions/{stack['redemptions'][0]['id']}/rollbacks").json()
    parent = api.post(f"/v1/redemptions/{stack['parent_redemption']['id']}/rollback").json()

    assert (child["key"], parent["key"]) == ("invalid_redemption_parent", "invalid_redemption")


def test_rollback_refunds_gift_credits(api, project):
    card = VoucherFactory(
        project=project, type=Voucher.Type.GIFT_VOUCHER, discount=None, gift_amount=5000, gift_balance=5000
    )
    redemption = redeem(api, card.code)["redemptions"][0]

    answer = api.post(f"/v1/redemptions/{redemption['id']}/rollback").json()

    card.refresh_from_db()
    assert (answer["amount"], card.gift_balance, card.redeemed_amount) == (-5000, 5000, 0)


def test_another_projects_redemption_is_unknown(api, other_api, project):
    redemption = redeem(api, VoucherFactory(project=project).code)["redemptions"][0]

    answer = other_api.post(f"/v1/redemptions/{redemption['id']}/rollback")

    assert answer.status_code == 404
    assert Redemption.objects.filter(status="ROLLED_BACK").count() == 0


def test_the_list_shows_redemptions_failures_and_rollbacks(api, project):
    voucher = VoucherFactory(project=project, quantity=1)
    redemption = redeem(api, voucher.code)["redemptions"][0]
    redeem(api, voucher.code)
    api.post(f"/v1/redemptions/{redemption['id']}/rollback")

    rows = api.get("/v1/redemptions").json()["redemptions"]

    assert [row["id"].partition("_")[0] for row in rows] == ["rr", "rf", "r"]


def test_the_list_is_filtered(api, project):
    voucher, other = VoucherFactory(project=project, quantity=1), VoucherFactory(project=project)
    redeem(api, voucher.code)
    redeem(api, voucher.code)
    redeem(api, other.code)

    rows = api.get(
        "/v1/redemptions",
        {
            "filters[voucher_code][conditions][$is][0]": voucher.code,
            "filters[result][conditions][$is]": "SUCCESS",
        },
    ).json()

    assert (rows["total"], rows["redemptions"][0]["voucher"]["code"]) == (1, voucher.code)


def test_one_redemption_names_its_rollback(api, project):
    redemption = redeem(api, VoucherFactory(project=project).code)["redemptions"][0]
    rollback = api.post(f"/v1/redemptions/{redemption['id']}/rollback").json()

    answer = api.get(f"/v1/redemptions/{redemption['id']}").json()

    assert answer["status"] == "ROLLED_BACK"
    assert answer["related_redemptions"]["rollbacks"][0]["id"] == rollback["id"]


def test_listing_asks_as_much_for_three_rows_as_for_one(api, project, django_assert_num_queries):
    for _ in range(4):
        redeem(api, VoucherFactory(project=project).code, customer={"source_id": "u"})

    with django_assert_num_queries(5):
        api.get("/v1/redemptions", {"limit": 1})
    with django_assert_num_queries(5):
        api.get("/v1/redemptions", {"limit": 3})
