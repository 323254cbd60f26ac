"""Tables of codes: columns and what they mean, bad cells, hostile texts, and the report."""

import io
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook

from campaigns.models import Category
from promoengine.core.services.reports import report_csv
from tests.factories import CampaignFactory, ProjectFactory
from tests.vouchers.importing import counts, reasons, run, staging_tables
from vouchers.import_plans import guess
from vouchers.models import Voucher
from vouchers.services import import_steps

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
        ("BAD,,,,,,,,5,cat_00000000000000000000000000000000,,", "Category: there is no category cat_0"),
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


def test_a_code_that_grows_too_long_by_comparing_it_is_a_bad_row(db):
    project = ProjectFactory(case_sensitive_codes=False)

    action = run(project, f"Code,Value\n{'ß' * 200},5\n")

    assert reasons(action) == {2: "A code may have up to 255 characters"}


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
