"""A marketer imports codes in the browser: maps the columns, sees what is wrong, checks, and imports."""

import uuid

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.xdist_group("product")


def test_a_file_is_mapped_checked_reported_and_imported(page: Page):
    name, mark = f"Import {uuid.uuid4().hex[:6]}", uuid.uuid4().hex[:6].upper()
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("#id_name", name)
    page.select_option("#id_offer", "PERCENT")
    page.fill("#id_value", "20")
    page.click("[name=_continue]")
    page.get_by_role("link", name="Import codes").click()
    expect(page.locator("#id_campaign option:checked")).to_have_text(name)

    rows = ["Gutschein;Active;Shelf", f"{mark}-1;yes;A", f"{mark}-2;maybe;B", f"{mark}-3;;", f"{mark}-1;;"]
    page.set_input_files(
        "#id_file", {"name": "c.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    )
    page.get_by_role("button", name="Go on to the columns").click()
    problems = page.get_by_role("region", name="First rows")
    expect(problems).to_contain_text("There is no column 'Code'")
    batch = page.get_by_role("region", name="Their batch")
    expect(batch).to_contain_text("Empty is “c.csv”.")
    batch.get_by_label("Name of this batch").fill("Leaflets")
    page.get_by_label("Gutschein").select_option("code")
    expect(problems).to_contain_text("3 of the first 4 rows are good.")
    expect(problems).to_contain_text("Active should be true or false, and is 'maybe'")
    page.get_by_role("button", name="Start").click()

    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("2 codes would be imported, 2 failed", timeout=30_000)
    with page.expect_download() as download:
        progress.get_by_role("link", name="Download the report").click()
    report = download.value.path().read_text()
    assert f"5,{mark}-1,Code stands in row 2 already" in report
    progress.get_by_role("link", name="Go on with this file").click()
    expect(page.get_by_label("Gutschein")).to_have_value("code")
    expect(batch.get_by_label("Name of this batch")).to_have_value("Leaflets")
    expect(page.get_by_label("Import the good rows, and report the bad ones")).to_be_checked()
    page.get_by_role("button", name="Start").click()

    expect(progress).to_contain_text("2 codes imported, 2 failed", timeout=30_000)
    page.goto("/admin/campaigns/campaign/")
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("row", name="Leaflets")).to_be_visible()
    page.goto("/admin/vouchers/voucher/")
    page.fill("#searchbar", mark)
    page.press("#searchbar", "Enter")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
