"""Validation and redemption of several redeemables, for servers and for browsers."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.once import answer_once_for
from promoengine.core.api.views import ApiRequest, ClientView, ServerView
from promoengine.core.errors import MissingPermission
from promoengine.core.models import ApiKey
from redemptions.answers import redemption_answer, validation_answer
from redemptions.api.serializers import CheckoutBody, RedemptionAnswer, ValidationAnswer
from redemptions.channel import Channel
from redemptions.requests import parse_checkout
from redemptions.services.redeem import redeem
from redemptions.services.validate import validate


def channel_of(request: ApiRequest) -> Channel:
    """Return where a request came from, as redemptions keep it."""
    key = request.caller.key
    is_public = key.kind == ApiKey.Kind.CLIENT
    return Channel(str(key.app_id), "API", request.channel, key.name, is_public)


def validate_checkout(request: ApiRequest) -> dict[str, Any]:
    asked = parse_checkout(request.data)
    validation = validate(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
    hints_only = request.caller.key.kind == ApiKey.Kind.CLIENT
    return validation_answer(validation, request_id=request.request_id, hints_only=hints_only)


def redeem_checkout(request: ApiRequest) -> Response:
    asked = parse_checkout(request.data)

    def produce() -> dict[str, Any]:
        checkout = redeem(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
        return redemption_answer(checkout, request_id=request.request_id)

    return answer_once_for(request, produce)


class Validations(ServerView):
    scope = "validations"

    @extend_schema(request=CheckoutBody, responses=ValidationAnswer)
    def post(self, request: ApiRequest) -> Response:
        return Response(validate_checkout(request))


class ClientValidations(ClientView):
    scope = "client_validations"

    @extend_schema(request=CheckoutBody, responses=ValidationAnswer)
    def post(self, request: ApiRequest) -> Response:
        return Response(validate_checkout(request))


class ClientRedemptions(ClientView):
    scope = "client_redemptions"

    @extend_schema(request=CheckoutBody, responses=RedemptionAnswer)
    def post(self, request: ApiRequest) -> Response:
        if not request.project.client_redeem_enabled:
            raise MissingPermission("Redeeming from the client side is switched off in this project")
        return redeem_checkout(request)
