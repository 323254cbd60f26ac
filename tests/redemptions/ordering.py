"""Orders made, changed and read over HTTP, and what is told of them."""

from promoengine.core.models import OutboxEvent
from redemptions.jobs import refresh_customers

ANN = {"source_id": "ann"}


def create(api, **body):
    answer = api.post("/v1/orders", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def change(api, order, **body):
    answer = api.put(f"/v1/orders/{order['id']}", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def read(api, ref):
    answer = api.get(f"/v1/orders/{ref}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def events(project):
    """Return what happened to the project's orders, in order."""
    found = OutboxEvent.objects.filter(project=project, type__startswith="customer.order.").order_by("pk")
    return [event.type.removeprefix("customer.order.") for event in found]


def spent(api, customer="ann"):
    """Return how many orders a customer paid, for how much, once all that happened has been heard of."""
    refresh_customers(event_ids=[str(key) for key in OutboxEvent.objects.values_list("pk", flat=True)])
    orders = api.get(f"/v1/customers/{customer}").json()["summary"]["orders"]
    return orders["total_count"], orders["total_amount"]
