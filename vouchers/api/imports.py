"""Imports of codes over REST: tables and records, into a campaign or on their own."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from campaigns.models import Campaign
from promoengine.core.api.serializers import AsyncAnswer, read_body
from promoengine.core.api.uploads import kept_upload
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import AsyncAction
from vouchers.api.import_options import IN_QUERY, ImportBody, sent_import
from vouchers.api.serializers import VoucherBody
from vouchers.import_plans import ImportPlan
from vouchers.services.import_codes import start_code_import
from vouchers.services.import_preview import with_mapping
from vouchers.services.import_records import import_records


class VouchersImport(ServerView):
    scope = "vouchers"
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": ImportBody}, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        return Response({"async_action_id": import_table(request, None).public_id}, status=202)


class VoucherRecordsImport(ServerView):
    scope = "vouchers"

    @extend_schema(request=VoucherBody(many=True), parameters=IN_QUERY, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        return import_sent_records(request, None)


def import_table(request: ApiRequest, campaign: Campaign | None) -> AsyncAction:
    """Start the import of the file sent; a campaign's amounts are minor units, as published."""
    options = sent_import(request)
    plan = ImportPlan(
        mode=options.mode,
        campaign=str(campaign.pk) if campaign else "",
        known_codes_fail=True,
        is_price_tag=campaign is None,
        channel=request.channel,
        batch=options.batch.to_params(),
    )
    with kept_upload(request) as file:
        if options.mapping is not None:
            plan = with_mapping(plan, options.mapping, file)
        return start_code_import(request.project, file=file, plan=plan, now=datetime.now(UTC))


def import_sent_records(request: ApiRequest, campaign: Campaign | None) -> Response:
    """Start the import of the records sent."""
    options, records = sent_import(request), request.data
    if options.mapping is not None:
        raise InvalidPayload("Property .mapping is for tables: records name their fields")
    if not isinstance(records, list):
        raise InvalidPayload("Payload should be array")
    for record in records:
        read_body(VoucherBody, record)
    action = import_records(
        request.project,
        campaign=campaign,
        records=records,
        mode=options.mode,
        batch=options.batch,
        channel=request.channel,
        now=datetime.now(UTC),
    )
    return Response({"async_action_id": action.public_id}, status=202)
