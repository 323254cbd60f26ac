"""Custom events over REST, from servers and from browsers."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from customers.api.serializers import EventAnswer, EventBody
from customers.services.track import TrackedEvent, track_event
from promoengine.core.api.views import ApiRequest, ClientView, ServerView


class Events(ServerView):
    scope = "events"

    @extend_schema(request=EventBody, responses=EventAnswer)
    def post(self, request: ApiRequest) -> Response:
        event = track_event(
            request.project, data=request.data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(event_to_wire(event))


class ClientEvents(ClientView):
    scope = "client_events"

    @extend_schema(request=EventBody, responses=EventAnswer)
    def post(self, request: ApiRequest) -> Response:
        event = track_event(request.project, data=request.data, channel="CLIENT_API", now=datetime.now(UTC))
        return Response(event_to_wire(event))


def event_to_wire(event: TrackedEvent) -> dict[str, Any]:
    """Return a custom event as its sender gets it back."""
    return {
        "object": "event",
        "type": event.type,
        "customer": event.customer,
        "metadata": event.metadata,
        "referral": None,
        "loyalty": None,
    }
