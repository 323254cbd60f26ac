"""Vouchers over REST."""

from datetime import UTC, datetime

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.selectors import campaign_by_ref
from customers.selectors import customer_by_ref
from promoengine.core.api.lists import cursor_list, paged_list
from promoengine.core.api.serializers import AsyncAnswer, read_body
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.ids import parse_public_id, public_id
from vouchers.api.publications import publication_list
from vouchers.api.search import found_vouchers, is_search
from vouchers.api.serializers import (
    BalanceAnswer,
    BalanceBody,
    CursorList,
    PublicationList,
    VoucherAnswer,
    VoucherBody,
    VoucherList,
    VoucherMetadataBody,
    VouchersMetadataBody,
)
from vouchers.filters import VOUCHER_ORDERS, voucher_condition
from vouchers.models import VoucherTransaction
from vouchers.selectors import voucher_by_ref, vouchers_for_wire
from vouchers.services.balance import add_balance
from vouchers.services.bulk_metadata import update_vouchers_metadata, update_vouchers_metadata_each
from vouchers.services.create import create_voucher
from vouchers.services.delete import delete_voucher
from vouchers.services.update import set_voucher_active, update_voucher
from vouchers.wire import (
    holdings_to_wire,
    transaction_to_wire,
    voucher_to_wire,
    vouchers_to_wire,
)


class VouchersView(ServerView):
    scope = "vouchers"


class Vouchers(VouchersView):
    @extend_schema(responses=VoucherList)
    def get(self, request: ApiRequest) -> Response:
        if is_search(request.GET):
            return Response(found_vouchers(request.project, request.GET))
        return Response(
            paged_list(
                vouchers_for_wire(request.project).filter(voucher_condition(request.project, request.GET)),
                request.GET,
                data_ref="vouchers",
                rows_to_wire=vouchers_to_wire,
                orders=VOUCHER_ORDERS,
                default_order="-created_at",
            )
        )

    @extend_schema(request=VoucherBody, responses=VoucherAnswer)
    def post(self, request: ApiRequest) -> Response:
        return create(request, None)


class VouchersBulk(VouchersView):
    @extend_schema(request=VoucherMetadataBody(many=True), responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        action = update_vouchers_metadata_each(
            request.project, rows=request.data or [], now=datetime.now(UTC)
        )
        return Response({"async_action_id": action.public_id}, status=202)


class VouchersMetadata(VouchersView):
    @extend_schema(request=VouchersMetadataBody, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        data = request.data or {"codes": [], "metadata": {}}
        action = update_vouchers_metadata(request.project, data=data, now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id}, status=202)


class VoucherByRef(VouchersView):
    @extend_schema(responses=VoucherAnswer)
    def get(self, request: ApiRequest, code: str) -> Response:
        return Response(voucher_to_wire(voucher_by_ref(request.project, code)))

    @extend_schema(request=VoucherBody, responses=VoucherAnswer)
    def post(self, request: ApiRequest, code: str) -> Response:
        return create(request, code)

    @extend_schema(request=VoucherBody, responses=VoucherAnswer)
    def put(self, request: ApiRequest, code: str) -> Response:
        data = read_body(VoucherBody, request.data)
        voucher = update_voucher(
            request.project, code, data=data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(voucher_to_wire(voucher))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, code: str) -> Response:
        force = request.GET.get("force") == "true"
        delete_voucher(request.project, code, force=force, channel=request.channel, now=datetime.now(UTC))
        return Response(status=204)


class VoucherEnabling(VouchersView):
    active = True

    @extend_schema(request=None, responses=VoucherAnswer)
    def post(self, request: ApiRequest, code: str) -> Response:
        voucher = set_voucher_active(
            request.project, code, active=self.active, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(voucher_to_wire(voucher))


class VoucherDisabling(VoucherEnabling):
    active = False


class VoucherBalance(VouchersView):
    @extend_schema(request=BalanceBody, responses=BalanceAnswer)
    def post(self, request: ApiRequest, code: str) -> Response:
        data = read_body(BalanceBody, request.data)
        balance = add_balance(
            request.project,
            code,
            amount=data["amount"],
            source_id=data.get("source_id"),
            reason=data.get("reason"),
            channel=request.channel,
            now=datetime.now(UTC),
        )
        return Response(balance)


class VoucherTransactions(VouchersView):
    @extend_schema(responses=CursorList)
    def get(self, request: ApiRequest, code: str) -> Response:
        voucher = voucher_by_ref(request.project, code)
        return Response(
            cursor_list(
                VoucherTransaction.objects.filter(project=request.project, voucher=voucher),
                request.GET,
                rows_to_wire=lambda rows: [transaction_to_wire(row, voucher) for row in rows],
                parse_cursor=lambda cursor: parse_public_id(VoucherTransaction.prefix, cursor),
                cursor_of=lambda row: public_id(VoucherTransaction.prefix, row.pk),
            )
        )


class VoucherPublications(VouchersView):
    @extend_schema(responses=PublicationList)
    def get(self, request: ApiRequest, code: str) -> Response:
        voucher = voucher_by_ref(request.project, code)
        return publication_list(request, Q(voucher_ids__contains=[voucher.pk]))


class CustomerRedeemables(ServerView):
    """A customer's wallet, served here because it is about vouchers."""

    scope = "customers"

    @extend_schema(responses=CursorList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        customer, now = customer_by_ref(request.project, ref), datetime.now(UTC)
        return Response(
            cursor_list(
                vouchers_for_wire(request.project).filter(holder=customer),
                request.GET,
                rows_to_wire=lambda rows: holdings_to_wire(rows, now=now),
                parse_cursor=lambda cursor: parse_public_id("rh", cursor),
                cursor_of=lambda voucher: public_id("rh", voucher.pk),
                with_total=True,
            )
        )


def create(request: ApiRequest, code: str | None) -> Response:
    data = read_body(VoucherBody, request.data)
    ref = data.get("campaign_id") or data.get("campaign")
    voucher = create_voucher(
        request.project,
        data=data,
        campaign=campaign_by_ref(request.project, ref) if ref else None,
        code=code or data.get("code"),
        channel=request.channel,
        now=datetime.now(UTC),
    )
    return Response(voucher_to_wire(voucher))
