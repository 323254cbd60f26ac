"""Imports of codes over REST: tables and records, into a campaign or on their own."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from campaigns.models import Campaign
from promoengine.core.api.serializers import AsyncAnswer, FileBody, read_body
from promoengine.core.api.uploads import keep_upload
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import AsyncAction
from vouchers.api.serializers import VoucherBody
from vouchers.import_plans import ImportPlan
from vouchers.services.import_codes import start_code_import
from vouchers.services.import_records import import_records


class VouchersImport(ServerView):
    scope = "vouchers"
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": FileBody}, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        return Response({"async_action_id": import_table(request, None).public_id}, status=202)


class VoucherRecordsImport(ServerView):
    scope = "vouchers"

    @extend_schema(request=VoucherBody(many=True), responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        return import_sent_records(request, None)


def import_table(request: ApiRequest, campaign: Campaign | None) -> AsyncAction:
    """Start the import of the file sent; a campaign's amounts are minor units, as published."""
    plan = ImportPlan(
        campaign=str(campaign.pk) if campaign else "",
        known_codes_fail=True,
        is_price_tag=campaign is None,
        channel=request.channel,
    )
    return start_code_import(request.project, file=keep_upload(request), plan=plan, now=datetime.now(UTC))


def import_sent_records(request: ApiRequest, campaign: Campaign | None) -> Response:
    """Start the import of the records sent."""
    records = request.data
    if not isinstance(records, list):
        raise InvalidPayload("Payload should be array")
    for record in records:
        read_body(VoucherBody, record)
    action = import_records(
        request.project, campaign=campaign, records=records, channel=request.channel, now=datetime.now(UTC)
    )
    return Response({"async_action_id": action.public_id}, status=202)
