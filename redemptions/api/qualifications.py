"""Qualifications over REST."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.models import Campaign
from campaigns.rule_selectors import load_assignments
from campaigns.rule_wire import assignments_to_wire
from campaigns.wire import categories_to_wire, empty_list
from customers.tracking import tracking_id_of
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.api.views import ApiRequest, ClientView, ServerView
from redemptions.api.serializers import QualificationAnswer, QualificationBody
from redemptions.qualification_requests import parse_qualification
from redemptions.services.qualify import Qualification, QualificationRequest, Qualified, qualify
from redemptions.services.record import tracking_id
from redemptions.wire import order_frame, order_to_wire, redeemable_to_wire, result_to_wire

RULES = "validation_rules"


def qualify_checkout(request: ApiRequest) -> Response:
    asked = parse_qualification(request.data)
    found = qualify(request.project, asked, now=datetime.now(UTC))
    return Response(qualification_answer(asked, found, request_id=request.request_id))


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
    gathered = qualification.gathered
    if RULES in asked.checkout.expand:
        load_assignments([one.row for one in qualification.found])
    redeemables: dict[str, Any] = {
        "object": "list",
        "data_ref": "data",
        "data": [_qualified_to_wire(one, asked, qualification) for one in qualification.found],
        "total": len(qualification.found),
        "has_more": qualification.has_more,
    }
    if qualification.has_more:
        redeemables["more_starting_after"] = wire_datetime(qualification.found[-1].row.created_at)
    answer: dict[str, Any] = {
        "redeemables": redeemables,
        "tracking_id": tracking_id(asked.checkout, gathered.customer) or tracking_id_of(request_id),
    }
    if gathered.order is not None:
        amounts = gathered.case.order
        answer["order"] = (
            order_to_wire(gathered.order, amounts, amounts, customer=gathered.customer)
            if amounts is not None
            else order_frame(gathered.order, gathered.customer)
        )
    return answer | {"stacking_rules": gathered.case.stacking.to_wire()}


def _qualified_to_wire(
    one: Qualified, asked: QualificationRequest, qualification: Qualification
) -> dict[str, Any]:
    gathered, row, outcome = qualification.gathered, one.row, one.outcome
    wire = {
        "id": outcome.offer.id,
        "object": outcome.offer.object,
        "created_at": wire_datetime(row.created_at),
        "result": _result(one),
        "applicable_to": empty_list(),
        "inapplicable_to": empty_list(),
    }
    if gathered.order is not None and outcome.before is not None and outcome.after is not None:
        wire["order"] = order_to_wire(
            gathered.order, outcome.before, outcome.after, customer=gathered.customer
        )
    if RULES in asked.checkout.expand:
        wire["validation_rules_assignments"] = assignments_to_wire(row.rule_assignments)
    if isinstance(row, Campaign):
        about = {"metadata": row.metadata, "categories": categories_to_wire(row.category)}
        return wire | about | ({"name": row.name} if "redeemable" in asked.checkout.expand else {})
    return wire | redeemable_to_wire(row, asked.checkout.expand)


def _result(one: Qualified) -> dict[str, Any]:
    if not isinstance(one.row, Campaign):
        return result_to_wire(one.outcome, one.row)
    if one.row.gift is not None:
        return {"gift": {"balance": one.row.gift["amount"], "credits": one.outcome.credits}}
    if one.row.discount is None:
        return {}
    return {"discount": {"effect": "APPLY_TO_ORDER", **one.row.discount, "is_dynamic": False}}
