"""Custom events over REST, from servers and from browsers."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from customers.api.serializers import EventAnswer, EventBody
from customers.services.track import track_event
from customers.wire import event_to_wire
from promoengine.core.api.views import ApiRequest, ClientView, ServerView


class Events(ServerView):
    scope = "events"

    @extend_schema(request=EventBody, responses=EventAnswer)
    def post(self, request: ApiRequest) -> Response:
        event, customer = track_event(
            request.project, data=request.data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(event_to_wire(event, customer))


class ClientEvents(ClientView):
    scope = "client_events"

    @extend_schema(request=EventBody, responses=EventAnswer)
    def post(self, request: ApiRequest) -> Response:
        event, customer = track_event(
            request.project, data=request.data, channel="CLIENT_API", now=datetime.now(UTC)
        )
        return Response(event_to_wire(event, customer))
