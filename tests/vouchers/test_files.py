"""Codes out of files, in the dashboard."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.factories import CampaignFactory, ProjectFactory, VoucherFactory
from vouchers.models import Voucher

HEADER = (
    "Code,Voucher Type,Discount Type,Value,Redemption Limit,Start Date,Expiration Date,Active,Campaign,Shelf"
)


@pytest.fixture
def marketer(client, project):
    client.force_login(User.objects.create_superuser("marketer"))
    return client


def upload(client, *rows):
    """Upload a CSV file and return the page that shows what would happen."""
    file = SimpleUploadedFile("codes.csv", "\n".join([HEADER, *rows]).encode())
    return client.post(
        "/admin/vouchers/voucher/import/", {"import_file": file, "format": "0", "resource": ""}
    )


def confirm(client, page):
    """Go on from the preview, as the button there does."""
    html = page.content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    return client.post("/admin/vouchers/voucher/process_import/", hidden)


def test_good_rows_are_shown_first_and_then_come_in(marketer, project):
    CampaignFactory(project=project, name="Spring")

    preview = upload(
        marketer, "OWN,,PERCENT,12.5,3,2026-01-01,2999-01-01,true,,A7", "OF-CAMPAIGN,,,,,,,,Spring,"
    )
    before = Voucher.objects.count()
    confirm(marketer, preview)

    own = Voucher.objects.get(code="OWN")
    assert before == 0
    assert (own.discount, own.quantity, own.metadata) == (
        {"type": "PERCENT", "percent_off": 12.5},
        3,
        {"Shelf": "A7"},
    )
    assert Voucher.objects.get(code="OF-CAMPAIGN").campaign.name == "Spring"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("GOOD,,AMOUNT,5,,,,,,", "stands in row 1 already"),
        ("THERE,,AMOUNT,5,,,,,,", "Duplicated voucher exists with code THERE"),
        ("BAD,,AMOUNT,-5,,,,,,", "Value should be 0 or more"),
        ("BAD,,PERCENT,120,,,,,,", "should be at most 100"),
        ("BAD,,AMOUNT,5,,2026-02-01,2026-01-01,,,", "Expiration date must be after start date"),
        ("BAD,,AMOUNT,5,,yesterday,,,,", "Start Date should be a date"),
        ("BAD,,AMOUNT,5,0,,,,,", "should be a whole number of at least 1"),
        ("BAD,,AMOUNT,5,,,,maybe,,", "Active should be true or false"),
        ("BAD,,,,,,,,Nowhere,", "Campaign Nowhere does not exist"),
        ("\N{PARTY POPPER},,AMOUNT,5,,,,,,", "may not contain the character"),
        (",,AMOUNT,5,,,,,,", "A code may not be empty"),
    ],
)
def test_a_bad_row_is_named_and_nothing_comes_in(marketer, project, row, reason):
    VoucherFactory(project=project, code="THERE")

    page = upload(marketer, "GOOD,,AMOUNT,5,,,,,,", row)

    assert reason in page.content.decode()
    assert Voucher.objects.count() == 1


def test_the_dashboard_shows_its_project_alone(marketer, project):
    VoucherFactory(project=project, code="MINE")
    VoucherFactory(project=ProjectFactory(), code="FOREIGN")

    page = marketer.get("/admin/vouchers/voucher/").content.decode()

    assert ("MINE" in page, "FOREIGN" in page) == (True, False)


def test_another_project_is_worked_in_once_it_is_chosen(marketer, project):
    other = ProjectFactory()
    VoucherFactory(project=other, code="FOREIGN")

    marketer.get(reverse("admin:core_project_work_here", args=[other.pk]))

    assert "FOREIGN" in marketer.get("/admin/vouchers/voucher/").content.decode()


def test_someone_without_permission_sees_no_codes(client, project):
    client.force_login(User.objects.create_user("visitor", is_staff=True))

    assert client.get("/admin/vouchers/voucher/").status_code == 403
    assert client.get("/admin/").status_code == 200
