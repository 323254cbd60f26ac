"""Answers about batches and pools, our own: as the API's description and `docs/api.md` have them."""

from pathlib import Path

import pytest

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.contract.described import fields_of
from tests.factories import CampaignFactory, CustomerFactory
from vouchers.batches import batches_of

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
LATER = "2998-12-24T09:00:00.000Z"


@pytest.fixture
def campaign(project):
    return CampaignFactory(project=project, name="Giveaway", type="STATIC", code_config={"length": 10})


@pytest.fixture
def path(campaign):
    return f"/v1/campaigns/{campaign.public_id}"


@pytest.fixture
def made(ours, path, campaign):
    """A batch of three codes, locked and limited, over REST."""
    terms = {"name": "Christmas", "locked_until": LATER, "one_per_person": True}
    ids = ours.call("post", f"{path}/batches", {"vouchers_count": 3} | terms, status=202)
    run_async_action(AsyncAction.objects.get(project=campaign.project).pk)
    return ids["batch_id"]


def test_a_batchs_life(ours, path, made):
    own = f"{path}/batches/{made}"
    batch = ours.call("get", own)
    assert batch | {"created_at": None, "updated_at": None} == {
        "id": made,
        "object": "batch",
        "campaign_id": path.rpartition("/")[2],
        "name": "Christmas",
        "vouchers_count": 3,
        "free_count": 3,
        "locked_until": LATER,
        "one_per_person": True,
        "created_at": None,
        "updated_at": None,
    }

    released = ours.call("put", own, {"locked_until": None, "one_per_person": False, "name": ""})

    assert (released["locked_until"], released["one_per_person"], released["name"]) == (None, False, "")
    assert ours.call("get", own) == released
    listed = ours.call("get", f"{path}/batches", query={"limit": 1})
    assert (listed["batches"], listed["total"]) == ([released], 1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "vouchers_count"),
        ({"vouchers_count": 0}, "vouchers_count"),
        ({"vouchers_count": "many"}, "vouchers_count"),
        ({"vouchers_count": 10_000_001}, "10000000"),
        ({"vouchers_count": 2, "locked_until": "tomorrow"}, "locked_until"),
        ({"vouchers_count": 2, "locked_until": "2001-12-24T09:00:00Z"}, "locked_until"),
        ({"vouchers_count": 2, "one_per_person": "perhaps"}, "one_per_person"),
        ({"vouchers_count": 2, "name": "x" * 256}, "name"),
    ],
)
def test_what_a_batch_can_not_be_is_refused_by_name(ours, path, campaign, body, says):
    refused = ours.call("post", f"{path}/batches", body, status=400)

    assert says in refused["details"]
    assert not batches_of(campaign).exists()


def test_a_pools_life(ours, path, made):
    before = ours.call("get", f"{path}/pool")
    assert (before["free_count"], before["next_release_at"], before["threshold"]) == (0, LATER, None)

    ours.call("put", f"{path}/batches/{made}", {"locked_until": None})
    watched = ours.call("put", f"{path}/pool", {"threshold": 2, "emails": ["ann@example.com"]})

    assert (watched["free_count"], watched["next_release_at"], watched["low_since"]) == (3, None, None)
    assert (watched["threshold"], watched["emails"]) == (2, ["ann@example.com"])
    assert ours.call("put", f"{path}/pool", {"threshold": None})["threshold"] is None
    ours.call("put", f"{path}/pool", {}, status=400)
    ours.call("put", f"{path}/pool", {"threshold": -1}, status=400)
    ours.call("put", f"{path}/pool", {"threshold": 5, "emails": ["nobody"]}, status=400)


def test_what_nobody_has_is_not_found(ours, path, made, project):
    other = CampaignFactory(project=project, type="STATIC")
    for unknown in (
        f"{path}/batches/{made}x",
        f"{path}/batches/{CustomerFactory(project=project).public_id}",
        f"/v1/campaigns/{other.public_id}/batches/{made}",
        "/v1/campaigns/nothing/batches",
        "/v1/campaigns/nothing/pool",
    ):
        assert ours.call("get", unknown, status=404)["key"] == "not_found"
    ours.call("put", f"/v1/campaigns/{other.public_id}/batches/{made}", {"name": "x"}, status=404)


def test_a_locked_pool_says_when_codes_are_released(ours, api, path, made):
    body = {"campaign": {"name": "Giveaway"}, "customer": {"source_id": "ann"}}

    refused = ours.call("post", "/v1/publications", body, status=400)

    assert refused["key"] == "no_voucher_suitable_for_publication"
    assert "2998-12-24" in refused["details"]


@pytest.mark.parametrize("name", ["BatchAnswer", "PoolAnswer", "NewBatchAnswer"])
def test_the_documentation_names_what_is_not_in_all_answers(name):
    section = DOCS.read_text().partition("## Batches")[2].partition("\n## ")[0]
    plain = {"id", "object", "campaign_id", "created_at", "updated_at"}

    assert {field for field in fields_of(name) - plain if f"`{field}" not in section} == set()
