"""The bin over REST."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from campaigns.models import BinEntry
from promoengine.core.api.filters import filter_condition
from promoengine.core.api.lists import cursor_list
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.ids import parse_public_id, public_id
from vouchers.bin_filters import BIN_FIELDS
from vouchers.services.bin import delete_entry, entry_by_id, restore_entries


class BinEntryAnswer(serializers.Serializer):
    id = serializers.CharField()
    created_at = serializers.DateTimeField()
    deleted_by_user_id = serializers.CharField(allow_null=True)
    resource_id = serializers.CharField()
    resource_type = serializers.CharField()
    resource_name = serializers.CharField()
    resource_parent_id = serializers.CharField(allow_null=True)
    object = serializers.CharField()


class BinList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = BinEntryAnswer(many=True)
    total = serializers.IntegerField()
    has_more = serializers.BooleanField()
    more_starting_after = serializers.CharField(required=False)


class BinEntries(ServerView):
    scope = "trash-bin"

    @extend_schema(responses=BinList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            cursor_list(
                BinEntry.objects.filter(filter_condition(request.GET, BIN_FIELDS), project=request.project),
                request.GET,
                rows_to_wire=lambda found: [entry_to_wire(entry) for entry in found],
                parse_cursor=lambda cursor: parse_public_id(BinEntry.prefix, cursor),
                cursor_of=lambda entry: public_id(BinEntry.prefix, entry.pk),
                with_total=True,
            )
        )


class BinEntryById(ServerView):
    scope = "trash-bin"

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, entry_id: str) -> Response:
        delete_entry(request.project, entry_id, now=datetime.now(UTC))
        return Response(status=204)


class BinRestoring(ServerView):
    scope = "trash-bin"

    @extend_schema(request=None, responses={204: None})
    def post(self, request: ApiRequest, entry_id: str) -> Response:
        """Bring back what was deleted; not part of the published format."""
        entry = entry_by_id(request.project, entry_id)
        restore_entries(request.project, [entry.pk], now=datetime.now(UTC))
        return Response(status=204)


def entry_to_wire(entry: BinEntry) -> dict[str, Any]:
    return {
        "id": entry.public_id,
        "created_at": wire_datetime(entry.created_at),
        "deleted_by_user_id": entry.deleted_by,
        "resource_id": entry.resource_id,
        "resource_type": entry.resource_type,
        "resource_name": entry.resource_name,
        "resource_parent_id": entry.resource_parent_id,
        "object": entry.resource_type,
    }
