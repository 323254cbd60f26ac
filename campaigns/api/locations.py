"""Locations over REST; to make and delete them is our own."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from campaigns.services.locations import delete_location
from customers.models import Location
from customers.places import location_by_id
from customers.services.locations import create_location
from promoengine.core.api.filters import Field, as_moment, filter_condition
from promoengine.core.api.lists import paged_list
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.api.serializers import read_body
from promoengine.core.api.views import ApiRequest, ServerView

ORDERS = {"created_at": "created_at", "updated_at": "updated_at"}
FIELDS = {
    "name": Field("name"),
    "created_at": Field("created_at", as_moment),
    "updated_at": Field("updated_at", as_moment),
}


class LocationAnswer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    name = serializers.CharField()
    shape = serializers.DictField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(allow_null=True)


class LocationBody(serializers.Serializer):
    name = serializers.CharField(max_length=255)
    shape = serializers.DictField()


class LocationList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = LocationAnswer(many=True)
    total = serializers.IntegerField()
    has_more = serializers.BooleanField()


class LocationsDoor(ServerView):
    scope = "locations"


class Locations(LocationsDoor):
    @extend_schema(responses=LocationList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            paged_list(
                Location.objects.filter(filter_condition(request.GET, FIELDS), project=request.project),
                request.GET,
                data_ref="data",
                rows_to_wire=lambda found: [location_to_wire(location) for location in found],
                orders=ORDERS,
                default_order="-created_at",
                has_more=True,
            )
        )

    @extend_schema(request=LocationBody, responses=LocationAnswer)
    def post(self, request: ApiRequest) -> Response:
        data = read_body(LocationBody, request.data)
        return Response(location_to_wire(create_location(request.project, **data, now=datetime.now(UTC))))


class LocationById(LocationsDoor):
    @extend_schema(responses=LocationAnswer)
    def get(self, request: ApiRequest, location_id: str) -> Response:
        return Response(location_to_wire(location_by_id(request.project, location_id)))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, location_id: str) -> Response:
        delete_location(request.project, location_id)
        return Response(status=204)


def location_to_wire(location: Location) -> dict[str, Any]:
    return {
        "id": location.public_id,
        "object": "location",
        "name": location.name,
        "shape": location.shape,
        "created_at": wire_datetime(location.created_at),
        "updated_at": wire_datetime(location.updated_at),
    }
