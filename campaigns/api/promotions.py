"""Promotion tiers and stacks over REST."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.api.serializers import StackAnswer, StackBody, StackList, TierAnswer, TierBody, TierList
from campaigns.models import PromotionStack, PromotionTier
from campaigns.rule_selectors import load_assignments
from campaigns.selectors import (
    campaign_by_ref,
    running,
    stack_by_id,
    stacks_for_wire,
    tier_by_id,
    tiers_for_wire,
)
from campaigns.services.promotions import create_tier, delete_tier, set_tier_active, update_tier
from campaigns.services.stacks import create_stack, delete_stack, update_stack
from campaigns.wire import stack_to_wire, tier_to_wire
from promoengine.core.api.filters import Field, as_moment, filter_condition, range_condition
from promoengine.core.api.lists import LIMIT_DEFAULT, LIMIT_MAX, paged_list
from promoengine.core.api.serializers import read_body
from promoengine.core.api.views import ApiRequest, ClientView, ServerView

TIER_ORDERS = {"created_at": "created_at", "updated_at": "updated_at"}
STACK_ORDERS = {**TIER_ORDERS, "name": "name"}
DATES = {"created_at": Field("created_at", as_moment), "updated_at": Field("updated_at", as_moment)}


class PromotionsView(ServerView):
    scope = "promotions"


class Tiers(PromotionsView):
    @extend_schema(responses=TierList)
    def get(self, request: ApiRequest) -> Response:
        return Response(tier_list(tiers_for_wire(request.project), request.GET))


class ClientTiers(ClientView):
    scope = "client_promotions"

    @extend_schema(responses=TierList)
    def get(self, request: ApiRequest) -> Response:
        return Response(tier_list(tiers_for_wire(request.project), request.GET))


class CampaignTiers(PromotionsView):
    @extend_schema(responses=TierList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        tiers = tiers_for_wire(request.project).filter(campaign=campaign_by_ref(request.project, ref))
        return Response(tier_list(tiers, request.GET, limit_default=LIMIT_MAX))

    @extend_schema(request=TierBody, responses=TierAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        data = read_body(TierBody, request.data)
        tier = create_tier(request.project, ref, data=data, channel=request.channel, now=datetime.now(UTC))
        return Response(tier_to_wire(tier))


class TierById(PromotionsView):
    @extend_schema(responses=TierAnswer)
    def get(self, request: ApiRequest, tier_id: str) -> Response:
        return Response(tier_to_wire(tier_by_id(request.project, tier_id)))

    @extend_schema(request=TierBody, responses=TierAnswer)
    def put(self, request: ApiRequest, tier_id: str) -> Response:
        data = read_body(TierBody, request.data)
        tier = update_tier(
            request.project, tier_id, data=data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(tier_to_wire(tier))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, tier_id: str) -> Response:
        delete_tier(request.project, tier_id, channel=request.channel, now=datetime.now(UTC))
        return Response(status=204)


class TierEnabling(PromotionsView):
    active = True

    @extend_schema(request=None, responses=TierAnswer)
    def post(self, request: ApiRequest, tier_id: str) -> Response:
        tier = set_tier_active(
            request.project, tier_id, active=self.active, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(tier_to_wire(tier))


class TierDisabling(TierEnabling):
    active = False


class Stacks(PromotionsView):
    @extend_schema(responses=StackList)
    def get(self, request: ApiRequest) -> Response:
        condition = filter_condition(request.GET, DATES) & range_condition(request.GET, DATES)
        return Response(stack_list(stacks_for_wire(request.project).filter(condition), request.GET))


class CampaignStacks(PromotionsView):
    @extend_schema(responses=StackList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        stacks = stacks_for_wire(request.project).filter(campaign=campaign_by_ref(request.project, ref))
        return Response(stack_list(stacks, request.GET, limit_default=LIMIT_MAX))

    @extend_schema(request=StackBody, responses=StackAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        data = read_body(StackBody, request.data)
        stack = create_stack(request.project, ref, data=data, channel=request.channel, now=datetime.now(UTC))
        return Response(stack_to_wire(stack))


class CampaignStackById(PromotionsView):
    @extend_schema(responses=StackAnswer)
    def get(self, request: ApiRequest, ref: str, stack_id: str) -> Response:
        return Response(stack_to_wire(stack_by_id(campaign_by_ref(request.project, ref), stack_id)))

    @extend_schema(request=StackBody, responses=StackAnswer)
    def put(self, request: ApiRequest, ref: str, stack_id: str) -> Response:
        data = read_body(StackBody, request.data)
        stack = update_stack(
            request.project, ref, stack_id, data=data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(stack_to_wire(stack))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, ref: str, stack_id: str) -> Response:
        delete_stack(request.project, ref, stack_id, channel=request.channel, now=datetime.now(UTC))
        return Response(status=204)


def tier_list(
    tiers: QuerySet[PromotionTier], query: QueryDict, *, limit_default: int = LIMIT_DEFAULT
) -> dict[str, Any]:
    available = running(datetime.now(UTC)) if query.get("is_available") == "true" else Q()
    return paged_list(
        tiers.filter(available),
        query,
        data_ref="tiers",
        rows_to_wire=tiers_to_wire,
        orders=TIER_ORDERS,
        has_more=True,
        limit_default=limit_default,
    )


def tiers_to_wire(tiers: list[PromotionTier]) -> list[dict[str, Any]]:
    load_assignments(tiers)
    return [tier_to_wire(tier) for tier in tiers]


def stack_list(
    stacks: QuerySet[PromotionStack], query: QueryDict, *, limit_default: int = LIMIT_DEFAULT
) -> dict[str, Any]:
    return paged_list(
        stacks,
        query,
        data_ref="data",
        rows_to_wire=lambda rows: [stack_to_wire(row) for row in rows],
        orders=STACK_ORDERS,
        limit_default=limit_default,
    )
