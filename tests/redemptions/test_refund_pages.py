"""Refunds in the dashboard: chosen, calculated, made for what was calculated, and listed."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from promoengine.core.models import OutboxEvent
from redemptions.models import Order, Refund
from tests.factories import PromotionTierFactory, VoucherFactory
from tests.redemptions.storefront import redeem
from vouchers.models import Voucher


@pytest.fixture
def order(api, project):
    """Three hats and a mug for 50.00, less 10.00."""
    VoucherFactory(project=project, code="SUMMER")
    hat = {"source_id": "a", "quantity": 3, "price": 1000, "product": {"name": "Hat"}}
    mug = {"source_id": "b", "quantity": 1, "price": 2000}
    redeem(api, "SUMMER", order={"items": [hat, mug], "source_id": "o-7"})
    return Order.objects.get()


def page_of(order):
    return reverse("admin:redemptions_refund", args=[order.pk])


def calculate(marketer, order, **said):
    return marketer.post(page_of(order), {"do": "calculate", "mode": "KEEP", **said})


def confirm(marketer, order, page):
    """Press the button below the calculation."""
    return marketer.post(page_of(order), {**dict(page.context["repeated"]), "do": "refund"})


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def test_the_page_lists_what_was_sold_and_what_is_left(marketer, order):
    page = marketer.get(page_of(order))

    rows = [(row.name, row.quantity, row.price, row.left) for row in page.context["rows"]]
    assert rows == [("Hat", 3, "30.00 EUR", 3), ("b", 1, "20.00 EUR", 1)]


def test_a_calculation_says_what_each_unit_brings(marketer, order):
    page = calculate(marketer, order, **{"units-0": 2, "units-1": 1})

    table = page.context["table"]
    assert [(row.name, row.quantity, row.cost, row.discounts, row.paid) for row in table.rows] == [
        ("Hat", 2, "20.00 EUR", ("SUMMER: 4.00 EUR",), "16.00 EUR"),
        ("b", 1, "20.00 EUR", ("SUMMER: 4.00 EUR",), "16.00 EUR"),
    ]
    assert table.paid == "32.00 EUR"
    assert not Refund.objects.exists()


def test_what_was_calculated_is_refunded(marketer, order):
    page = calculate(marketer, order, **{"units-0": 2, "reason": "too small"})

    answer = confirm(marketer, order, page)

    made = Refund.objects.get()
    assert answer.status_code == 302
    assert (made.refund_amount, made.reason, made.units.get().quantity) == (1600, "too small", 2)
    assert OutboxEvent.objects.get(type="order.refunded").channel == "USER_PORTAL"
    assert messages_of(marketer.get(answer.url)) == ["Refunded: pay back 16.00 EUR."]


def test_a_button_pressed_twice_refunds_once(marketer, order):
    page = calculate(marketer, order, **{"units-0": 1})

    for _ in range(2):
        confirm(marketer, order, page)

    assert Refund.objects.count() == 1


def test_a_refund_in_between_shows_the_new_calculation(api, marketer, order):
    page = calculate(marketer, order, everything="on")
    api.post("/v1/orders/o-7/refunds", {"items": [{"order_item_index": 1, "quantity": 1}]})

    answer = confirm(marketer, order, page)

    assert answer.context["form"].non_field_errors() == [
        "In the meantime something changed: look at the new calculation."
    ]
    assert answer.context["table"].paid == "24.00 EUR"
    assert Refund.objects.count() == 1


def test_units_taken_in_between_are_said_to_be_gone(api, marketer, order):
    page = calculate(marketer, order, **{"units-1": 1})
    api.post("/v1/orders/o-7/refunds", {"items": [{"order_item_index": 1, "quantity": 1}]})

    confirm(marketer, order, page)

    assert Refund.objects.count() == 1


def test_gift_credits_that_went_back_are_said(api, marketer, project):
    card = VoucherFactory(
        project=project,
        code="CARD",
        type=Voucher.Type.GIFT_VOUCHER,
        discount=None,
        gift_amount=500,
        gift_balance=500,
    )
    redeem(api, card.code, order={"amount": 2000})
    order = Order.objects.get()

    page = calculate(marketer, order, everything="on")
    answer = confirm(marketer, order, page)

    assert page.context["table"].cards == ("CARD: 5.00 EUR",)
    assert page.context["table"].rows[0].name == "What is on no line, such as shipping"
    assert messages_of(marketer.get(answer.url)) == [
        "Refunded: pay back 15.00 EUR. 5.00 EUR went back to gift cards."
    ]


def test_what_is_held_back_is_said(api, marketer, project):
    tier = PromotionTierFactory(project=project, name="Big cart")
    body = {"name": "r", "rules": {"1": {"name": "order.amount", "conditions": {"$more_than": [2000]}}}}
    rule = api.post("/v1/validation-rules", body).json()["id"]
    api.post(f"/v1/validation-rules/{rule}/assignments", {"promotion_tier": tier.public_id})
    redeem(api, tier.public_id, order={"items": [{"source_id": "a", "quantity": 3, "price": 1000}]})

    page = calculate(marketer, Order.objects.get(), **{"units-0": 1, "mode": "REEVALUATE"})

    table = page.context["table"]
    assert (table.rows[0].discounts, table.held_back, table.paid) == (
        ("Big cart: 1.67 EUR",),
        "3.33 EUR",
        "5.00 EUR",
    )


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({}, "__all__"),
        ({"units-0": 4}, "units-0"),
        ({"units-0": -1}, "units-0"),
        ({"units-0": "x"}, "units-0"),
        ({"units-0": 1, "mode": "GUESS"}, "mode"),
    ],
)
def test_a_mistake_is_shown_on_its_field(marketer, order, said, where):
    page = calculate(marketer, order, **said)

    assert list(page.context["form"].errors) == [where]
    assert "table" not in page.context


def test_the_orders_page_lists_its_refunds(marketer, order):
    change = marketer.get(reverse("admin:redemptions_order_change", args=[order.pk])).content.decode()
    panel = re.search(r'hx-get="([^"]+/refunds/)"', change)[1]
    empty = marketer.get(panel).content.decode()
    confirm(marketer, order, calculate(marketer, order, **{"units-0": 1}))

    listed = marketer.get(panel)

    assert "Nothing of this order has been refunded." in empty
    assert [table.paid for table in listed.context["tables"]] == ["8.00 EUR"]


def test_the_orders_page_says_what_was_paid_back_so_far(api, marketer, order):
    panel = reverse("admin:redemptions_refunds_of_order", args=[order.pk])
    for quantity in (1, 2):
        confirm(marketer, order, calculate(marketer, order, **{"units-0": quantity}))
    some = marketer.get(panel).content.decode()
    api.post("/v1/orders/o-7/refunds", {})
    everything = marketer.get(panel).content.decode()

    assert "Paid back so far: 24.00 EUR of 40.00 EUR." in some
    assert "All of this order" not in some
    assert "Paid back so far: 40.00 EUR of 40.00 EUR. All of this order has been refunded." in everything


def test_the_button_leads_to_the_page(marketer, order):
    change = marketer.get(reverse("admin:redemptions_order_change", args=[order.pk])).content.decode()

    button = re.search(r'href="([^"]+/refund[^"]*)"', change)[1]

    assert marketer.get(button).url == page_of(order)


def test_an_order_all_refunded_says_so(api, marketer, order):
    api.post("/v1/orders/o-7/refunds", {})

    assert "All of this order has been refunded." in marketer.get(page_of(order)).content.decode()


def test_an_order_not_paid_says_so(api, marketer, project):
    VoucherFactory(project=project, code="SUMMER")
    redeem(api, "SUMMER", order={"amount": 2000, "status": "CREATED"})

    page = marketer.get(page_of(Order.objects.get())).content.decode()

    assert "This order is Created: only what was paid can be refunded." in page


def test_another_projects_order_is_unknown(marketer, other_api):
    VoucherFactory(project=other_api.project, code="SUMMER")
    redeem(other_api, "SUMMER", order={"amount": 2000})
    order = Order.objects.get()

    assert marketer.get(page_of(order)).status_code == 404
    assert marketer.get(reverse("admin:redemptions_refunds_of_order", args=[order.pk])).status_code == 404


def test_who_may_only_look_sees_refunds_and_makes_none(client, order):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(clerk)

    assert client.get(reverse("admin:redemptions_refunds_of_order", args=[order.pk])).status_code == 200
    assert client.get(page_of(order)).status_code == 403
    assert calculate(client, order, **{"units-0": 1}).status_code == 403


def test_the_number_of_queries_does_not_depend_on_the_refunds(
    api, marketer, order, django_assert_max_num_queries
):
    for _ in range(3):
        api.post("/v1/orders/o-7/refunds", {"items": [{"order_item_index": 0, "quantity": 1}]})

    with django_assert_max_num_queries(14):
        marketer.get(reverse("admin:redemptions_refunds_of_order", args=[order.pk]))
