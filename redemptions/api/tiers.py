"""The older endpoints for one promotion tier."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.models import PromotionTier
from campaigns.selectors import tier_by_id
from campaigns.wire import tier_campaign_to_wire
from customers.tracking import tracking_id_of
from promoengine.core.api.once import answer_once_for
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidPayload
from redemptions.answers import redemption_answer
from redemptions.api.checkout import channel_of
from redemptions.api.serializers import ContextBody, LegacyValidationAnswer, RedemptionRow
from redemptions.api.single import promotion_to_wire
from redemptions.requests import AskedRedeemable, CheckoutRequest, parse_context
from redemptions.services.record import tracking_id
from redemptions.services.redeem import redeem
from redemptions.services.validate import Validation, validate
from redemptions.wire import error_to_wire


class TierValidation(ServerView):
    scope = "promotions"

    @extend_schema(request=ContextBody, responses=LegacyValidationAnswer, deprecated=True)
    def post(self, request: ApiRequest, tier_id: str) -> Response:
        tier = tier_by_id(request.project, tier_id)
        asked = one_tier(request.data, tier_id)
        validation = validate(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
        return Response(tier_answer(tier, validation, request.request_id))


class TierRedemption(ServerView):
    scope = "promotions"

    @extend_schema(request=ContextBody, responses=RedemptionRow, deprecated=True)
    def post(self, request: ApiRequest, tier_id: str) -> Response:
        asked = one_tier(request.data, tier_id)

        def produce() -> dict[str, Any]:
            checkout = redeem(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
            redemption: dict[str, Any] = redemption_answer(checkout, request_id=request.request_id)[
                "redemptions"
            ][0]
            return redemption

        return answer_once_for(request, produce)


def one_tier(body: Any, tier_id: str) -> CheckoutRequest:
    """Read a body whose promotion tier stands in the URL."""
    if not isinstance(body, Mapping):
        raise InvalidPayload("Payload should be object")
    return parse_context(body, (AskedRedeemable("promotion_tier", tier_id),))


def tier_answer(tier: PromotionTier, validation: Validation, request_id: str) -> dict[str, Any]:
    """Return the older answer about one promotion tier."""
    tracked = tracking_id(validation.asked, validation.gathered.customer) or tracking_id_of(validation.id)
    if validation.decision.applicable:
        applicable = validation.decision.applicable[0]
        return promotion_to_wire(tier, applicable, validation.gathered.context) | {"tracking_id": tracked}
    wire: dict[str, Any] = {
        "valid": False,
        "tracking_id": tracked,
        "id": tier.public_id,
        "name": tier.name,
        "campaign": tier_campaign_to_wire(tier.campaign),
        "hierarchy": tier.hierarchy,
        "metadata": tier.metadata,
        "object": "promotion_tier",
    }
    for refused in validation.decision.inapplicable:
        wire |= {"reason": refused.refusal.message, "error": error_to_wire(refused.refusal, request_id)}
    for skipped in validation.decision.skipped:
        wire["reason"] = skipped.skip.message
    if tier.banner is not None:
        wire["banner"] = tier.banner
    if tier.discount is not None:
        wire["discount"] = tier.discount
    return wire
