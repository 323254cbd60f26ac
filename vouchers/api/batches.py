"""Batches of a campaign's codes, and the alert of its pool, over REST; they are our own, not published."""

import uuid
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from campaigns.models import Campaign
from campaigns.selectors import campaign_by_ref
from promoengine.core.api.lists import paged_list
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.api.serializers import read_body
from promoengine.core.api.views import ApiRequest
from promoengine.core.ids import public_id
from promoengine.core.models import AsyncAction
from vouchers.api.campaigns import CampaignsView
from vouchers.api.serializers import BatchBody
from vouchers.batches import FreeCodes, batch_by_id, batches_of, free_codes, released_at
from vouchers.models import CodeBatch, PoolAlert
from vouchers.services.batches import BatchTerms, change_batch
from vouchers.services.campaigns import add_batch
from vouchers.services.pool_alerts import EMAILS_MAX, THRESHOLD_MAX, set_pool_alert
from vouchers.wire import batch_to_wire, free_to_wire


class NewBatchBody(BatchBody):
    vouchers_count = serializers.IntegerField(min_value=1)


class BatchAnswer(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    campaign_id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    vouchers_count = serializers.IntegerField()
    locked_until = serializers.DateTimeField(allow_null=True)
    one_per_person = serializers.BooleanField()
    free_count = serializers.IntegerField()
    has_more_free = serializers.BooleanField(required=False)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(allow_null=True)


class BatchList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    batches = BatchAnswer(many=True)
    total = serializers.IntegerField()


class NewBatchAnswer(serializers.Serializer):
    async_action_id = serializers.CharField()
    batch_id = serializers.CharField()


class PoolBody(serializers.Serializer):
    threshold = serializers.IntegerField(min_value=0, max_value=THRESHOLD_MAX, allow_null=True)
    emails = serializers.ListField(
        child=serializers.EmailField(max_length=320), required=False, max_length=EMAILS_MAX
    )


class PoolAnswer(serializers.Serializer):
    object = serializers.CharField()
    campaign_id = serializers.CharField()
    free_count = serializers.IntegerField()
    has_more_free = serializers.BooleanField(required=False)
    next_release_at = serializers.DateTimeField(allow_null=True)
    threshold = serializers.IntegerField(allow_null=True)
    emails = serializers.ListField(child=serializers.CharField())
    low_since = serializers.DateTimeField(allow_null=True)


class CampaignBatches(CampaignsView):
    @extend_schema(responses=BatchList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        campaign = campaign_by_ref(request.project, ref)
        return Response(
            paged_list(
                CodeBatch.objects.filter(campaign=campaign),
                request.GET,
                data_ref="batches",
                rows_to_wire=lambda found: batches_to_wire(campaign, found),
                orders={"created_at": "id"},
            )
        )

    @extend_schema(request=NewBatchBody, responses={202: NewBatchAnswer})
    def post(self, request: ApiRequest, ref: str) -> Response:
        body = read_body(NewBatchBody, request.data)
        count = body.pop("vouchers_count")
        made = add_batch(
            request.project,
            ref,
            count=count,
            batch=BatchTerms(**body),
            channel=request.channel,
            now=datetime.now(UTC),
        )
        ids = {"async_action_id": made.public_id, "batch_id": batch_of(made)}
        return Response(ids, status=202)


class CampaignBatchById(CampaignsView):
    @extend_schema(responses=BatchAnswer)
    def get(self, request: ApiRequest, ref: str, batch_id: str) -> Response:
        campaign = campaign_by_ref(request.project, ref)
        return answer(batch_by_id(request.project, campaign, batch_id))

    @extend_schema(request=BatchBody, responses=BatchAnswer)
    def put(self, request: ApiRequest, ref: str, batch_id: str) -> Response:
        data = read_body(BatchBody, request.data)
        batch = change_batch(
            request.project, ref, batch_id, data=data, channel=request.channel, now=datetime.now(UTC)
        )
        return answer(batch)


class CampaignPool(CampaignsView):
    @extend_schema(responses=PoolAnswer)
    def get(self, request: ApiRequest, ref: str) -> Response:
        campaign = campaign_by_ref(request.project, ref)
        return Response(pool_to_wire(campaign, PoolAlert.objects.filter(campaign=campaign).first()))

    @extend_schema(request=PoolBody, responses=PoolAnswer)
    def put(self, request: ApiRequest, ref: str) -> Response:
        body = read_body(PoolBody, request.data)
        alert = set_pool_alert(
            request.project,
            ref,
            threshold=body["threshold"],
            emails=body.get("emails", []),
            now=datetime.now(UTC),
        )
        return Response(pool_to_wire(campaign_by_ref(request.project, ref), alert))


def batches_to_wire(campaign: Campaign, batches: list[CodeBatch]) -> list[dict[str, Any]]:
    """Return several batches with how many of their codes are free, in one more query."""
    free = free_codes(campaign, [batch.pk for batch in batches])
    return [batch_to_wire(batch) | free_to_wire(one) for batch, one in zip(batches, free, strict=True)]


def pool_to_wire(campaign: Campaign, alert: PoolAlert | None) -> dict[str, Any]:
    """Return how many codes a campaign could give now, and at how few its people are told."""
    now = datetime.now(UTC)
    batches = list(batches_of(campaign))
    unlocked = [batch.pk for batch in batches if not batch.is_locked_at(now)]
    counted = free_codes(campaign, [None, *unlocked])
    free = FreeCodes(sum(one.count for one in counted), any(one.has_more for one in counted))
    return {
        "object": "pool",
        "campaign_id": campaign.public_id,
        **free_to_wire(free),
        "next_release_at": wire_datetime(released_at(batches, now=now)),
        "threshold": alert.threshold if alert else None,
        "emails": alert.emails if alert else [],
        "low_since": wire_datetime(alert.low_since) if alert else None,
    }


def batch_of(action: AsyncAction) -> str:
    """Return the id of the batch that an action fills."""
    return public_id(CodeBatch.prefix, uuid.UUID(action.params["batch"]))


def answer(batch: CodeBatch) -> Response:
    return Response(batches_to_wire(batch.campaign, [batch])[0])
