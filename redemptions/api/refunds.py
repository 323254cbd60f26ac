"""Refunds of orders: what one would be, making it, and those that were made."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from promoengine.core.api.lists import paged_list
from promoengine.core.api.once import answer_once_for
from promoengine.core.api.views import ApiRequest, ServerView
from redemptions.api.checkout import channel_of
from redemptions.order_selectors import order_by_ref
from redemptions.refund_requests import parse_refund
from redemptions.refund_selectors import refunds_of, refunds_to_wire
from redemptions.refund_wire import calculation_to_wire, refund_to_wire
from redemptions.services.refund import calculate_refund, refund_order


class RefundUnitsBody(serializers.Serializer):
    order_item_index = serializers.IntegerField(required=False, help_text="The item's place, from 0.")
    id = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    product_id = serializers.CharField(required=False)
    sku_id = serializers.CharField(required=False)
    quantity = serializers.IntegerField()


class RefundBody(serializers.Serializer):
    items = RefundUnitsBody(many=True, required=False, help_text="Without it, all that is left.")
    mode = serializers.ChoiceField(["KEEP", "REEVALUATE"], required=False)
    source_id = serializers.CharField(required=False, help_text="The shop's own id; a retry repeats it.")
    expected_amount = serializers.IntegerField(
        required=False, help_text="The `refund_amount` that was calculated; another one is refused."
    )
    reason = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)


class RefundShareRow(serializers.Serializer):
    redemption_id = serializers.CharField()
    related_object_type = serializers.CharField()
    related_object_id = serializers.CharField()
    amount = serializers.IntegerField()


class RefundAmounts(serializers.Serializer):
    units_amount = serializers.IntegerField(help_text="Before discounts, in minor units.")
    discount_amount = serializers.IntegerField(help_text="Discounts taken back.")
    gift_amount = serializers.IntegerField(help_text="Gift credits returned.")
    held_back_amount = serializers.IntegerField(help_text="Negative where it was held back before.")
    refund_amount = serializers.IntegerField(help_text="Money to pay back.")
    discounts = RefundShareRow(many=True)


class RefundItemRow(RefundAmounts):
    object = serializers.CharField()
    order_item_index = serializers.IntegerField(
        allow_null=True, help_text="Null for what is on no line, such as shipping."
    )
    id = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    product_id = serializers.CharField(required=False)
    sku_id = serializers.CharField(required=False)
    related_object = serializers.CharField(required=False)
    price = serializers.IntegerField(required=False)
    product = serializers.DictField(required=False)
    sku = serializers.DictField(required=False)
    quantity = serializers.IntegerField()
    quantity_left = serializers.IntegerField()


class RefundCalculationAnswer(RefundAmounts):
    object = serializers.CharField()
    order_id = serializers.CharField()
    order_source_id = serializers.CharField(allow_null=True)
    mode = serializers.CharField()
    items = RefundItemRow(many=True)
    gift_credits = RefundShareRow(many=True)


class RefundAnswer(RefundCalculationAnswer):
    id = serializers.CharField()
    source_id = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    metadata = serializers.DictField()
    created_at = serializers.DateTimeField()


class RefundList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    refunds = RefundAnswer(many=True)
    total = serializers.IntegerField()


class RefundCalculation(ServerView):
    scope = "orders"

    @extend_schema(request=RefundBody, responses=RefundCalculationAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        made = calculate_refund(request.project, ref, parse_refund(request.data), now=datetime.now(UTC))
        return Response(calculation_to_wire(made.refund, made.units, made.order))


class Refunds(ServerView):
    scope = "orders"

    @extend_schema(responses=RefundList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        order = order_by_ref(request.project, ref)
        return Response(
            paged_list(
                refunds_of(order),
                request.GET,
                data_ref="refunds",
                rows_to_wire=lambda found: refunds_to_wire(order, found),
                orders={"created_at": "created_at", "id": "id"},
            )
        )

    @extend_schema(request=RefundBody, responses=RefundAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        asked = parse_refund(request.data)

        def refund() -> dict[str, object]:
            made = refund_order(
                request.project, ref, asked, channel=channel_of(request), now=datetime.now(UTC)
            )
            return refund_to_wire(made.refund, made.units, made.order)

        return answer_once_for(request, refund)
