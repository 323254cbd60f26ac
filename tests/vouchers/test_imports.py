"""Importing codes from tables: what comes in, and how, and what was known already."""

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from campaigns.models import Category
from promoengine.core.models import AsyncAction, OutboxEvent, SeenAttribute, UploadedFile
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, CategoryFactory, ProjectFactory, VoucherFactory
from tests.vouchers.importing import counts, reasons, run, staging_tables
from vouchers.models import CodeBatch, Voucher
from vouchers.services import import_steps


def test_rows_become_codes_of_the_campaign_by_its_terms(project):
    end = datetime(2030, 1, 1, tzinfo=UTC)
    campaign = CampaignFactory(project=project, quantity=5, expiration_date=end)
    CategoryFactory(project=project, name="Old")

    action = run(
        project,
        "Code,Category,Active,Redemption Limit,Redeemed Quantity,Start Date,Additional Info,Shelf\n"
        "A-1,,,,,,,\n"
        "A-2,Old,no,3,2,2026-01-31T10:00,a note,A7\n"
        "A-3,New,true,,1,2026-01-31,,\n",
        campaign=campaign,
        zone="Europe/Warsaw",
    )

    assert (*counts(action), action.total_count) == ("DONE", 3, 0, 0, 3)
    first, second, third = Voucher.objects.order_by("code")
    assert (first.code, first.code_key, first.quantity, first.expiration_date) == ("A-1", "A-1", 5, end)
    assert (first.campaign, first.discount, first.active, first.metadata) == (campaign, None, True, {})
    assert (second.category.name, second.active, second.quantity) == ("Old", False, 3)
    assert (second.redeemed_quantity, second.imported_quantity) == (2, 2)
    assert second.start_date == datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert (second.additional_info, second.metadata) == ("a note", {"Shelf": "A7"})
    assert (third.category.name, third.quantity) == ("New", 5)
    campaign.refresh_from_db()
    assert (campaign.vouchers_count, UploadedFile.objects.count(), staging_tables()) == (3, 0, [])
    assert SeenAttribute.objects.get(resource="voucher").name == "Shelf"


def test_gift_cards_have_their_own_amounts_and_what_was_spent(project, gifts):
    run(project, "Code,Gift Amount,Redeemed Amount\nA,,\nB,12.50,\nC,20,5.5\nD,,10\n", campaign=gifts)

    found = Voucher.objects.order_by("code").values_list("gift_amount", "gift_balance", "imported_amount")
    assert list(found) == [(5000, 5000, 0), (1250, 1250, 0), (2000, 1450, 550), (5000, 4000, 1000)]


def test_codes_on_their_own_have_what_they_are_worth_in_the_row(project):
    action = run(
        project,
        "Code,Voucher Type,Discount Type,Value,Discount effect\n"
        "A,,,5,\n"
        "B,,PERCENT,12.5,APPLY_TO_ITEMS\n"
        'C,discount voucher,FIXED,"9,99",\n'
        "D,GIFT_VOUCHER,,100,\n",
    )

    assert counts(action) == ("DONE", 4, 0, 0)
    a, b, c, d = Voucher.objects.order_by("code")
    assert (a.campaign, a.type, a.discount) == (
        None,
        "DISCOUNT_VOUCHER",
        {"type": "AMOUNT", "amount_off": 500},
    )
    assert b.discount == {"type": "PERCENT", "percent_off": 12.5, "effect": "APPLY_TO_ITEMS"}
    assert c.discount == {"type": "FIXED", "fixed_amount": 999}
    assert (d.type, d.gift_amount, d.gift_balance, d.gift_effect) == (
        "GIFT_VOUCHER",
        10000,
        10000,
        "APPLY_TO_ORDER",
    )


def test_a_column_may_name_the_campaign_of_each_row(project, campaign, gifts):
    CampaignFactory(project=ProjectFactory(), name="Foreign")

    action = run(project, f"Code,Campaign,Value\nA,Spring,\nB,{gifts.name},\nC,,5\nD,Foreign,\nE,Spring,\n")

    found = dict(Voucher.objects.values_list("code", "campaign__name"))
    assert found == {"A": "Spring", "B": gifts.name, "C": None, "E": "Spring"}
    assert reasons(action) == {5: "Campaign Foreign does not exist"}
    campaign.refresh_from_db()
    gifts.refresh_from_db()
    assert (campaign.vouchers_count, gifts.vouchers_count) == (2, 1)


def test_doubles_and_codes_that_are_taken_are_told_apart(db):
    project = ProjectFactory(case_sensitive_codes=False)
    campaign = CampaignFactory(project=project)
    other = CampaignFactory(project=project, name="Other")
    VoucherFactory(project=project, code="ALONE", code_key="ALONE")
    VoucherFactory(project=project, code="OTHERS", campaign=other)
    VoucherFactory(project=project, code="BINNED", campaign=campaign, deleted_at=timezone.now())
    VoucherFactory(project=ProjectFactory(), code="FOREIGN")
    lines = ["A", "alone", "a", "OTHERS", "BINNED", "FOREIGN", "A"]

    action = run(project, "\n".join(["Code", *lines]), campaign=campaign)

    assert counts(action) == ("DONE", 2, 0, 5)
    assert reasons(action) == {
        3: "Code exists already, on its own",
        4: "Code stands in row 2 already",
        5: "Code exists already, in campaign Other",
        6: "Code exists already, in the trash",
        8: "Code stands in row 2 already",
    }


@pytest.mark.parametrize(("is_told_apart", "made"), [(True, 2), (False, 1)])
def test_the_case_of_codes_counts_where_the_project_says_so(db, is_told_apart, made):
    project = ProjectFactory(case_sensitive_codes=is_told_apart)

    assert run(project, "Code,Value\nA,5\na,5\n").done_count == made


TWICE = (
    "Code,Category,Active,Redemption Limit,Redeemed Quantity,Start Date,Shelf\n"
    "A,Sale,no,3,1,2026-01-01,x\nB,,,,,,\n"
)


@pytest.mark.parametrize("mode", ["good", "all", "check"])
def test_to_import_again_changes_nothing(project, campaign, mode):
    run(project, TWICE, campaign=campaign)
    before = list(Voucher.objects.order_by("pk").values())

    action = run(project, TWICE, campaign=campaign, mode=mode)

    assert counts(action) == ("DONE", 0, 2, 0)
    assert "2 were there already" in action.message
    assert list(Voucher.objects.order_by("pk").values()) == before
    campaign.refresh_from_db()
    assert campaign.vouchers_count == 2


def test_a_known_code_that_the_row_says_something_else_of_is_reported(project, campaign):
    run(project, TWICE, campaign=campaign)

    changed = TWICE.replace("A,Sale,no,3,1,2026-01-01,x", "A,News,yes,4,2,2026-01-02,y")
    action = run(project, changed, campaign=campaign)

    assert reasons(action) == {
        2: "Code exists already with another Active, Redemption Limit, Redeemed Quantity, Start Date, Shelf,"
        " Category"
    }
    assert (action.skipped_count, Voucher.objects.get(code="A").quantity) == (1, 3)


def test_gift_cards_and_discounts_are_known_again(project):
    own = "Code,Voucher Type,Discount Type,Value\nA,,AMOUNT,5\nB,GIFT_VOUCHER,,10\n"
    run(project, own)

    assert counts(run(project, own)) == ("DONE", 0, 2, 0)
    assert reasons(run(project, own.replace("5", "6").replace("10", "11"))) == {
        2: "Code exists already with another Value",
        3: "Code exists already with another Value",
    }


def test_a_check_tells_what_would_happen_and_changes_nothing(project, campaign):
    VoucherFactory(project=project, code="TAKEN")
    events = OutboxEvent.objects.count()

    action = run(project, "Code,Category\nA,New\nB,\n,\nA,\nTAKEN,\n,Sale\n", campaign=campaign, mode="check")

    assert counts(action) == ("DONE", 2, 0, 3)
    assert "2 codes would be imported" in action.message
    assert (Voucher.objects.count(), Category.objects.count()) == (1, 0)
    assert OutboxEvent.objects.count() == events
    assert UploadedFile.objects.count() == 1


@pytest.mark.parametrize("bad", [",New", "A,", "TAKEN,"])
def test_all_or_nothing_inserts_nothing_where_one_row_is_bad(project, campaign, bad):
    VoucherFactory(project=project, code="TAKEN")

    action = run(project, f"Code,Category\nA,New\n{bad}\nB,\n", campaign=campaign, mode="all")

    assert counts(action) == ("FAILED", 0, 0, 1)
    assert action.message == "Nothing was imported: 1 of 3 rows are bad"
    assert (Voucher.objects.count(), Category.objects.count()) == (1, 0)
    assert len(action.failed) == 1
    # It may be imported another way.
    assert UploadedFile.objects.count() == 1
    assert staging_tables() == []


def test_all_or_nothing_inserts_all(project, campaign):
    action = run(project, "Code,Category\nA,New\nB,\n", campaign=campaign, mode="all")

    assert counts(action) == ("DONE", 2, 0, 0)
    campaign.refresh_from_db()
    assert campaign.vouchers_count == 2


@pytest.mark.parametrize("mode", ["good", "all"])
def test_codes_of_a_campaign_are_a_batch_with_the_name_of_the_file(project, campaign, monkeypatch, mode):
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 2)
    run(project, "Code\nA\nB\nC\n", campaign=campaign, mode=mode)
    run(project, "Code\nA\nB\nC\n", campaign=campaign, mode=mode)
    run(project, "Code,Value\nD,5\n")

    batch = CodeBatch.objects.get()
    assert (batch.campaign, batch.name, batch.count) == (campaign, "codes.csv", 3)
    assert set(Voucher.objects.values_list("code", "batch")) == {
        ("A", batch.pk),
        ("B", batch.pk),
        ("C", batch.pk),
        ("D", None),
    }


def test_one_event_tells_of_an_import(project, campaign):
    action = run(project, "Code\nA\nB\n", campaign=campaign)

    event = OutboxEvent.objects.get(type="vouchers.imported")
    assert event.data == {
        "count": 2,
        "campaign_ids": [campaign.public_id],
        "async_action_id": action.public_id,
    }


def test_codes_on_their_own_come_in_over_rest(api, project):
    rows = b"Code,Value,Discount Type,Color\nA,5,AMOUNT,red\nA,5,AMOUNT,red\n"

    answer = api.upload("/v1/vouchers/importCSV", SimpleUploadedFile("codes.csv", rows))
    action = AsyncAction.objects.get()
    run_async_action(action.pk)

    assert (answer.status_code, answer.json()) == (202, {"async_action_id": action.public_id})
    made = api.get("/v1/vouchers/A").json()
    assert (made["campaign"], made["discount"]["amount_off"], made["metadata"]) == (
        None,
        500,
        {"Color": "red"},
    )
    result = api.get(f"/v1/async-actions/{action.public_id}").json()
    assert result["type"] == "VOUCHERS.IMPORT_CSV"
    assert result["result"]["failed"] == [{"row": 3, "code": "A", "reason": "Code stands in row 2 already"}]


def test_over_rest_codes_that_exist_fail_row_by_row_as_published(api, project, campaign):
    for _ in range(2):
        api.upload("/v1/campaigns/Spring/importCSV", SimpleUploadedFile("codes.csv", b"Code\nA\n"))
        run_async_action(AsyncAction.objects.latest("pk").pk)

    action = AsyncAction.objects.latest("pk")
    assert counts(action) == ("DONE", 0, 0, 1)
    assert action.failed[0]["reason"] == "Code exists already"
