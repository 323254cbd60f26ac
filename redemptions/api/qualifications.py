"""Qualifications over REST."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.models import Campaign, PromotionStack, PromotionTier
from campaigns.rule_wire import assignments_to_wire
from campaigns.wire import categories_to_wire
from customers.tracking import tracking_id_of
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.api.views import ApiRequest, ClientView, ServerView
from promoengine.core.models import ApiKey
from promoengine.engine.decide import Applicable
from promoengine.engine.order import Order as Amounts
from redemptions.api.checkout import channel_of
from redemptions.api.serializers import QualificationAnswer, QualificationBody
from redemptions.facts import Context
from redemptions.order_wire import order_frame, order_to_wire
from redemptions.qualification_pages import cursor_to_wire
from redemptions.qualification_requests import parse_qualification
from redemptions.services.qualify import Qualification, QualificationRequest, Qualified, qualify
from redemptions.services.record import tracking_id
from redemptions.trace import explainer_for
from redemptions.wire import reach_to_wire, redeemable_to_wire, result_to_wire
from vouchers.models import Voucher


def qualify_checkout(request: ApiRequest) -> Response:
    asked = parse_qualification(request.data)
    found = qualify(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
    answer = qualification_answer(asked, found, request_id=request.request_id)
    if "trace" in asked.checkout.expand:
        explain(request, found, answer["redeemables"]["data"])
    return Response(answer)


class Qualifications(ServerView):
    scope = "qualifications"

    @extend_schema(request=QualificationBody, responses=QualificationAnswer)
    def post(self, request: ApiRequest) -> Response:
        return qualify_checkout(request)


class ClientQualifications(ClientView):
    scope = "client_qualifications"

    @extend_schema(request=QualificationBody, responses=QualificationAnswer)
    def post(self, request: ApiRequest) -> Response:
        return qualify_checkout(request)


def qualification_answer(
    asked: QualificationRequest, qualification: Qualification, *, request_id: str
) -> dict[str, Any]:
    """Return the published answer: a page of redeemables, each with what it would do."""
    context = qualification.context
    redeemables: dict[str, Any] = {
        "object": "list",
        "data_ref": "data",
        "data": [_qualified_to_wire(one, asked, context) for one in qualification.found],
        "total": len(qualification.found),
        "has_more": qualification.has_more,
    }
    if qualification.next_after is not None:
        redeemables["more_starting_after"] = cursor_to_wire(qualification.next_after)
    answer: dict[str, Any] = {
        "redeemables": redeemables,
        "tracking_id": tracking_id(asked.checkout, context.customer) or tracking_id_of(request_id),
    }
    if context.order is not None:
        amounts = context.amounts
        answer["order"] = (
            order_to_wire(context.order, amounts, amounts, customer=context.customer)
            if amounts is not None
            else order_frame(context.order, context.customer)
        )
    return answer | {"stacking_rules": context.stacking.to_wire()}


def explain(request: ApiRequest, qualification: Qualification, wires: list[dict[str, Any]]) -> None:
    """Say of each redeemable that was found how its conditions are met; to browsers nothing of that.

    Of a stack it is said of each of its tiers.
    """
    if request.caller.key.kind == ApiKey.Kind.CLIENT:
        return
    explainer = explainer_for(
        request.project, [outcome for one in qualification.found for outcome in one.outcomes]
    )
    for wire, one in zip(wires, qualification.found, strict=True):
        for row, outcome in zip(wire.get("redeemables", [wire]), one.outcomes, strict=True):
            row["trace"] = explainer.trace(outcome)


def _qualified_to_wire(one: Qualified, asked: QualificationRequest, context: Context) -> dict[str, Any]:
    expand = asked.checkout.expand
    if isinstance(one.row, PromotionStack):
        return _stack_to_wire(one, one.row, expand, context)
    return _outcome_to_wire(one.row, one.outcomes[0], expand, context)


def _outcome_to_wire(
    row: Voucher | PromotionTier | Campaign,
    outcome: Applicable,
    expand: frozenset[str],
    context: Context,
) -> dict[str, Any]:
    wire = {
        "id": outcome.offer.id,
        "object": outcome.offer.object,
        "created_at": wire_datetime(row.created_at),
        "result": result_to_wire(outcome),
        **reach_to_wire(outcome),
        **_order(outcome.before, outcome.after, context),
    }
    if "validation_rules" in expand:
        wire["validation_rules_assignments"] = assignments_to_wire(row.rule_assignments)
    if isinstance(row, Campaign):
        categories = categories_to_wire(row.category, context.stacking)
        about = {"metadata": row.metadata, "categories": categories}
        return wire | about | ({"name": row.name} if "redeemable" in expand else {})
    return wire | redeemable_to_wire(row, expand, context.stacking)


def _stack_to_wire(
    one: Qualified, stack: PromotionStack, expand: frozenset[str], context: Context
) -> dict[str, Any]:
    first, last = one.outcomes[0], one.outcomes[-1]
    wire = {
        "id": stack.public_id,
        "object": "promotion_stack",
        "created_at": wire_datetime(stack.created_at),
        "result": {},
        **_order(first.before, last.after, context),
        "metadata": {},
        "categories": categories_to_wire(stack.category, context.stacking),
        "redeemables": [
            _outcome_to_wire(tier, outcome, expand, context)
            for tier, outcome in zip(one.tiers, one.outcomes, strict=True)
        ],
    }
    about = {"name": stack.name, "campaign_name": stack.campaign.name}
    return wire | (about | {"campaign_id": stack.campaign.public_id} if "redeemable" in expand else {})


def _order(before: Amounts | None, after: Amounts | None, context: Context) -> dict[str, Any]:
    if context.order is None or before is None or after is None:
        return {}
    return {"order": order_to_wire(context.order, before, after, customer=context.customer)}
