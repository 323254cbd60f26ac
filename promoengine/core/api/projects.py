"""Projects over the management API: the key's own, and those that its project's keys have made."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.views import ApiRequest, ManagementView, own_project
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.api_keys import create_api_key
from promoengine.core.services.projects import (
    add_project,
    change_project,
    delete_project,
    managed_projects,
)
from promoengine.core.wire import project_to_wire

KEY_NAME = "management API"


class Projects(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest) -> Response:
        projects = [project_to_wire(project) for project in managed_projects(request.project)]
        return Response({"object": "list", "data_ref": "data", "data": projects, "total": len(projects)})

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    @transaction.atomic
    def post(self, request: ApiRequest) -> Response:
        project = add_project(request.project, data=request.data)
        keys = {
            "server_side_key": _new_key(project, ApiKey.Kind.SERVER),
            "client_side_key": _new_key(project, ApiKey.Kind.CLIENT),
        }
        return Response(project_to_wire(project) | keys)


class ProjectById(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, project_id: str) -> Response:
        project = own_project(request, project_id)
        return Response(project_to_wire(Project.objects.get(pk=project.pk)))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def put(self, request: ApiRequest, project_id: str) -> Response:
        project = own_project(request, project_id)
        return Response(project_to_wire(change_project(project, data=request.data)))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, project_id: str) -> Response:
        delete_project(own_project(request, project_id), now=datetime.now(UTC))
        return Response(status=204)


def _new_key(project: Project, kind: ApiKey.Kind) -> dict[str, Any]:
    made = create_api_key(project, name=KEY_NAME, kind=kind)
    return {"app_id": str(made.key.app_id), "app_token": made.token}
