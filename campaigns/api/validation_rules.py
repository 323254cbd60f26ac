"""Validation rules over REST; the room above, which sees codes, says what they are assigned to."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.api.rule_serializers import (
    AssignmentList,
    ValidationRuleAnswer,
    ValidationRuleBody,
    ValidationRuleList,
)
from campaigns.models import ValidationRuleAssignment
from campaigns.rule_filters import ASSIGNMENT_ORDERS, RULE_ORDERS, assignment_condition, rule_condition
from campaigns.rule_selectors import rule_by_id, rules_for_wire
from campaigns.rule_wire import assignment_to_wire, rule_to_wire
from campaigns.services.rules import create_validation_rule, delete_validation_rule, update_validation_rule
from promoengine.core.api.lists import paged_list
from promoengine.core.api.serializers import read_body
from promoengine.core.api.views import ApiRequest, ServerView


class ValidationRules(ServerView):
    scope = "validation-rules"

    @extend_schema(responses=ValidationRuleList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            paged_list(
                rules_for_wire(request.project).filter(rule_condition(request.GET)),
                request.GET,
                data_ref="data",
                rows_to_wire=lambda rows: [rule_to_wire(rule) for rule in rows],
                orders=RULE_ORDERS,
            )
        )

    @extend_schema(request=ValidationRuleBody, responses=ValidationRuleAnswer)
    def post(self, request: ApiRequest) -> Response:
        data = read_body(ValidationRuleBody, request.data)
        rule = create_validation_rule(
            request.project, data=data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(rule_to_wire(rule))


class ValidationRuleById(ServerView):
    scope = "validation-rules"

    @extend_schema(responses=ValidationRuleAnswer)
    def get(self, request: ApiRequest, rule_id: str) -> Response:
        return Response(rule_to_wire(rule_by_id(request.project, rule_id)))

    @extend_schema(request=ValidationRuleBody, responses=ValidationRuleAnswer)
    def put(self, request: ApiRequest, rule_id: str) -> Response:
        data = read_body(ValidationRuleBody, request.data)
        rule = update_validation_rule(
            request.project, rule_id, data=data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(rule_to_wire(rule))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, rule_id: str) -> Response:
        delete_validation_rule(request.project, rule_id, channel=request.channel, now=datetime.now(UTC))
        return Response(status=204)


class AllRuleAssignments(ServerView):
    """The assignments of all rules, or of one rule or object that the query names."""

    scope = "validation-rules-assignments"

    @extend_schema(responses=AssignmentList)
    def get(self, request: ApiRequest) -> Response:
        return assignment_list(
            request, ValidationRuleAssignment.objects.filter(assignment_condition(request.GET))
        )


def assignment_list(request: ApiRequest, rows: QuerySet[ValidationRuleAssignment]) -> Response:
    """Return a page of the project's assignments among `rows`."""

    def to_wire(found: list[ValidationRuleAssignment]) -> list[dict[str, Any]]:
        return [assignment_to_wire(assignment) for assignment in found]

    return Response(
        paged_list(
            rows.filter(project=request.project),
            request.GET,
            data_ref="data",
            rows_to_wire=to_wire,
            orders=ASSIGNMENT_ORDERS,
        )
    )
