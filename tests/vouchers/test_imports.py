"""Importing codes from tables: what comes in, what is reported, and what never happens."""

import io
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from openpyxl import Workbook

from campaigns.models import Category
from promoengine.core.models import AsyncAction, OutboxEvent, ReportedRow, SeenAttribute, UploadedFile
from promoengine.core.services import async_actions
from promoengine.core.services.async_actions import cancel, pause, resume, run_async_action
from promoengine.core.services.reports import report_csv
from promoengine.core.services.uploads import keep_file
from tests.factories import CampaignFactory, CategoryFactory, ProjectFactory, VoucherFactory
from vouchers.import_plans import ImportPlan, guess
from vouchers.models import CodeBatch, Voucher
from vouchers.services import import_steps
from vouchers.services.import_codes import start_code_import
from vouchers.services.staging import PREFIX, drop_left_over


@pytest.fixture
def campaign(project):
    return CampaignFactory(project=project, name="Spring")


@pytest.fixture
def gifts(project):
    return CampaignFactory(
        project=project, campaign_type="GIFT_VOUCHERS", discount=None, gift={"amount": 5000}
    )


def start(project, content, **plan):
    """Start the import of a table; its columns are what their names say."""
    content = content if isinstance(content, bytes) else content.encode()
    header = content.decode("utf-8-sig", "replace").partition("\n")[0].strip().split(",")
    plan.setdefault("mapping", guess(header))
    if "campaign" in plan:
        plan["campaign"] = str(plan["campaign"].pk)
    now = timezone.now()
    file = keep_file(project, name="codes.csv", chunks=[content], now=now)
    return start_code_import(project, file=file, plan=ImportPlan(**plan), now=now)


def run(project, content, **plan):
    action = start(project, content, **plan)
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def reasons(action):
    return {row.row: row.reason for row in ReportedRow.objects.filter(action=action)}


def counts(action):
    return action.status, action.done_count, action.skipped_count, action.failed_count


def staging_tables():
    return [name for name in connection.introspection.table_names() if name.startswith(PREFIX)]


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


HEADER = (
    "Code,Active,Start Date,Expiration Date,Redemption Limit,Redeemed Quantity,Voucher Type,Discount Type,"
    "Value,Category,Additional Info,Campaign"
)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,,,,,,,5,,,", "A code may not be empty"),
        ("\N{PARTY POPPER},,,,,,,,5,,,", "may not contain the character"),
        ('"A\nB",,,,,,,,5,,,', "may not contain the character"),
        ("A\u202eB,,,,,,,,5,,,", "may not contain the character"),
        (f"{'x' * 256},,,,,,,,5,,,", "up to 255 characters"),
        ("#N/A,,,,,,,,5,,,", "Code is #N/A, the error of a formula"),
        ("BAD,maybe,,,,,,,5,,,", "Active should be true or false, and is 'maybe'"),
        ("BAD,,yesterday,,,,,,5,,,", "Start Date should be a date such as 2026-12-31, and is 'yesterday'"),
        ("BAD,,,31.12.2026,,,,,5,,,", "Expiration Date should be a date such as 2026-12-31"),
        ("BAD,,0001-01-01,,,,,,5,,,", "Start Date should be a date of our time"),
        ("BAD,,2026-02-01,2026-01-01,,,,,5,,,", "Expiration date must be after start date"),
        ("BAD,,,,0,,,,5,,,", "Redemption Limit should be a whole number of at least 1"),
        ("BAD,,,,1.5,,,,5,,,", "Redemption Limit should be a whole number"),
        ("BAD,,,,99999999999,,,,5,,,", "Redemption Limit should be a whole number"),
        ("BAD,,,,\N{ARABIC-INDIC DIGIT ONE},,,,5,,,", "Redemption Limit should be a whole number"),
        ("BAD,,,,,-1,,,5,,,", "Redeemed Quantity should be a whole number"),
        ("BAD,,,,2,3,,,5,,,", "Redeemed Quantity is above the limit of 2"),
        ("BAD,,,,,,POINTS,,5,,,", "Voucher Type should be DISCOUNT_VOUCHER or GIFT_VOUCHER"),
        ("BAD,,,,,,,HALF,5,,,", "Discount Type should be one of"),
        ("BAD,,,,,,,,,,,", "Value should be a number such as 12.50, and is ''"),
        ("BAD,,,,,,,,-5,,,", "Value should be 0 or more"),
        ("BAD,,,,,,,,5.001,,,", "Value should have up to 2 decimals"),
        ("BAD,,,,,,,,1e3,,,", "Value should be a number"),
        ("BAD,,,,,,,PERCENT,120,,,", "should be at most 100"),
        (f"BAD,,,,,,,,5,{'x' * 256},,", "Category may have up to 255 characters"),
        ("BAD,,,,,,,,5,cat_0000000000000000000000,,", "Category: there is no category cat_0"),
        (f"BAD,,,,,,,,5,,{'x' * 10001},", "Additional Info may have up to 10000 characters"),
        ("BAD,,,,,,,,5,,,Nowhere", "Campaign Nowhere does not exist"),
        ("BAD,,,,,,,,5,,,Promo", "Campaign Promo is a promotion and has no codes"),
        ("BAD,,,,,,,,5,,,,,more", "There are 14 cells in 12 columns"),
    ],
)
def test_a_bad_cell_is_reported_with_its_row_and_column_and_the_good_rows_come_in(project, row, reason):
    CampaignFactory(project=project, name="Promo", campaign_type="PROMOTION", discount=None)

    action = run(project, f"{HEADER}\nGOOD,,,,,,,,5,,,\n{row}\nALSO,,,,,,,,5\n")

    assert counts(action) == ("DONE", 2, 0, 1)
    assert sorted(Voucher.objects.values_list("code", flat=True)) == ["ALSO", "GOOD"]
    assert reason in reasons(action)[3]
    assert action.failed == [{"row": 3, "code": action.failed[0]["code"], "reason": reasons(action)[3]}]


def test_spent_more_than_the_card_had_is_a_bad_row(project, gifts):
    action = run(project, "Code,Gift Amount,Redeemed Amount\nA,5,6\nB,,50.01\nC,x,\n", campaign=gifts)

    assert [reason.partition(",")[0] for reason in reasons(action).values()] == [
        "Redeemed Amount is above the amount of the gift card",
        "Redeemed Amount is above the amount of the gift card",
        "Gift Amount should be a number such as 12.50",
    ]


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


def test_a_code_that_grows_too_long_by_comparing_it_is_a_bad_row(db):
    project = ProjectFactory(case_sensitive_codes=False)

    action = run(project, f"Code,Value\n{'ß' * 200},5\n")

    assert reasons(action) == {2: "A code may have up to 255 characters"}


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


def test_columns_are_mapped_by_name(project, campaign):
    mapping = {"Gutschein": "code", "Ort": "category", "Farbe": "metadata", "Egal": ""}

    action = run(
        project, "Gutschein,Ort,Farbe,Egal,Neu\nA,Here,red,x,y\n,,,,\n", campaign=campaign, mapping=mapping
    )

    made = Voucher.objects.get()
    assert (made.code, made.category.name, made.metadata) == ("A", "Here", {"Farbe": "red"})
    assert action.status == "DONE"


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"A": "metadata"}, "There is no column 'Code'"),
        ({"A": "code", "B": "code"}, "Only one column can be: Code"),
        ({"A": "code", "B": "price"}, "There is no field price"),
    ],
)
def test_a_mapping_that_says_too_little_fails_with_its_reason(project, campaign, mapping, says):
    action = run(project, "A,B\n1,2\n", campaign=campaign, mapping=mapping)

    assert (action.status, action.message) == ("FAILED", says)
    assert not Voucher.objects.exists()


def test_headers_are_guessed_in_any_spelling():
    assert guess(["CODE", "expiration_date", "Redemption-Limit ", "Color", "", "limit", "Holder"]) == {
        "CODE": "code",
        "expiration_date": "expiration_date",
        "Redemption-Limit ": "quantity",
        "Color": "metadata",
        "limit": "metadata",
        "Holder": "",
    }


@pytest.mark.parametrize("content", ["Code\n", "Code,Value\n\n\n,\n"])
def test_a_header_alone_imports_nothing(project, campaign, content):
    assert counts(run(project, content, campaign=campaign)) == ("DONE", 0, 0, 0)


def test_a_file_broken_at_its_end_imports_nothing(project, campaign):
    action = run(project, 'Code\nA\nB\n"C', campaign=campaign)

    assert (action.status, Voucher.objects.count(), staging_tables()) == ("FAILED", 0, [])
    assert "unexpected end of data" in action.message


def test_a_workbook_is_imported(project, campaign):
    book, file = Workbook(), io.BytesIO()
    book.active.append(["Code", "Start Date", "Redemption Limit", "Active", "Shelf"])
    book.active.append([12345, datetime.fromisoformat("2026-01-31T10:00"), 3, True, 7.5])
    book.active.append(["#N/A", None, None, None, None])
    book.save(file)
    mapping = guess(["Code", "Start Date", "Redemption Limit", "Active", "Shelf"])

    action = run(project, file.getvalue(), campaign=campaign, mapping=mapping)

    made = Voucher.objects.get()
    assert (made.code, made.quantity, made.metadata) == ("12345", 3, {"Shelf": "7.5"})
    assert made.start_date == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert reasons(action) == {3: "Code is #N/A, the error of a formula"}


def test_hostile_texts_come_in_as_they_are(project, campaign):
    texts = ["'; DROP TABLE vouchers_voucher; --", r"\N", r"a\tb\.", "=1+1", "{}", "%s", "a'b", '"q"']
    lines = [f'C{number},"{text.replace(chr(34), chr(34) * 2)}"' for number, text in enumerate(texts)]
    codes = [r"\.", r"\N", "=HYPERLINK(1)", "%(x)s", "{0}"]
    lines += [f"{code},x" for code in codes]

    action = run(project, "\n".join(["Code,Note of theirs", *lines]), campaign=campaign)

    assert action.failed_count == 0
    found = dict(Voucher.objects.values_list("code", "metadata"))
    assert [found[f"C{number}"]["Note of theirs"] for number in range(len(texts))] == texts
    assert set(codes) < set(found)


def test_the_report_is_a_file_whose_cells_are_no_formulas(project, campaign):
    action = run(project, "Code,Active\n=A1,x\nB,\n+2,-\n", campaign=campaign)

    lines = b"".join(report_csv(action)).decode().splitlines()
    assert lines[0] == "Row,Code,Reason"
    assert lines[1] == "2,'=A1,\"Active should be true or false, and is 'x'\""
    assert lines[2].startswith("4,'+2,")


def test_a_million_categories_are_not_made_by_a_wrong_column(project, campaign, monkeypatch):
    monkeypatch.setattr("vouchers.services.read_codes.NEW_CATEGORIES_MAX", 2)

    action = run(project, "Code,Category\nA,1\nB,2\nC,3\nD,2\n", campaign=campaign)

    assert reasons(action) == {4: "Category: an import may bring up to 2 new categories"}
    assert Category.objects.count() == 2


def test_more_failures_than_an_action_shows_are_all_in_the_report(project, campaign, monkeypatch):
    monkeypatch.setattr("promoengine.core.services.reports.FAILURES_KEPT", 5)
    monkeypatch.setattr(import_steps, "READ_BATCH", 3)

    action = run(project, "\n".join(["Code,Active", *[f"C{n},x" for n in range(20)]]), campaign=campaign)

    assert (len(action.failed), action.failed_count) == (5, 20)
    assert len(b"".join(report_csv(action)).splitlines()) == 21


def test_it_stops_where_somebody_asks_and_goes_on_from_there(project, campaign, monkeypatch):
    monkeypatch.setattr(import_steps, "READ_BATCH", 2)
    action = start(project, "\n".join(["Code", *"ABCDEF"]), campaign=campaign)
    pause(project, action, now=timezone.now())

    run_async_action(action.pk)
    action.refresh_from_db()
    assert (action.status, Voucher.objects.count()) == ("PAUSED", 0)
    resume(project, action, now=timezone.now())
    run_async_action(action.pk)
    action.refresh_from_db()

    assert counts(action) == ("DONE", 6, 0, 0)


def test_canceled_while_it_reads_it_leaves_nothing(project, campaign):
    action = start(project, "Code\nA\n", campaign=campaign)
    cancel(project, action, now=timezone.now())
    run_async_action(action.pk)
    action.refresh_from_db()

    assert (action.status, Voucher.objects.count(), staging_tables()) == ("CANCELED", 0, [])


class Killed(BaseException):
    """The worker dies, without a chance to tidy up."""


STEPS = ("_begin", "_read", "_part_doubles", "_insert_good", "_insert_all", "_check", "let_go", "_finish")


@pytest.mark.parametrize("mode", ["good", "all", "check"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_before_or_after_any_step_it_goes_on_without_loss_or_double(
    project, campaign, monkeypatch, mode, step, when
):
    monkeypatch.setattr(import_steps, "READ_BATCH", 2)
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 2)
    place = async_actions if step == "_finish" else import_steps.ImportSteps
    whole = getattr(place, step)

    def die(*args):
        if when == "after":
            whole(*args)
        raise Killed

    bad = "" if mode == "all" else "D,maybe\nB,\n"
    action = start(project, f"Code,Active\nA,\nB,\nC,no\n{bad}E,\n", campaign=campaign, mode=mode)
    with monkeypatch.context() as dying:
        dying.setattr(place, step, die)
        try:
            run_async_action(action.pk)
        except Killed:
            AsyncAction.objects.filter(pk=action.pk).update(finished_at=None)
    run_async_action(action.pk)
    action.refresh_from_db()

    assert counts(action) == ("DONE", 4, 0, 0 if mode == "all" else 2)
    assert Voucher.objects.count() == (0 if mode == "check" else 4)
    assert len(reasons(action)) == action.failed_count
    campaign.refresh_from_db()
    assert campaign.vouchers_count == Voucher.objects.count()
    assert OutboxEvent.objects.filter(type="vouchers.imported").count() == (mode != "check")
    assert staging_tables() == []


def test_what_the_database_lost_in_a_crash_is_read_again(project, campaign, monkeypatch):
    monkeypatch.setattr(import_steps, "INSERT_BATCH", 2)
    action = start(project, "Code,Active\nA,\nB,\nC,x\nD,\nE,\n", campaign=campaign)
    insert = import_steps.ImportSteps._insert

    def die_at_the_second(steps, **span):
        if steps.action.done_count:
            raise Killed
        return insert(steps, **span)

    with monkeypatch.context() as dying:
        dying.setattr(import_steps.ImportSteps, "_insert", die_at_the_second)
        with pytest.raises(Killed):
            run_async_action(action.pk)
    (table,) = staging_tables()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")
    run_async_action(action.pk)
    action.refresh_from_db()

    assert counts(action) == ("DONE", 4, 0, 1)
    campaign.refresh_from_db()
    assert (campaign.vouchers_count, Voucher.objects.count()) == (4, 4)


def test_terms_that_grew_narrower_keep_out_what_they_do_not_allow(project, campaign, monkeypatch):
    part = import_steps.ImportSteps._part_doubles

    def narrow(steps):
        type(campaign).objects.filter(pk=campaign.pk).update(quantity=1)
        part(steps)

    monkeypatch.setattr(import_steps.ImportSteps, "_part_doubles", narrow)
    action = run(project, "Code,Redeemed Quantity\nA,1\nB,2\n", campaign=campaign)

    assert counts(action) == ("DONE", 1, 0, 1)
    assert reasons(action) == {3: "The terms of its campaign have changed, and do not allow it"}


def test_a_campaign_deleted_meanwhile_gets_no_codes(project, campaign):
    action = start(project, "Code\nA\n", campaign=campaign)
    type(campaign).objects.filter(pk=campaign.pk).update(deleted_at=timezone.now())

    run_async_action(action.pk)
    action.refresh_from_db()

    assert (action.status, action.message) == ("FAILED", "The campaign was deleted")
    assert not Voucher.objects.exists()


def test_what_is_left_over_is_dropped_and_what_goes_on_is_not(project, campaign):
    going_on = start(project, "Code\nA\n", campaign=campaign)
    import_steps.Staging(going_on).make()
    ended = run(project, "Code\nB\n", campaign=campaign)
    import_steps.Staging(ended).make()

    drop_left_over()

    assert staging_tables() == [import_steps.Staging(going_on).table]
    import_steps.Staging(going_on).drop()


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
