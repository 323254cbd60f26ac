"""Orders over REST."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.lists import paged_list
from promoengine.core.api.once import answer_once_for
from promoengine.core.api.serializers import AsyncAnswer
from promoengine.core.api.views import ApiRequest, ServerView
from redemptions.api.order_serializers import OrderAnswer, OrderList, OrderRequestBody
from redemptions.order_filters import ORDERS, order_condition
from redemptions.order_selectors import order_by_ref, order_list_to_wire, order_to_wire, orders_for_wire
from redemptions.services.import_orders import import_orders
from redemptions.services.upsert_order import update_order, upsert_order


class OrdersView(ServerView):
    scope = "orders"


class Orders(OrdersView):
    @extend_schema(responses=OrderList)
    def get(self, request: ApiRequest) -> Response:
        rows = orders_for_wire(request.project).with_totals().filter(order_condition(request.GET))
        return Response(
            paged_list(
                rows,
                request.GET,
                data_ref="orders",
                rows_to_wire=order_list_to_wire,
                orders=ORDERS,
                default_order="-created_at",
            )
        )

    @extend_schema(request=OrderRequestBody, responses=OrderAnswer)
    def post(self, request: ApiRequest) -> Response:
        return answer_once_for(
            request,
            lambda: order_to_wire(
                upsert_order(
                    request.project, data=request.data, channel=request.channel, now=datetime.now(UTC)
                )
            ),
        )


class OrdersImport(OrdersView):
    @extend_schema(request=OrderRequestBody(many=True), responses=AsyncAnswer)
    def post(self, request: ApiRequest) -> Response:
        action = import_orders(request.project, rows=request.data or [], now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id})


class OrderByRef(OrdersView):
    @extend_schema(responses=OrderAnswer)
    def get(self, request: ApiRequest, ref: str) -> Response:
        return Response(order_to_wire(order_by_ref(request.project, ref)))

    @extend_schema(request=OrderRequestBody, responses=OrderAnswer)
    def put(self, request: ApiRequest, ref: str) -> Response:
        order = update_order(
            request.project, ref, data=request.data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(order_to_wire(order))
