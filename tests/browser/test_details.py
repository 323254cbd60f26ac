"""A marketer in the browser gives a product details without JSON."""

import uuid

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("product")


def test_details_are_added_and_taken_away(page):
    page.goto("/admin/campaigns/product/add/")
    page.fill("#id_name", "Shoe")
    page.fill("#id_source_id", f"shoe-{uuid.uuid4().hex[:6]}")
    page.get_by_role("button", name="Add a detail").click()
    rows = page.locator(".detail-row")
    expect(rows).to_have_count(3)
    for place, (name, value) in enumerate([("brand", "Acme"), ("size", "42"), ("season", "spring")]):
        rows.nth(place).locator("input").nth(0).fill(name)
        rows.nth(place).locator("input").nth(1).fill(value)
    page.click("[name=_continue]")

    expect(rows.nth(2).locator("input").nth(1)).to_have_value("spring")
    rows.nth(1).get_by_role("button", name="Remove").click()
    page.click("[name=_continue]")

    expect(rows.nth(1).locator("input").nth(0)).to_have_value("season")
