"""Campaigns over REST; they live in this room because most of them is about codes."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from campaigns.filters import ORDERS, campaign_condition
from campaigns.models import Campaign
from campaigns.selectors import campaign_by_ref, campaigns_for_wire
from campaigns.services.change import set_campaign_active
from campaigns.wire import campaign_to_wire, campaigns_to_wire
from promoengine.core.api.lists import paged_list
from promoengine.core.api.serializers import AsyncAnswer, read_body
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.models import AsyncAction
from vouchers.api.import_options import IN_QUERY, ImportBody
from vouchers.api.imports import import_sent_records, import_table
from vouchers.api.serializers import (
    CampaignAnswer,
    CampaignBody,
    CampaignList,
    VoucherAnswer,
    VoucherBody,
)
from vouchers.services.campaigns import add_vouchers, delete_campaign, launch_campaign, update_campaign
from vouchers.services.create import create_voucher
from vouchers.wire import voucher_to_wire

ONLY_WHOLE = ("promotion", "validation_rules_assignments")


class CampaignsView(ServerView):
    scope = "campaigns"


class Campaigns(CampaignsView):
    @extend_schema(responses=CampaignList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            paged_list(
                campaigns_for_wire(request.project).filter(campaign_condition(request.GET)),
                request.GET,
                data_ref="campaigns",
                rows_to_wire=list_to_wire,
                orders=ORDERS,
            )
        )

    @extend_schema(request=CampaignBody, responses=CampaignAnswer)
    def post(self, request: ApiRequest) -> Response:
        data = read_body(CampaignBody, request.data)
        campaign = launch_campaign(request.project, data=data, channel=request.channel, now=datetime.now(UTC))
        return answer(campaign)


class CampaignByRef(CampaignsView):
    @extend_schema(responses=CampaignAnswer)
    def get(self, request: ApiRequest, ref: str) -> Response:
        return answer(campaign_by_ref(request.project, ref))

    @extend_schema(request=CampaignBody, responses=CampaignAnswer)
    def put(self, request: ApiRequest, ref: str) -> Response:
        data = read_body(CampaignBody, request.data)
        campaign = update_campaign(
            request.project, ref, data=data, channel=request.channel, now=datetime.now(UTC)
        )
        return answer(campaign)

    @extend_schema(responses={202: AsyncAnswer})
    def delete(self, request: ApiRequest, ref: str) -> Response:
        force = request.GET.get("force") == "true"
        action = delete_campaign(
            request.project, ref, force=force, channel=request.channel, now=datetime.now(UTC)
        )
        return Response({"async_action_id": action.public_id}, status=202)


class CampaignEnabling(CampaignsView):
    active = True

    @extend_schema(request=None, responses=CampaignAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        campaign = set_campaign_active(
            request.project, ref, active=self.active, channel=request.channel, now=datetime.now(UTC)
        )
        return answer(campaign)


class CampaignDisabling(CampaignEnabling):
    active = False


class CampaignVouchers(CampaignsView):
    @extend_schema(request=VoucherBody, responses={200: VoucherAnswer, 202: AsyncAnswer})
    def post(self, request: ApiRequest, ref: str) -> Response:
        made = add_vouchers(
            request.project,
            ref,
            count=request.GET.get("vouchers_count"),
            data=read_body(VoucherBody, request.data),
            channel=request.channel,
            now=datetime.now(UTC),
        )
        if isinstance(made, AsyncAction):
            return Response({"async_action_id": made.public_id}, status=202)
        return Response(voucher_to_wire(made))


class CampaignVoucherByCode(CampaignsView):
    @extend_schema(request=VoucherBody, responses=VoucherAnswer)
    def post(self, request: ApiRequest, ref: str, code: str) -> Response:
        voucher = create_voucher(
            request.project,
            data=read_body(VoucherBody, request.data),
            campaign=campaign_by_ref(request.project, ref),
            code=code,
            channel=request.channel,
            now=datetime.now(UTC),
        )
        return Response(voucher_to_wire(voucher))


class CampaignImport(CampaignsView):
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": ImportBody}, responses=AsyncAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        campaign = campaign_by_ref(request.project, ref)
        return Response({"async_action_id": import_table(request, campaign).public_id})


class CampaignRecordsImport(CampaignsView):
    @extend_schema(request=VoucherBody(many=True), parameters=IN_QUERY, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest, ref: str) -> Response:
        return import_sent_records(request, campaign_by_ref(request.project, ref))


def list_to_wire(campaigns: list[Campaign]) -> list[dict[str, Any]]:
    """Return campaigns as lists show them: without their tiers and rules."""
    wires = [campaign_to_wire(campaign) for campaign in campaigns]
    return [{k: v for k, v in wire.items() if k not in ONLY_WHOLE} for wire in wires]


def answer(campaign: Campaign) -> Response:
    return Response(campaigns_to_wire([campaign])[0])
