"""A marketer alone in the browser: from a campaign to a code that stops working."""

import re
import time
import uuid

import pytest
import requests
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.xdist_group("product")


def create_campaign(page: Page, name: str, **fields: str) -> None:
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("#id_name", name)
    page.select_option("#id_offer", fields.get("offer", "PERCENT"))
    page.fill("#id_value", fields.get("value", "20"))
    if "quantity" in fields:
        page.fill("#id_quantity", fields["quantity"])
    if "codes" in fields:
        page.fill("#id_codes", fields["codes"])
    if "pattern" in fields:
        page.fill("#id_pattern", fields["pattern"])
    page.click("[name=_continue]")


def search(page: Page, fragment: str) -> None:
    page.goto("/admin/vouchers/voucher/")
    page.fill("#searchbar", fragment)
    page.press("#searchbar", "Enter")


def open_filters(page: Page) -> None:
    page.locator("#changelist a", has_text=re.compile(r"^\s*Filters\b")).click()


def validate(product, code):
    return requests.post(
        f"{product.base_url}/v1/validations",
        json={"redeemables": [{"object": "voucher", "id": code}], "order": {"amount": 10000}},
        headers={"X-App-Id": product.app_id, "X-App-Token": product.app_token},
        timeout=10,
    ).json()


def wait_for_codes(page: Page, count: int) -> None:
    deadline = time.monotonic() + 30
    summary = page.locator("#campaign-summary")
    while f"{count} codes" not in summary.inner_text():
        assert time.monotonic() < deadline, summary.inner_text()
        time.sleep(0.3)
        page.reload()


def test_a_campaign_with_a_thousand_codes_one_of_which_is_disabled(page, product):
    name, mark = f"Spring {uuid.uuid4().hex[:6]}", uuid.uuid4().hex[:4].upper()
    create_campaign(page, name, value="20", quantity="1", codes="1000", pattern=f"{mark}-######")
    wait_for_codes(page, 1000)

    page.get_by_role("link", name="Show the codes").click()
    code = page.locator("#result_list tbody tr a").first.inner_text().strip()
    assert validate(product, code)["order"]["total_amount"] == 8000
    search(page, f" {code[3:9].lower()} ")
    row = page.locator("#result_list tbody tr", has_text=code)
    row.locator("input.action-select").check()
    page.select_option("select[name=action]", "disable")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_text("1 code disabled.")).to_be_visible()
    refused = validate(product, code)["redeemables"][0]["result"]["error"]
    assert refused["key"] == "voucher_disabled"


def test_a_code_is_found_by_what_is_typed_from_paper_and_by_filters(page):
    name, mark = f"Find {uuid.uuid4().hex[:6]}", uuid.uuid4().hex[:4].upper()
    create_campaign(page, name, codes="60", pattern=f"{mark}-####-##")
    wait_for_codes(page, 60)
    page.get_by_role("link", name="Show the codes").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(50)

    page.get_by_role("link", name="Next").click()
    expect(rows).to_have_count(10)
    code = rows.locator("a").first.inner_text().strip()
    page.get_by_role("link", name="Previous").click()
    expect(rows).to_have_count(50)
    search(page, code.replace("-", " ").lower())
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text(code)

    open_filters(page)
    page.locator(".codes-filter .select2-selection").click()
    page.locator(".select2-search__field").fill(name[:8])
    page.get_by_role("option", name=name).click()
    page.get_by_label("State").select_option("DISABLED")
    page.get_by_role("button", name="Apply Filters").click()

    expect(page.get_by_text("Nothing matches")).to_be_visible()
    open_filters(page)
    expect(page.locator(".codes-filter .select2-selection")).to_contain_text(name)
    page.get_by_label("State").select_option("ACTIVE")
    page.get_by_role("button", name="Apply Filters").click()
    expect(rows).to_have_count(1)


def test_more_codes_are_made_for_a_campaign(page):
    name, mark = f"More {uuid.uuid4().hex[:6]}", uuid.uuid4().hex[:4].upper()
    create_campaign(page, name, codes="3", pattern=f"{mark}-####")
    wait_for_codes(page, 3)

    page.fill("#id_codes", "5")
    page.click("[name=_continue]")

    wait_for_codes(page, 8)


def test_the_form_shows_what_codes_will_be_like(page):
    page.goto("/admin/campaigns/campaign/add/")
    preview = page.locator(".preview-codes")
    expect(preview.get_by_text("different codes are possible")).to_be_visible()

    page.fill("#id_pattern", "SUN-####")
    page.fill("#id_codes", "1000")

    expect(preview.get_by_text("SUN-").first).to_be_visible()
    expect(preview.get_by_text("Easy to find by trying")).to_be_visible()


def test_a_bar_moves_while_codes_are_made(page):
    name, mark = f"Many {uuid.uuid4().hex[:6]}", uuid.uuid4().hex[:4].upper()
    create_campaign(page, name, codes="100000", pattern=f"{mark}-##########")
    bar = page.locator(".progress-panel progress")
    expect(bar).to_be_visible()

    seen = set()
    while (value := int(bar.get_attribute("value") or 0)) < 100:
        seen.add(value)
        page.wait_for_timeout(200)

    expect(page.get_by_text("100,000 of 100,000")).to_be_visible()
    assert len(seen) > 1


def test_a_run_is_paused_and_goes_on(page):
    name, mark = f"Pause {uuid.uuid4().hex[:6]}", uuid.uuid4().hex[:4].upper()
    create_campaign(page, name, codes="60000", pattern=f"{mark}-##########")

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Making codes: paused")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_text("60,000 of 60,000")).to_be_visible(timeout=60_000)


def test_a_codes_page_shows_its_redemptions(page, product):
    name, mark = f"Page {uuid.uuid4().hex[:6]}", uuid.uuid4().hex[:6].upper()
    create_campaign(page, name, codes="1", pattern=f"{mark}-####")
    search(page, mark)
    code = page.locator("#result_list tbody tr a").first.inner_text().strip()
    requests.post(
        f"{product.base_url}/v1/redemptions",
        json={"redeemables": [{"object": "voucher", "id": code}], "order": {"amount": 10000}},
        headers={"X-App-Id": product.app_id, "X-App-Token": product.app_token},
        timeout=10,
    )

    page.locator("#result_list tbody tr a").first.click()

    expect(page.locator("#redemptions tbody tr")).to_have_count(1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": "120"}, "A percentage may be at most 100."),
        ({"value": "-5"}, "greater than or equal to 0"),
        ({"codes": "2000", "pattern": "AB-##"}, "too few free ones for 2000"),
        ({"pattern": "NOPLACE"}, "needs at least one #"),
        ({"pattern": "\N{PARTY POPPER}-####"}, "may not contain the character"),
    ],
)
def test_a_mistake_is_shown_on_its_field(page, fields, message):
    name = f"Wrong {uuid.uuid4().hex[:6]}"

    create_campaign(page, name, **fields)

    expect(page.get_by_text(message).first).to_be_visible()
    page.goto(f"/admin/campaigns/campaign/?q={name.replace(' ', '+')}")
    expect(page.get_by_text(f"Nothing is found for “{name}”")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/campaigns/campaign/",
        "/admin/vouchers/voucher/",
        "/admin/vouchers/voucher/import/",
        "/admin/vouchers/voucher/export/",
        "/admin/vouchers/publication/",
        "/admin/redemptions/redemption/",
        "/admin/redemptions/redemption/try/",
        "/admin/redemptions/order/",
        "/admin/customers/customer/",
        "/admin/customers/customer/add/",
        "/admin/campaigns/product/",
        "/admin/campaigns/product/add/",
        "/admin/campaigns/sku/",
        "/admin/campaigns/sku/add/",
        "/admin/campaigns/productcollection/",
        "/admin/campaigns/productcollection/add/",
        "/admin/campaigns/validationrule/",
        "/admin/campaigns/validationrule/add/",
        "/admin/notifications/message/",
        "/admin/core/project/",
        "/admin/core/apikey/",
        "/admin/core/apikey/add/",
        "/admin/core/asyncaction/",
        "/admin/campaigns/category/",
        "/admin/auth/user/",
        "/api/docs/",
    ],
)
def test_each_page_opens(page, path):
    answer = page.goto(path)

    assert answer.status == 200
