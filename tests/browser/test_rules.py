"""A marketer alone in the browser: a rule in words, the promotion it guards, and a cart that shows it."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.xdist_group("product")


def add_product(page: Page, name: str, price: str) -> None:
    page.goto("/admin/campaigns/product/add/")
    page.fill("#id_name", name)
    page.fill("#id_source_id", f"sku-{uuid.uuid4().hex[:6]}")
    page.fill("#id_price_tag", price)
    page.click("[name=_save]")


def add_promotion(page: Page, name: str) -> None:
    page.goto("/admin/campaigns/promotiontier/add/")
    page.fill("#id_name", name)
    page.fill("#id_new_campaign", f"Campaign of {name}")
    page.fill("#id_value", "20")
    page.click("[name=_continue]")


def choose(page: Page, row: int, subject: str) -> None:
    """Choose what a condition is about, once its row has come and is listened to."""
    field = page.locator(f"#id_conditions-{row}-subject")
    field.wait_for()
    expect(page.locator(".htmx-added, .htmx-request")).to_have_count(0)
    field.select_option(subject)
    page.locator(f"#id_conditions-{row}-operator").wait_for()


def add_rule(page: Page, name: str, product: str) -> None:
    page.goto("/admin/campaigns/validationrule/add/")
    page.fill("#id_name", name)
    choose(page, 0, "order.amount")
    page.fill("#id_conditions-0-value", "100")
    page.get_by_role("button", name="Add a condition").click()
    choose(page, 1, "order.items.any")
    page.locator("#id_conditions-1-goods").press_sequentially(product)
    page.locator("#condition-1").get_by_label(product).check()
    page.fill("#id_conditions-1-units", "2")
    page.get_by_label("Told to customers who may not use the offer").fill("Two pairs, 100 EUR at least")
    preview = page.locator("#rule-preview")
    expect(preview).to_contain_text("Order amount is at least 100.00 EUR")
    expect(preview).to_contain_text(f"Any item is {product}, and of these:")
    page.click("[name=_save]")


def test_a_rule_is_built_assigned_and_seen_at_work(page):
    mark = uuid.uuid4().hex[:6]
    shoe, promotion, rule = f"Shoe {mark}", f"Shoe week {mark}", f"Two pairs {mark}"
    add_product(page, shoe, "60")
    add_rule(page, rule, shoe)
    add_promotion(page, promotion)

    page.locator("#guards").get_by_label("Rule").select_option(label=rule)
    page.get_by_role("button", name="Add this rule").click()
    expect(page.locator("#guards")).to_contain_text("Order amount is at least 100.00 EUR")
    page.get_by_role("link", name="Try it out").last.click()
    page.locator("#id_lines-0-what").press_sequentially(shoe)
    expect(page.locator("#goods option", has_text="60.00 EUR")).to_have_attribute("value", re.compile(shoe))
    page.get_by_role("button", name="Try it out").click()

    answer = page.locator("#answer")
    expect(answer).to_contain_text("Two pairs, 100 EUR at least")
    expect(answer).to_contain_text("40.00 EUR more")
    page.locator("#id_lines-0-quantity").fill("2")
    page.get_by_role("button", name="Try it out").click()
    expect(answer).to_contain_text("24.00 EUR off, 96.00 EUR to pay")


def test_a_condition_that_is_removed_leaves_the_rule(page):
    page.goto("/admin/campaigns/validationrule/add/")
    choose(page, 0, "order.amount")
    page.fill("#id_conditions-0-value", "100")
    page.get_by_role("button", name="Add a condition").click()
    choose(page, 1, "customer.metadata")
    page.fill("#id_conditions-1-property_name", "level")
    page.fill("#id_conditions-1-value", "gold")
    page.get_by_role("button", name="Add a condition").focus()
    preview = page.locator("#rule-preview")
    expect(preview).to_contain_text("Customer's level is one of gold")

    page.locator("#condition-0").get_by_role("button", name="Remove this condition").click()

    expect(preview).to_have_text("Customer's level is one of gold")
