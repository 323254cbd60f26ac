"""A marketer in the browser makes a segment, sees how many it finds, and changes it."""

import uuid

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("product")


def test_a_segment_is_made_counted_and_changed(page):
    name = f"Segment {uuid.uuid4().hex[:6]}"
    page.goto("/admin/customers/segment/add/")
    page.fill("#id_name", name)
    page.select_option("#id_type", "auto-update")
    preview = page.locator("#segment-preview")
    expect(preview).to_contain_text("Fill in at least one condition")
    page.select_option("#id_field_0", "name")
    page.select_option("#id_operator_0", "$in")
    page.fill("#id_value_0", "Nobody of that name")
    page.press("#id_value_0", "Tab")
    expect(preview).to_contain_text("Name is one of Nobody of that name")
    expect(preview).to_contain_text("Nobody now.")
    page.click("[name=_continue]")

    page.select_option("#id_operator_0", "$has_value")
    expect(preview).to_contain_text("customer")
    page.click("[name=_continue]")

    expect(page.locator("#id_operator_0")).to_have_value("$has_value")
    expect(page.locator(".progress-panel")).to_contain_text("Filling the segment")
    expect(page.locator(".progress-panel")).to_contain_text("all customers have been asked")
