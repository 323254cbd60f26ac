"""Segments made and filled, and who is told of them."""

from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action

VIP = {"junction": "and", "metadata.vip": {"conditions": {"$is": [True]}}}


def make(api, name="Segment", **body):
    answer = api.post("/v1/segments", {"name": name, **body})
    assert answer.status_code == 200, answer.content
    return answer.json()


def fill(project):
    """Do what waits in the background."""
    for action in AsyncAction.objects.filter(project=project, status="ENQUEUED"):
        run_async_action(action.pk)


def names_of(api, ref):
    answer = api.get(f"/v1/customers/{ref}/segments")
    assert answer.status_code == 200, answer.content
    return [segment["name"] for segment in answer.json()["data"]]


def moves(project):
    """Return who entered and left segments, in order."""
    events = OutboxEvent.objects.filter(project=project, type__startswith="customer.segment.").order_by("pk")
    return [
        (event.type.rpartition(".")[2], event.data["segment"]["name"], event.data["customer"]["source_id"])
        for event in events
    ]
