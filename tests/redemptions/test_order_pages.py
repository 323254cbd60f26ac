"""Orders in the dashboard: found, read, and taken from one status to the next."""

import pytest
from django.contrib.auth.models import Permission, User

from promoengine.core.models import OutboxEvent
from redemptions.models import Order
from tests.factories import CustomerFactory, ProductFactory, ProjectFactory
from tests.redemptions.storefront import code_with, lines, redeem

LIST = "/admin/redemptions/order/"


def order_of(api, **body):
    answer = api.post("/v1/orders", body)
    assert answer.status_code == 200, answer.content
    return Order.objects.latest("id")


def page_of(client, order):
    return client.get(f"{LIST}{order.pk}/change/").content.decode()


def press(client, order, status):
    return client.post(f"{LIST}{order.pk}/status/", {"status": status}, follow=True)


def test_orders_are_found_by_number_id_and_customer(marketer, api):
    ann = {"source_id": "ann-1", "name": "Ann Smith", "email": "ann@example.com"}
    first = order_of(api, source_id="N-1", amount=1, customer=ann)
    order_of(api, source_id="N-2", amount=2)

    for term in ("N-1", f" {first.public_id}", "ann-1", "smith", "ann@example", first.customer.public_id):
        page = marketer.get(LIST, {"q": term}).content.decode()
        assert ("N-1" in page, "N-2" in page) == (True, False), term
    assert "N-1" not in marketer.get(LIST, {"q": "nothing"}).content.decode()


def test_orders_are_filtered_by_status(marketer, api):
    order_of(api, source_id="N-1", amount=1, status="PAID")
    order_of(api, source_id="N-2", amount=2)

    page = marketer.get(LIST, {"status__exact": "PAID"}).content.decode()

    assert ("N-1" in page, "N-2" in page) == (True, False)


def test_an_order_shows_items_discounts_and_redemptions(marketer, api, project):
    ProductFactory(project=project, source_id="b", name="Blue mug")
    discount = {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ITEMS"}
    code = code_with(api, discount=discount, code="TEN-OFF")
    items = [lines(5000)[0] | {"product": {"name": "Red mug"}}, lines(0, 3000)[1]]
    redeem(
        api,
        code,
        order={"source_id": "N-1", "items": items, "metadata": {"gift": True, "shops": ["a", "b"]}},
        customer={"source_id": "ann", "name": "Ann <b>"},
    )

    page = page_of(marketer, Order.objects.get())

    for text in ("Red mug", "Blue mug", "80.00 EUR", "8.00 EUR", "72.00 EUR", "TEN-OFF", "Succeeded"):
        assert text in page
    assert "gift: yes" in page
    assert "shops: a, b" in page
    assert "Ann &lt;b&gt;" in page


def test_an_order_of_an_amount_alone_says_so(marketer, api):
    page = page_of(marketer, order_of(api, amount=500))

    assert "an amount alone" in page
    assert "No code or promotion was used on it" in page


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("CREATED", ["PAID", "CANCELED"]),
        ("PAID", ["FULFILLED", "CANCELED"]),
        ("PROCESSING", ["FULFILLED", "CANCELED"]),
        ("FULFILLED", ["CANCELED"]),
        ("CANCELED", ["CREATED"]),
    ],
)
def test_buttons_lead_to_the_next_status(marketer, api, status, offered):
    order = order_of(api, amount=500, status=status)

    page = page_of(marketer, order)

    assert [one for one in Order.Status.values if f'name="status" value="{one}"' in page] == sorted(
        offered, key=Order.Status.values.index
    )
    answer = press(marketer, order, offered[0])
    order.refresh_from_db()
    assert order.status == offered[0]
    assert f"The order is now: {order.get_status_display()}." in answer.content.decode()
    assert OutboxEvent.objects.filter(channel="USER_PORTAL", type="customer.order.updated").count() == 1


@pytest.mark.parametrize("permissions", [[], ["view_order"]])
def test_who_may_only_look_changes_nothing(client, api, permissions):
    order = order_of(api, amount=500)
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)

    page = client.get(f"{LIST}{order.pk}/change/")

    assert page.status_code == (200 if permissions else 403)
    assert b'name="status"' not in page.content
    assert b"What was redeemed on it" not in page.content
    assert press(client, order, "PAID").status_code == 403
    order.refresh_from_db()
    assert order.status == "CREATED"


@pytest.mark.parametrize("status", ["", "LOST"])
def test_an_unknown_status_is_refused(marketer, api, status):
    assert press(marketer, order_of(api, amount=1), status).status_code == 403


def test_another_projects_order_is_not_there(marketer, api, project):
    other = Order.objects.create(project=ProjectFactory(), amount=1, customer=CustomerFactory())

    assert press(marketer, other, "PAID").status_code == 404
    assert marketer.get(f"{LIST}{other.pk}/change/").status_code == 302
