"""A marketer prepares a giveaway: codes are locked until a day and an hour, and released with one click."""

import uuid

import pytest
import requests
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("product")


def publish(product, campaign):
    return requests.post(
        f"{product.base_url}/v1/publications",
        json={"campaign": {"name": campaign}, "customer": {"source_id": f"fan-{uuid.uuid4().hex}"}},
        headers={"X-App-Id": product.app_id, "X-App-Token": product.app_token},
        timeout=10,
    ).json()


def test_a_giveaway_is_locked_from_the_first_and_released_by_hand(page, product):
    name = f"Giveaway {uuid.uuid4().hex[:6]}"
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("#id_name", name)
    page.fill("#id_value", "20")
    page.fill("#id_codes", "30")
    page.fill("#id_batch_name", "Christmas")
    page.fill("#id_locked_until_0", "2998-12-24")
    page.fill("#id_locked_until_1", "10:00")
    page.keyboard.press("Escape")
    page.click("[name=_continue]")
    batches = page.locator("#batches")
    expect(batches).to_contain_text("Codes are released on 24 Dec 2998, 10:00.")
    expect(page.locator("#campaign-summary")).to_contain_text("Codes are released on 24 Dec 2998, 10:00")
    before = publish(product, name)

    batches.get_by_role("button", name="Release now").click()
    expect(batches.get_by_role("status")).to_contain_text("Its codes are released.")
    after = publish(product, name)
    batches.get_by_label("Tell when so few codes are left").fill("100")
    batches.get_by_role("button", name="Save the alert").click()
    expect(batches.get_by_role("alert")).to_contain_text("29 codes are left to give out")
    batches.get_by_text("Lock until…").click()
    page.goto("/admin/")

    assert before["key"] == "no_voucher_suitable_for_publication"
    assert after["result"] == "SUCCESS"
    expect(page.get_by_text(f"{name} has 29 codes left to give out")).to_be_visible()
