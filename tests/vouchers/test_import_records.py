"""Importing codes into a campaign from a JSON array."""

import pytest

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import VoucherFactory
from vouchers.models import Voucher


def send(api, campaign, body):
    return api.post(f"/v1/campaigns/{campaign.public_id}/import", body)


def work(project):
    for action in AsyncAction.objects.filter(project=project, finished_at=None):
        run_async_action(action.pk)


def test_records_become_the_campaigns_codes(api, project, campaign):
    records = [
        {"code": "A-1", "redemption": {"quantity": 3}, "metadata": {"batch": 7}, "additional_info": "x"},
        {"code": "A-2", "active": False, "category": "Sale", "expiration_date": "2030-01-01T00:00:00Z"},
    ]
    answer = send(api, campaign, records)
    assert answer.status_code == 202
    work(project)

    first, second = (api.get(f"/v1/vouchers/{code}").json() for code in ("A-1", "A-2"))
    assert (first["campaign"], first["redemption"]["quantity"], first["metadata"]) == (
        "Spring",
        3,
        {"batch": 7},
    )
    assert (second["active"], second["category"]) == (False, "Sale")
    assert second["expiration_date"] == "2030-01-01T00:00:00.000Z"
    campaign.refresh_from_db()
    assert campaign.vouchers_count == 2


def test_a_bad_record_is_reported_and_the_others_come_in(api, project, campaign):
    VoucherFactory(project=project, code="TAKEN")
    action = send(api, campaign, [{"code": "TAKEN"}, {"code": "NEW"}]).json()["async_action_id"]
    work(project)

    result = api.get(f"/v1/async-actions/{action}").json()["result"]
    assert (result["done_count"], result["failed_count"]) == (1, 1)
    assert result["failed"][0]["code"] == "TAKEN"
    assert Voucher.objects.filter(campaign=campaign).count() == 1


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "invalid_payload"),
        ([], "invalid_payload"),
        ([{}], "invalid_voucher"),
        ([5], "invalid_payload"),
        ([{"code": "A"}, {"code": " "}], "invalid_voucher"),
        ([{"code": "A", "active": "perhaps"}], "invalid_payload"),
        ([{"code": "A", "start_date": "yesterday"}], "invalid_payload"),
        ([{"code": "A"}, {"code": "A"}], "duplicate_key"),
    ],
)
def test_bad_input_is_named_and_starts_nothing(api, project, campaign, body, key):
    answer = send(api, campaign, body)

    assert (answer.status_code, answer.json()["key"]) == (400, key)
    assert not AsyncAction.objects.filter(project=project).exists()


def test_contract(api, campaign):
    assert send(api, campaign, [{"code": "A-1"}]).json().keys() == {"async_action_id"}
