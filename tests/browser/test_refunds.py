"""A marketer refunds a unit of an order in the browser, once it has been calculated."""

import uuid

import pytest
import requests
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("product")


def post(product, path, body):
    answer = requests.post(
        f"{product.base_url}/v1/{path}",
        json=body,
        headers={"X-App-Id": product.app_id, "X-App-Token": product.app_token},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def order(product):
    """Three hats and a mug, less 10 %, partly paid with a gift card; return the shop's own id."""
    code, card, source_id = (f"{word}-{uuid.uuid4().hex[:6]}".upper() for word in ("sale", "card", "order"))
    post(
        product,
        f"vouchers/{code}",
        {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}},
    )
    post(product, f"vouchers/{card}", {"type": "GIFT_VOUCHER", "gift": {"amount": 1000}})
    hat = {"source_id": f"hat-{source_id}", "quantity": 3, "price": 1999, "product": {"name": "Straw hat"}}
    mug = {"source_id": f"mug-{source_id}", "quantity": 1, "price": 1250, "product": {"name": "Mug"}}
    redeemables = [{"object": "voucher", "id": code}, {"object": "voucher", "id": card}]
    post(
        product,
        "redemptions",
        {"redeemables": redeemables, "order": {"source_id": source_id, "items": [hat, mug]}},
    )
    return source_id


def test_a_unit_is_refunded_for_what_was_calculated(page, order):
    page.goto(f"/admin/redemptions/order/?q={order}")
    page.get_by_role("link", name=order).or_(page.locator("#result_list tbody th a")).first.click()
    expect(page.locator("#refunds")).to_contain_text("Nothing of this order has been refunded.")

    page.get_by_role("link", name="Refund", exact=True).click()
    page.get_by_label("How many of Straw hat come back").fill("1")
    page.get_by_label("Reason").fill("Too small")
    page.get_by_role("button", name="Calculate").click()

    button = page.get_by_role("button", name="Refund ")
    paid = button.inner_text().removeprefix("Refund ")
    button.click()

    expect(page.get_by_text(f"Refunded: pay back {paid}.")).to_be_visible()
    expect(page.locator("#refunds")).to_contain_text(f"To pay back: {paid}")
    expect(page.locator("#refunds")).to_contain_text("Too small")
