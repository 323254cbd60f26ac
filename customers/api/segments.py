"""Customer segments over REST."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from customers.api.serializers import (
    CustomerSegmentList,
    SegmentAnswer,
    SegmentBody,
    SegmentChange,
    SegmentCount,
    SegmentList,
)
from customers.filters import SEGMENT_ORDERS, segment_condition
from customers.membership import parse_filter
from customers.models import Segment
from customers.places import check_locations, with_shapes
from customers.segments import count_matching, named_segments_of
from customers.selectors import find_customer_by_ref, segment_by_id, sync_progress
from customers.services.segments import create_segment, delete_segment, update_segment
from customers.wire import segment_to_wire, simple_segment
from promoengine.core.api.lists import paged_list
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.engine.operators import Moment


class SegmentsDoor(ServerView):
    scope = "segments"


class Segments(SegmentsDoor):
    @extend_schema(responses=SegmentList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            paged_list(
                Segment.objects.filter(segment_condition(request.GET), project=request.project),
                request.GET,
                data_ref="data",
                rows_to_wire=lambda found: [segment_to_wire(segment) for segment in found],
                orders=SEGMENT_ORDERS,
                default_order="-created_at",
            )
        )

    @extend_schema(request=SegmentBody, responses=SegmentAnswer)
    def post(self, request: ApiRequest) -> Response:
        return Response(
            segment_to_wire(create_segment(request.project, data=request.data, now=datetime.now(UTC)))
        )


class SegmentById(SegmentsDoor):
    @extend_schema(responses=SegmentAnswer)
    def get(self, request: ApiRequest, segment_id: str) -> Response:
        segment = segment_by_id(request.project, segment_id)
        return Response(segment_to_wire(segment, sync_progress(segment)))

    @extend_schema(request=SegmentChange, responses=SegmentAnswer)
    def put(self, request: ApiRequest, segment_id: str) -> Response:
        return Response(
            segment_to_wire(
                update_segment(request.project, segment_id, data=request.data, now=datetime.now(UTC))
            )
        )

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, segment_id: str) -> Response:
        delete_segment(request.project, segment_id, now=datetime.now(UTC))
        return Response(status=204)


class SegmentPreview(SegmentsDoor):
    @extend_schema(request=SegmentChange, responses=SegmentCount)
    def post(self, request: ApiRequest) -> Response:
        """How many customers a filter matches now, before there is a segment of it."""
        project, data = request.project, request.data
        sent = data.get("filter") if isinstance(data, Mapping) else None
        parse_filter(sent)
        check_locations(project, sent)
        asked = parse_filter(with_shapes(project.pk, sent))
        at = Moment(datetime.now(UTC), ZoneInfo(project.timezone), project.week_start)
        found = count_matching(project, asked, at)
        return Response(
            {"object": "segment_preview", "total": found.customers, "is_estimate": found.is_estimate}
        )


class CustomerSegments(ServerView):
    scope = "customers"

    @extend_schema(responses=CustomerSegmentList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        """One whom the project does not know is answered as they would be, were they made now."""
        project = request.project
        customer = find_customer_by_ref(project, ref)
        sent = {} if customer else {"source_id": ref}
        at = Moment(datetime.now(UTC), ZoneInfo(project.timezone), project.week_start)
        found = named_segments_of(project, customer, sent, at=at)
        data = [simple_segment(segment.public_id, segment.name) for segment in found]
        return Response({"object": "list", "data_ref": "data", "data": data, "total": len(data)})
