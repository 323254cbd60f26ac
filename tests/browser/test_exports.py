"""A marketer takes what a list shows home as a file."""

import csv
import uuid

import pytest
import requests
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("product")


def test_a_filtered_list_is_downloaded(page, product, tmp_path):
    batch = uuid.uuid4().hex[:6].upper()
    for number in range(3):
        answer = requests.post(
            f"{product.base_url}/v1/vouchers/{batch}-{number}",
            json={"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}},
            headers={"X-App-Id": product.app_id, "X-App-Token": product.app_token},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text

    page.goto(f"/admin/vouchers/voucher/?q={batch}")
    page.get_by_role("link", name="Export what the list shows…").click()
    expect(page.get_by_role("heading", name="Codes: 3 rows")).to_be_visible()
    page.get_by_label("Discount Type").uncheck()
    page.get_by_label("Voucher Type").uncheck()
    page.get_by_role("button", name="Make the file").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    file = tmp_path / "codes.csv"
    waiting.value.save_as(file)

    with file.open(newline="") as lines:
        head, *rows = csv.reader(lines)
    assert head == ["Code", "Value"]
    assert sorted(rows) == [[f"{batch}-{number}", "10"] for number in range(3)]

    page.goto("/admin/redemptions/export/")
    expect(page.locator("#result_list")).to_contain_text("Codes, CSV")
