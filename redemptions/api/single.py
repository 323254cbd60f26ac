"""The older endpoints for one code or for promotions alone, which many clients still call."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.models import PromotionTier
from campaigns.selectors import running_tiers
from campaigns.wire import tier_campaign_to_wire
from customers.tracking import tracking_id_of
from promoengine.core.api.guessing import CodeView
from promoengine.core.api.once import answer_once_for
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidPayload, MissingPermission, NotFound
from promoengine.engine.decide import Applicable, Inapplicable
from redemptions.answers import redemption_answer, session_to_wire, whole_order
from redemptions.api.checkout import channel_of, redeemed, validated
from redemptions.api.redemptions import VoucherRedemptions
from redemptions.api.serializers import (
    ContextBody,
    LegacyValidationAnswer,
    RedemptionList,
    RedemptionRow,
    ValidationAnswer,
)
from redemptions.facts import Context
from redemptions.order_wire import order_to_wire
from redemptions.requests import AskedRedeemable, CheckoutRequest, parse_context
from redemptions.services.qualify import applicable_tiers
from redemptions.services.record import tracking_id
from redemptions.services.sessions import release
from redemptions.services.validate import Validation
from redemptions.wire import error_to_wire, reach_to_wire, result_to_wire
from vouchers.models import Voucher


class VoucherValidation(ServerView):
    scope = "validations"

    @extend_schema(request=ContextBody, responses=LegacyValidationAnswer)
    def post(self, request: ApiRequest, code: str) -> Response:
        asked = one_code(request.data, code)
        validation = validated(request, asked)
        if validation.gathered.redeemables[0] is None:
            raise NotFound("voucher", code)
        return Response(single_answer(validation, code, request.request_id))


class ClientVoucherValidation(CodeView):
    scope = "client_validations"

    @extend_schema(responses=LegacyValidationAnswer)
    def get(self, request: ApiRequest) -> Response:
        code, body = query_checkout(request.GET)
        asked = one_code(body, code)
        validation = validated(request, asked)
        return Response(single_answer(validation, code, request.request_id))


class VoucherRedemption(VoucherRedemptions):
    scope = "redemptions"

    @extend_schema(request=ContextBody, responses=RedemptionRow)
    def post(self, request: ApiRequest, code: str) -> Response:
        return redeem_one(request, request.data, code)

    @extend_schema(responses=RedemptionList)
    def get(self, request: ApiRequest, code: str) -> Response:
        return super().get(request, code)


class ClientVoucherRedemption(CodeView):
    scope = "client_redemptions"

    @extend_schema(request=ContextBody, responses=RedemptionRow)
    def post(self, request: ApiRequest) -> Response:
        if not request.project.client_redeem_enabled:
            raise MissingPermission("Redeeming from the client side is switched off in this project")
        code = request.GET.get("code")
        if not code:
            raise InvalidPayload("Property .code should be string")
        return redeem_one(request, request.data, code)


class SessionRelease(ServerView):
    scope = "vouchers"

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, code: str, session_key: str) -> Response:
        release(request.project, code=code, key=session_key)
        return Response(status=204)


class PromotionValidation(ServerView):
    """All promotion tiers that apply, each decided alone."""

    scope = "promotions"

    @extend_schema(request=ContextBody, responses=ValidationAnswer)
    def post(self, request: ApiRequest) -> Response:
        asked, now = parse_context(_mapping(request.data)), datetime.now(UTC)
        tiers = running_tiers(request.project, now=now)
        context, qualified = applicable_tiers(
            request.project, asked, tiers, channel=channel_of(request), now=now
        )
        found = [
            promotion_to_wire(one.row, one.outcomes[0], context)
            for one in qualified
            if isinstance(one.row, PromotionTier)
        ]
        named = tracking_id(asked, context.customer) or tracking_id_of(request.request_id)
        return Response({"valid": bool(found), "promotions": found, "tracking_id": named})


def redeem_one(request: ApiRequest, body: Any, code: str) -> Response:
    asked = one_code(body, code, tracking=request.GET.get("tracking_id"))

    def produce() -> dict[str, Any]:
        checkout = redeemed(request, asked)
        redemption: dict[str, Any] = redemption_answer(checkout, request_id=request.request_id)[
            "redemptions"
        ][0]
        return redemption

    return answer_once_for(request, produce)


def one_code(body: Any, code: str, tracking: str | None = None) -> CheckoutRequest:
    """Read a body whose code stands in the URL."""
    body = dict(_mapping(body))
    body.setdefault("tracking_id", tracking)
    gift = body.get("gift")
    credits = gift.get("credits") if isinstance(gift, Mapping) else None
    if credits is not None and (type(credits) is not int or credits < 0):
        raise InvalidPayload("Property .gift.credits should be integer")
    return parse_context(body, (AskedRedeemable("voucher", code, credits),))


def single_answer(validation: Validation, code: str, request_id: str) -> dict[str, Any]:
    """Return the older answer about one code."""
    outcome, row = validation.decision.outcomes[0], validation.gathered.redeemables[0]
    tracked = tracking_id(validation.asked, validation.gathered.customer) or tracking_id_of(validation.id)
    metadata = row.metadata if row else {}
    if isinstance(outcome, Inapplicable):
        return {
            "valid": False,
            "reason": "voucher not found" if row is None else outcome.refusal.message,
            "code": code,
            "error": single_error(outcome, request_id),
            "tracking_id": tracked,
            "metadata": metadata,
        }
    answer: dict[str, Any] = {
        "valid": True,
        "code": row.code if isinstance(row, Voucher) else code,
        "tracking_id": tracked,
        "metadata": metadata,
    }
    if isinstance(outcome, Applicable):
        answer |= reach_to_wire(outcome) | result_to_wire(outcome)
    if row is not None and row.campaign:
        answer |= {"campaign": row.campaign.name, "campaign_id": row.campaign.public_id}
    if validation.gathered.order is not None:
        answer["order"] = whole_order(validation.decision, validation.gathered)
    return answer | session_to_wire(validation)


def single_error(outcome: Inapplicable, request_id: str) -> dict[str, Any]:
    """Return why a code does not apply: in its validation rule's own words where it has some."""
    if outcome.refusal.own_message:
        return {"message": outcome.refusal.own_message}
    return error_to_wire(outcome.refusal, request_id)


def promotion_to_wire(tier: PromotionTier, outcome: Applicable, context: Context) -> dict[str, Any]:
    """Return a promotion tier that applies, with what it does to the order."""
    wire = {
        "valid": True,
        "id": tier.public_id,
        "name": tier.name,
        **reach_to_wire(outcome),
        "campaign": tier_campaign_to_wire(tier.campaign),
        "hierarchy": tier.hierarchy,
        "metadata": tier.metadata,
        "object": "promotion_tier",
        **result_to_wire(outcome),
    }
    if tier.banner is not None:
        wire["banner"] = tier.banner
    if context.order is not None and outcome.before is not None and outcome.after is not None:
        wire["order"] = order_to_wire(context.order, outcome.before, outcome.after, customer=context.customer)
        wire["discount_amount"] = outcome.saving
    return wire


def query_checkout(query: QueryDict) -> tuple[str, dict[str, Any]]:
    """Return the code and the body that a browser writes into a query string.

    Raises:
        InvalidPayload: there is no code, or a number is none.
    """
    code = query.get("code")
    if not code:
        raise InvalidPayload("Property .code should be string")
    order: dict[str, Any] = {}
    if "amount" in query:
        order["amount"] = query["amount"]
    if items := _query_items(query):
        order["items"] = items
    body: dict[str, Any] = {"order": order or None, "tracking_id": query.get("tracking_id")}
    if ref := query.get("customer[source_id]") or query.get("customer[id]") or query.get("customer"):
        body["customer"] = {"source_id": ref} if not ref.startswith("cust_") else {"id": ref}
    if query.get("session_type"):
        ttl = query.get("session_ttl", "7")
        if not ttl.isascii() or not ttl.isdigit():
            raise InvalidPayload("Property .session_ttl should be a positive number")
        body["session"] = {
            "type": query["session_type"],
            "key": query.get("session_key"),
            "ttl": int(ttl[:19]),
            "ttl_unit": query.get("session_ttl_unit", "DAYS"),
        }
    return code, body


def _query_items(query: QueryDict) -> list[dict[str, Any]]:
    items: dict[str, dict[str, Any]] = {}
    for name, value in query.items():
        head, _, rest = name.partition("[")
        index, _, field = rest.partition("][")
        if head in ("item", "items") and field.endswith("]"):
            items.setdefault(index, {})[field[:-1]] = value
    return list(items.values())


def _mapping(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise InvalidPayload("Payload should be object")
    return body
