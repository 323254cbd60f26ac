"""Watching background work."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from promoengine.core.api.lists import limit_of
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import AsyncAction
from promoengine.core.wire import async_action_to_wire


class AsyncActionAnswer(serializers.Serializer):
    id = serializers.CharField()
    type = serializers.CharField()
    status = serializers.CharField()
    operation_status = serializers.CharField()
    progress = serializers.IntegerField()


class AsyncActionList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    async_actions = AsyncActionAnswer(many=True)
    has_more = serializers.BooleanField()


class AsyncActions(ServerView):
    scope = "async-actions"

    @extend_schema(responses=AsyncActionList)
    def get(self, request: ApiRequest) -> Response:
        limit = limit_of(request.GET)
        rows = AsyncAction.objects.filter(project=request.project)
        found = list(rows.order_by("-pk")[: limit + 1])
        return Response(
            {
                "object": "list",
                "data_ref": "async_actions",
                "async_actions": [without_result(async_action_to_wire(action)) for action in found[:limit]],
                "has_more": len(found) > limit,
            }
        )


class AsyncActionById(ServerView):
    scope = "async-actions"

    @extend_schema(responses=AsyncActionAnswer)
    def get(self, request: ApiRequest, action_id: str) -> Response:
        key = parse_public_id(AsyncAction.prefix, action_id)
        action = AsyncAction.objects.filter(project=request.project, pk=key).first()
        if action is None:
            raise NotFound("async_action", action_id)
        return Response(async_action_to_wire(action))


def without_result(wire: dict[str, Any]) -> dict[str, Any]:
    """Return an action as lists show it."""
    return {name: value for name, value in wire.items() if name != "result"}
