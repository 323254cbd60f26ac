"""Stacking rules over the management API."""

from datetime import UTC, datetime

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.selectors import stacking_project
from campaigns.services.stacking import create_stacking_rules, delete_stacking_rules, update_stacking_rules
from campaigns.wire import stacking_rules_id, stacking_rules_to_wire
from promoengine.core.api.views import ApiRequest, ManagementView, own_project
from promoengine.core.errors import NotFound


class StackingRulesList(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, project_id: str) -> Response:
        rules = stacking_rules_to_wire(stacking_project(own_project(request, project_id)))
        return Response({"object": "list", "data_ref": "data", "data": [rules], "total": 1})

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: ApiRequest, project_id: str) -> Response:
        project = own_project(request, project_id)
        made = create_stacking_rules(project, data=request.data, now=datetime.now(UTC))
        return Response(stacking_rules_to_wire(made))


class StackingRulesById(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, project_id: str, rules_id: str) -> Response:
        project = stacking_project(own_project(request, project_id))
        if stacking_rules_id(project) != rules_id:
            raise NotFound("stacking_rules", rules_id)
        return Response(stacking_rules_to_wire(project))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def put(self, request: ApiRequest, project_id: str, rules_id: str) -> Response:
        project = own_project(request, project_id)
        changed = update_stacking_rules(project, rules_id, data=request.data, now=datetime.now(UTC))
        return Response(stacking_rules_to_wire(changed))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, project_id: str, rules_id: str) -> Response:
        delete_stacking_rules(own_project(request, project_id), rules_id)
        return Response(status=204)
