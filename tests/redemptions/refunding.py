"""Orders sold and refunded over HTTP, as short as tests want to say it."""

from promoengine.core.models import OutboxEvent
from redemptions.jobs import refresh_customers
from tests.redemptions.storefront import redeem

PERCENT_10 = {"type": "PERCENT", "percent_off": 10}


AMOUNTS = ("units_amount", "discount_amount", "gift_amount", "held_back_amount", "refund_amount")


def line(name, quantity, price, **more):
    return {"source_id": name, "quantity": quantity, "price": price, **more}


def sell(api, *codes, items=None, **order):
    """Redeem codes on an order and return the order's id."""
    named = {"items": items} if items else {}
    return redeem(api, *codes, order={**named, **order})["order"]["id"]


def calculate(api, order, **body):
    answer = api.post(f"/v1/orders/{order}/refunds/calculation", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refund(api, order, **body):
    answer = api.post(f"/v1/orders/{order}/refunds", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(api, order, **body):
    answer = api.post(f"/v1/orders/{order}/refunds", body)
    return answer.status_code, answer.json()["key"]


def units(index, quantity=1):
    return {"order_item_index": index, "quantity": quantity}


def summary_of(api, source_id):
    """Return a customer's summary once what happened has been counted."""
    refresh_customers(event_ids=[str(event.pk) for event in OutboxEvent.objects.all()])
    return api.get(f"/v1/customers/{source_id}").json()["summary"]
