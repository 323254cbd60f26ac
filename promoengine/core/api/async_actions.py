"""Background work: watching it, and, our own, stopping it, undoing it and reading its report."""

from datetime import UTC, datetime
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from promoengine.core.api.lists import limit_of
from promoengine.core.api.serializers import AsyncAnswer
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.models import AsyncAction, Project
from promoengine.core.selectors import row_by_id
from promoengine.core.services.async_actions import cancel, pause, resume, undo
from promoengine.core.services.reports import report_csv
from promoengine.core.wire import async_action_to_wire


class FailedRow(serializers.Serializer):
    row = serializers.IntegerField(required=False, allow_null=True)
    code = serializers.CharField(required=False, allow_null=True)
    source_id = serializers.CharField(required=False, allow_null=True)
    reason = serializers.CharField()


class AsyncActionResult(serializers.Serializer):
    message = serializers.CharField()
    done_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    failed = FailedRow(many=True)


class AsyncActionRow(serializers.Serializer):
    id = serializers.CharField()
    type = serializers.CharField()
    status = serializers.ChoiceField(["ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"])
    operation_status = serializers.ChoiceField(["UNKNOWN", "SUCCESS", "FAILED"])
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    request_id = serializers.CharField()
    progress = serializers.IntegerField(min_value=0, max_value=100)
    processing_time = serializers.IntegerField(min_value=0)
    object = serializers.CharField()


class AsyncActionAnswer(AsyncActionRow):
    result = AsyncActionResult(allow_null=True)


class AsyncActionList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    async_actions = AsyncActionRow(many=True)
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
        return Response(async_action_to_wire(action_by_id(request.project, action_id)))


class AsyncActionPausing(ServerView):
    scope = "async-actions"
    ask = staticmethod(pause)

    @extend_schema(request=None, responses=AsyncActionAnswer)
    def post(self, request: ApiRequest, action_id: str) -> Response:
        """It is heard after the step that is being done."""
        action = action_by_id(request.project, action_id)
        self.ask(request.project, action, now=datetime.now(UTC))
        action.refresh_from_db()
        return Response(async_action_to_wire(action))


class AsyncActionResuming(AsyncActionPausing):
    ask = staticmethod(resume)


class AsyncActionCanceling(AsyncActionPausing):
    ask = staticmethod(cancel)


class AsyncActionUndoing(ServerView):
    scope = "async-actions"

    @extend_schema(request=None, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest, action_id: str) -> Response:
        action = action_by_id(request.project, action_id)
        undoing = undo(request.project, action, now=datetime.now(UTC))
        return Response({"async_action_id": undoing.public_id}, status=202)


class AsyncActionReport(ServerView):
    scope = "async-actions"

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: ApiRequest, action_id: str) -> StreamingHttpResponse:
        """All rows that could not be done, with their reasons."""
        return report_answer(action_by_id(request.project, action_id))


def action_by_id(project: Project, ref: str) -> AsyncAction:
    """Return the background work of that id.

    Raises:
        NotFound: the project has none.
    """
    return row_by_id(AsyncAction.objects.filter(project=project), ref, "async_action")


def report_answer(action: AsyncAction) -> StreamingHttpResponse:
    """Return the report of background work as a file to download."""
    answer = StreamingHttpResponse(report_csv(action), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="report-{action.public_id}.csv"'
    return answer


def without_result(wire: dict[str, Any]) -> dict[str, Any]:
    """Return an action as lists show it."""
    return {name: value for name, value in wire.items() if name != "result"}
