"""What a validation rule is assigned to, over REST; it lives in this room because codes are among it."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from campaigns.api.rule_serializers import AssignmentAnswer, AssignmentBody, AssignmentList
from campaigns.api.validation_rules import assignment_list
from campaigns.models import ValidationRuleAssignment
from campaigns.rule_selectors import assignment_by_id, of_rule, rule_by_id
from campaigns.rule_wire import assignment_to_wire
from campaigns.services.rules import assign_rule, unassign_rule
from promoengine.core.api.serializers import read_body
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidPayload
from vouchers.services.related_objects import known_object, related_object

NAMES = ("voucher", "campaign", "promotion_tier")
FORCE = OpenApiParameter("force", bool, description="Whether to replace an assignment of the two.")


class RuleAssignments(ServerView):
    scope = "validation-rules"

    @extend_schema(responses=AssignmentList)
    def get(self, request: ApiRequest, rule_id: str) -> Response:
        return assignment_list(request, ValidationRuleAssignment.objects.filter(of_rule(rule_id)))

    @extend_schema(request=AssignmentBody, responses=AssignmentAnswer, parameters=[FORCE])
    def post(self, request: ApiRequest, rule_id: str) -> Response:
        kind, ref = named_object(read_body(AssignmentBody, request.data))
        assignment = assign_rule(
            request.project,
            rule_id,
            related=related_object(request.project, kind, ref),
            force=request.GET.get("force", "").lower() == "true",
            channel=request.channel,
            now=datetime.now(UTC),
        )
        return Response(assignment_to_wire(assignment))


class RuleAssignmentById(ServerView):
    scope = "validation-rules"

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, rule_id: str, assignment_id: str) -> Response:
        assignment = assignment_by_id(rule_by_id(request.project, rule_id), assignment_id)
        related = known_object(request.project, assignment.related_object_type, assignment.related_object_id)
        unassign_rule(
            request.project, assignment, related=related, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(status=204)


def named_object(data: dict[str, Any]) -> tuple[str, str]:
    """Return the type and the id or code of what a rule is to guard, in either way of naming it.

    Raises:
        InvalidPayload: nothing is named.
    """
    for name in NAMES:
        if data.get(name):
            return name, data[name]
    if not data.get("related_object_id"):
        raise InvalidPayload("Payload must have required property 'related_object_id'")
    return data["related_object_type"], data["related_object_id"]
