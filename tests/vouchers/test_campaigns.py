"""Campaigns over HTTP: made with their codes, changed, switched and deleted."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.models import Campaign
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, CategoryFactory, VoucherFactory
from vouchers.models import Voucher
from vouchers.services import generate


def body(name="Spring", voucher=None, **fields):
    template = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
    return {"name": name, "voucher": template | (voucher or {}), **fields}


def run_newest(project):
    """Do the background work that the last request started."""
    action = AsyncAction.objects.filter(project=project).latest("created_at")
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def test_codes_are_made_by_the_pattern(api, project):
    made = api.post(
        "/v1/campaigns",
        body(voucher={"code_config": {"pattern": "SPR-##", "charset": "AB"}}, vouchers_count=4),
    )
    run_newest(project)

    codes = set(Voucher.objects.values_list("code", flat=True))
    assert made.json()["vouchers_generation_status"] == "IN_PROGRESS"
    assert codes == {"SPR-AA", "SPR-AB", "SPR-BA", "SPR-BB"}
    assert api.get("/v1/campaigns/Spring").json()["vouchers_generation_status"] == "DONE"


def test_one_code_is_made_at_once(api):
    assert api.post("/v1/campaigns", body(vouchers_count=1)).json()["vouchers_count"] == 1


def test_a_common_code_is_made_with_its_campaign(api):
    api.post("/v1/campaigns", body(type="STANDALONE", voucher={"code_config": {"pattern": "SUMMER26"}}))

    assert api.get("/v1/vouchers/SUMMER26").json()["campaign"] == "Spring"


def test_generation_goes_on_where_a_killed_worker_stopped(api, project, monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 10)
    api.post("/v1/campaigns", body(vouchers_count=35))
    action = AsyncAction.objects.latest("created_at")
    insert, calls = generate.insert_codes, []

    def die_in_the_third_batch(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return insert(*args, **kwargs)

    monkeypatch.setattr(generate, "insert_codes", die_in_the_third_batch)
    with pytest.raises(KeyboardInterrupt):
        run_async_action(action.pk)
    monkeypatch.setattr(generate, "insert_codes", insert)

    run_async_action(action.pk)

    action.refresh_from_db()
    assert (Voucher.objects.count(), action.done_count, action.status) == (35, 35, "DONE")
    assert Campaign.objects.get().vouchers_count == 35


def test_collisions_do_not_stop_a_run(api, project):
    api.post(
        "/v1/campaigns",
        body(voucher={"code_config": {"length": 3, "charset": "0123456789"}}, vouchers_count=900),
    )

    run_newest(project)

    assert Voucher.objects.count() == 900


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ({}, "invalid_payload"),
        ({"name": "x"}, "invalid_campaign"),
        ({"name": "x", "campaign_type": "DISCOUNT_COUPONS"}, "invalid_campaign"),
        ({"name": "x", "campaign_type": "NONSENSE"}, "invalid_payload"),
        ({"name": "x", "campaign_type": "LOYALTY_PROGRAM"}, "invalid_campaign"),
        (body(voucher={"discount": {"type": "PERCENT", "percent_off": 101}}), "invalid_payload"),
        (body(voucher={"discount": {"type": "AMOUNT", "amount_off": -1}}), "invalid_payload"),
        (body(voucher={"discount": {"type": "UNIT", "unit_off": 1}}), "invalid_payload"),
        (body(voucher={"redemption": {"quantity": 0}}), "invalid_payload"),
        (body(voucher={"redemption": {"quantity": 2**40}}), "invalid_payload"),
        (body(start_date="2026-02-01", expiration_date="2026-01-01"), "invalid_expiration_date"),
        (body(start_date="yesterday"), "invalid_payload"),
        (body(name="x" * 300), "invalid_payload"),
        (body(vouchers_count=-1), "invalid_payload"),
        (
            body(vouchers_count=100, voucher={"code_config": {"pattern": "A-#", "charset": "01"}}),
            "invalid_code_config",
        ),
        (body(voucher={"code_config": {"pattern": "NOPLACE"}}), "invalid_code_config"),
        (body(voucher={"code_config": {"charset": ""}}), "invalid_code_config"),
        (body(voucher={"code_config": {"prefix": "\N{PARTY POPPER}"}}), "invalid_code_config"),
        (body(validation_rules=["val_none"]), "not_found"),
        (body(category_id="cat_none"), "not_found"),
        (body(activity_duration_after_publishing="P1M"), "invalid_payload"),
        (body(validity_day_of_week=[9]), "invalid_payload"),
        (body(metadata="x"), "invalid_payload"),
        (body(name="a\x00b"), "invalid_payload"),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, sent, key):
    answer = api.post("/v1/campaigns", sent)

    assert answer.json()["key"] == key, answer.json()
    assert (Campaign.objects.count(), Voucher.objects.count()) == (0, 0)


def test_a_name_is_taken_once(api):
    api.post("/v1/campaigns", body())

    answer = api.post("/v1/campaigns", body())

    assert (answer.status_code, answer.json()["key"]) == (409, "duplicate_found")


def test_a_code_is_taken_once(api, project):
    CampaignFactory(project=project, name="Spring")
    api.post("/v1/campaigns/Spring/vouchers/ONE")

    answer = api.post("/v1/campaigns/Spring/vouchers/%20ONE%20")

    assert (answer.status_code, Voucher.objects.count()) == (409, 1)


def test_a_change_reaches_the_codes_nobody_has_yet(api, project):
    campaign = CampaignFactory(project=project, vouchers_count=2)
    free = VoucherFactory(project=project, campaign=campaign, discount=None)
    given = VoucherFactory(project=project, campaign=campaign, discount=None, published_count=1)

    changed = api.put(
        f"/v1/campaigns/{campaign.name}",
        {"expiration_date": "2999-01-01", "voucher": {"discount": {"type": "PERCENT", "percent_off": 25}}},
    )
    run_newest(project)

    free_wire, given_wire = (api.get(f"/v1/vouchers/{one.code}").json() for one in (free, given))
    assert changed.json()["vouchers_generation_status"] == "MODIFYING"
    assert (free_wire["discount"]["percent_off"], given_wire["discount"]["percent_off"]) == (25, 10)
    assert (free_wire["expiration_date"], given_wire["expiration_date"]) == ("2999-01-01T00:00:00.000Z", None)


def test_null_clears_a_date(api, project):
    campaign = CampaignFactory(project=project, expiration_date="2999-01-01T00:00:00Z")

    assert (
        "expiration_date" not in api.put(f"/v1/campaigns/{campaign.name}", {"expiration_date": None}).json()
    )


def test_while_codes_are_made_nothing_is_changed(api, project):
    campaign = CampaignFactory(project=project, generation_status="IN_PROGRESS")

    assert api.put(f"/v1/campaigns/{campaign.name}", {"description": "x"}).json()["key"] == "invalid_campaign"


def test_a_protected_campaign_is_left_alone(api, project):
    campaign = CampaignFactory(project=project, protected=True)

    assert (
        api.put(f"/v1/campaigns/{campaign.name}", {"description": "x"}).json()["key"] == "resource_protected"
    )
    assert api.delete(f"/v1/campaigns/{campaign.name}").json()["key"] == "resource_protected"


@pytest.mark.parametrize(("force", "kept"), [("", 2), ("?force=true", 0)])
def test_a_deleted_campaign_takes_its_codes_along(api, project, force, kept):
    campaign = CampaignFactory(project=project)
    codes = [VoucherFactory(project=project, campaign=campaign).code for _ in range(2)]

    answer = api.delete(f"/v1/campaigns/{campaign.name}{force}")
    run_newest(project)

    assert answer.status_code == 202
    assert api.get(f"/v1/vouchers/{codes[0]}").status_code == 404
    assert Voucher.objects.count() == kept


def test_codes_are_imported_and_bad_rows_reported(api, project):
    campaign = CampaignFactory(project=project, name="Spring", quantity=5)
    VoucherFactory(project=project, code="THERE")
    rows = (
        "\ufeffcode;Active;Redeemed Quantity;Color\nNEW;false;2;red\nNEW;;;\nTHERE;;;\n"
        ';;;x\nBAD;maybe;;\nOVER;;9;\n"A\nB";;;\n'
    )

    answer = api.upload("/v1/campaigns/Spring/importCSV", SimpleUploadedFile("codes.csv", rows.encode()))
    action = run_newest(project)

    made = api.get("/v1/vouchers/NEW").json()
    assert answer.status_code == 200
    assert (made["active"], made["metadata"], made["redemption"]["redeemed_quantity"]) == (
        False,
        {"Color": "red"},
        2,
    )
    assert (action.done_count, [failure["row"] for failure in action.failed]) == (1, [3, 4, 5, 6, 7, 8])
    assert campaign.name == made["campaign"]


def test_an_import_without_codes_fails_with_its_reason(api, project):
    CampaignFactory(project=project, name="Spring")

    api.upload("/v1/campaigns/Spring/importCSV", SimpleUploadedFile("codes.csv", b"Name\nx\n"))
    action = run_newest(project)

    assert (action.status, action.message) == ("FAILED", "There is no column 'Code'")


def test_an_upload_needs_its_file(api, project):
    CampaignFactory(project=project, name="Spring")

    assert (
        api.client.post("/v1/campaigns/Spring/importCSV", {}, headers=api.headers).json()["key"]
        == "invalid_payload"
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["B", "A"]),
        ({"order": "name"}, ["A", "B"]),
        ({"filters[name][conditions][$is]": "A"}, ["A"]),
        ({"filters[active][conditions][$is]": "false"}, ["B"]),
        ({"filters[metadata.team][conditions][$is]": "red"}, ["A"]),
        ({"filters[categories][conditions][$in][0]": "News"}, ["B"]),
        ({"campaign_status": "INACTIVE"}, ["B"]),
        ({"limit": 1, "page": 2}, ["A"]),
    ],
)
def test_campaigns_are_listed(api, project, query, names):
    CampaignFactory(project=project, name="A", metadata={"team": "red"})
    CampaignFactory(
        project=project, name="B", active=False, category=CategoryFactory(project=project, name="News")
    )

    assert [row["name"] for row in api.get("/v1/campaigns", query).json()["campaigns"]] == names


def test_listing_asks_as_much_for_three_as_for_one(api, project, django_assert_num_queries):
    for _ in range(4):
        CampaignFactory(project=project, category=CategoryFactory(project=project))
    api.get("/v1/campaigns")

    with django_assert_num_queries(2):
        api.get("/v1/campaigns", {"limit": 1})
    with django_assert_num_queries(2):
        api.get("/v1/campaigns", {"limit": 3})
