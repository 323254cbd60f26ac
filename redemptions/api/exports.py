"""Exports over REST."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from promoengine.core.api.lists import paged_list
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import DomainError
from promoengine.core.ids import new_request_id
from promoengine.core.json_text import to_json
from redemptions.models import Export
from redemptions.services.exports import (
    delete_export,
    download_token,
    export_by_id,
    file_of,
    has_file,
    start_export,
)

ORDERS = {"created_at": "created_at", "status": "status"}


class ExportBody(serializers.Serializer):
    exported_object = serializers.CharField()
    parameters = serializers.DictField(required=False)


class OrdersExportBody(serializers.Serializer):
    parameters = serializers.DictField(required=False)


class ExportAnswer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    created_at = serializers.DateTimeField()
    status = serializers.CharField()
    channel = serializers.CharField()
    exported_object = serializers.CharField()
    parameters = serializers.DictField()
    result = serializers.DictField(allow_null=True)
    user_id = serializers.CharField(allow_null=True)


class ExportList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    exports = ExportAnswer(many=True)
    total = serializers.IntegerField()


class ExportsView(ServerView):
    scope = "exports"


class Exports(ExportsView):
    @extend_schema(responses=ExportList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            paged_list(
                Export.objects.filter(project=request.project),
                request.GET,
                data_ref="exports",
                rows_to_wire=lambda found: [export_to_wire(export, request) for export in found],
                orders=ORDERS,
                default_order="-created_at",
            )
        )

    @extend_schema(request=ExportBody, responses=ExportAnswer)
    def post(self, request: ApiRequest) -> Response:
        export = start_export(
            request.project, data=request.data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(export_to_wire(export, request))


class OrdersExport(ServerView):
    scope = "orders"

    @extend_schema(request=OrdersExportBody, responses=ExportAnswer)
    def post(self, request: ApiRequest) -> Response:
        """The same as an export of what is called `order`; a body without parameters asks for the default."""
        data = request.data
        if isinstance(data, Mapping):
            data = {"exported_object": "order", "parameters": data.get("parameters")}
        export = start_export(request.project, data=data, channel=request.channel, now=datetime.now(UTC))
        return Response(export_to_wire(export, request))


class ExportById(ExportsView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "GET" and "token" in request.GET:
            return download(kwargs["export_id"], request.GET["token"])
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(responses=ExportAnswer)
    def get(self, request: ApiRequest, export_id: str) -> Response:
        """With `token`, as in the address that a finished export has, the answer is its file."""
        return Response(export_to_wire(export_by_id(request.project, export_id), request))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, export_id: str) -> Response:
        delete_export(request.project, export_id)
        return Response(status=204)


def download(export_id: str, token: str) -> HttpResponseBase:
    """Return an export's file, part by part, to whoever has its link."""
    try:
        file = file_of(export_id, token)
    except DomainError as refusal:
        body = to_json(refusal.body(new_request_id()))
        return HttpResponse(body, status=refusal.status, content_type="application/json")
    answer = StreamingHttpResponse(file.parts, content_type=file.format.content_type)
    answer["Content-Disposition"] = f'attachment; filename="{export_id}.{file.format.extension}"'
    # One that is deleted meanwhile ends too early, and so is not taken for whole.
    answer["Content-Length"] = str(file.size)
    answer["Cache-Control"] = "no-store"
    return answer


def export_to_wire(export: Export, request: ApiRequest) -> dict[str, Any]:
    """Return an export as the wire has it, with a fresh link to its file where it has one."""
    result = None
    if has_file(export):
        host = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        result = {"url": f"{host}/v1/exports/{export.public_id}?token={download_token(export)}"}
    return {
        "id": export.public_id,
        "object": "export",
        "created_at": wire_datetime(export.created_at),
        "status": export.status,
        "channel": export.channel,
        "exported_object": export.exported_object,
        "parameters": export.parameters,
        "result": result,
        "user_id": f"user_{export.user_id}" if export.user_id else None,
    }
