"""Validation and redemption of several redeemables, for servers and for browsers."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.guessing import CodeView, note_misses
from promoengine.core.api.once import answer_once_for
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import MissingPermission
from promoengine.core.models import ApiKey
from redemptions.answers import redemption_answer, validation_answer
from redemptions.api.serializers import CheckoutBody, RedemptionAnswer, ValidationAnswer
from redemptions.channel import Channel
from redemptions.disclosure import unknown_codes
from redemptions.requests import CheckoutRequest, parse_checkout
from redemptions.services.redeem import Checkout, RedemptionRefused, redeem
from redemptions.services.validate import Validation, validate


def channel_of(request: ApiRequest) -> Channel:
    """Return where a request came from, as redemptions keep it."""
    key = request.caller.key
    is_public = key.kind == ApiKey.Kind.CLIENT
    return Channel(str(key.app_id), "API", request.channel, key.name, is_public)


def validated(request: ApiRequest, asked: CheckoutRequest) -> Validation:
    """Validate what a request asks for, and count the codes in it that do not exist."""
    validation = validate(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
    note_misses(request, unknown_codes(validation.decision))
    return validation


def redeemed(request: ApiRequest, asked: CheckoutRequest) -> Checkout:
    """Redeem what a request asks for, and count the codes in it that do not exist."""
    try:
        checkout = redeem(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
    except RedemptionRefused as refused:
        note_misses(request, refused.unknown_codes)
        raise
    note_misses(request, unknown_codes(checkout.decision))
    return checkout


def validate_checkout(request: ApiRequest) -> dict[str, Any]:
    asked = parse_checkout(request.data)
    validation = validated(request, asked)
    hints_only = request.caller.key.kind == ApiKey.Kind.CLIENT
    return validation_answer(validation, request_id=request.request_id, hints_only=hints_only)


def redeem_checkout(request: ApiRequest) -> Response:
    asked = parse_checkout(request.data)

    def produce() -> dict[str, Any]:
        return redemption_answer(redeemed(request, asked), request_id=request.request_id)

    return answer_once_for(request, produce)


class Validations(ServerView):
    scope = "validations"

    @extend_schema(request=CheckoutBody, responses=ValidationAnswer)
    def post(self, request: ApiRequest) -> Response:
        return Response(validate_checkout(request))


class ClientValidations(CodeView):
    scope = "client_validations"

    @extend_schema(request=CheckoutBody, responses=ValidationAnswer)
    def post(self, request: ApiRequest) -> Response:
        return Response(validate_checkout(request))


class ClientRedemptions(CodeView):
    scope = "client_redemptions"

    @extend_schema(request=CheckoutBody, responses=RedemptionAnswer)
    def post(self, request: ApiRequest) -> Response:
        if not request.project.client_redeem_enabled:
            raise MissingPermission("Redeeming from the client side is switched off in this project")
        return redeem_checkout(request)
