"""Listing redemptions, reading one, and undoing them."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.lists import limit_of, paged_list, total_to_wire
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidPayload
from promoengine.core.pages import total_of
from redemptions.api.checkout import channel_of, redeem_checkout
from redemptions.api.serializers import (
    CheckoutBody,
    RedemptionAnswer,
    RedemptionList,
    RedemptionRow,
    RollbackAnswer,
    RollbackBody,
)
from redemptions.filters import ORDERS, redemption_condition
from redemptions.models import Redemption
from redemptions.selectors import redemption_by_id, redemption_list_to_wire, redemptions_for_wire
from redemptions.services.roll_back import roll_back_redemption, roll_back_redemptions
from vouchers.selectors import voucher_by_ref
from vouchers.wire import redemption_to_wire


class Redemptions(ServerView):
    scope = "redemptions"

    @extend_schema(responses=RedemptionList)
    def get(self, request: ApiRequest) -> Response:
        condition = redemption_condition(request.project, request.GET)
        rows = redemptions_for_wire(request.project).filter(condition)
        return Response(
            paged_list(
                rows,
                request.GET,
                data_ref="redemptions",
                rows_to_wire=lambda found: redemption_list_to_wire(request.project, found),
                orders=ORDERS,
                default_order="-created_at",
            )
        )

    @extend_schema(request=CheckoutBody, responses=RedemptionAnswer)
    def post(self, request: ApiRequest) -> Response:
        return redeem_checkout(request)


class RedemptionById(ServerView):
    scope = "redemptions"

    @extend_schema(responses=RedemptionRow)
    def get(self, request: ApiRequest, redemption_id: str) -> Response:
        redemption = redemption_by_id(request.project, redemption_id)
        return Response(redemption_list_to_wire(request.project, [redemption])[0])


class Rollback(ServerView):
    scope = "redemptions"

    @extend_schema(request=RollbackBody, responses=RedemptionRow)
    def post(self, request: ApiRequest, redemption_id: str) -> Response:
        return Response(
            roll_back_redemption(
                request.project,
                redemption_id,
                **rollback_body(request),
                channel=channel_of(request),
                now=datetime.now(UTC),
            )
        )


class Rollbacks(ServerView):
    scope = "redemptions"

    @extend_schema(request=RollbackBody, responses=RollbackAnswer)
    def post(self, request: ApiRequest, redemption_id: str) -> Response:
        undone = roll_back_redemptions(
            request.project,
            redemption_id,
            **rollback_body(request),
            channel=channel_of(request),
            now=datetime.now(UTC),
        )
        answer: dict[str, Any] = {"rollbacks": undone.rollbacks}
        if undone.parent is not None:
            answer["parent_rollback"] = undone.parent
        if undone.order is not None:
            answer["order"] = undone.order
        return Response(answer)


class VoucherRedemptions(ServerView):
    """The redemptions of one voucher, with its counts."""

    scope = "vouchers"

    @extend_schema(responses=RedemptionList)
    def get(self, request: ApiRequest, code: str) -> Response:
        voucher = voucher_by_ref(request.project, code)
        limit = limit_of(request.GET)
        rows = redemptions_for_wire(request.project).filter(
            voucher_id=voucher.pk, kind=Redemption.Kind.REDEMPTION, result=Redemption.Result.SUCCESS
        )
        newest = list(rows.order_by("-created_at", "-pk")[:limit])
        return Response(
            redemption_to_wire(voucher)
            | {
                "data_ref": "redemption_entries",
                "redemption_entries": redemption_list_to_wire(request.project, newest),
            }
            | total_to_wire(total_of(rows))
        )


def rollback_body(request: ApiRequest) -> dict[str, Any]:
    """Return a rollback's reason, which clients send in the body or in the query, and its metadata."""
    body = request.data
    if not isinstance(body, dict):
        raise InvalidPayload("Payload should be object")
    reason = body.get("reason") or request.GET.get("reason") or ""
    metadata = body.get("metadata")
    if not isinstance(reason, str) or len(reason) > 1000:
        raise InvalidPayload("Property .reason should be a string of up to 1000 characters")
    if metadata is not None and not isinstance(metadata, dict):
        raise InvalidPayload("Property .metadata should be object")
    return {"reason": reason, "metadata": metadata}
