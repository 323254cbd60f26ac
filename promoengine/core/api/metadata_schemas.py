"""Metadata schemas and schemas of custom events: read by storefronts, defined over the management API."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.views import ApiRequest, ManagementView, ServerView, own_project
from promoengine.core.errors import NotFound
from promoengine.core.models import MetadataSchema, Project
from promoengine.core.services.metadata_schemas import (
    create_event_schema,
    create_metadata_schema,
    delete_schema,
    metadata_schema,
    update_event_schema,
    update_metadata_schema,
)
from promoengine.core.wire import event_schema_to_wire, metadata_schema_to_wire, storefront_schema_to_wire

Kind = MetadataSchema.Kind


class MetadataSchemas(ServerView):
    scope: ClassVar[str] = "metadata-schemas"

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest) -> Response:
        schemas = [storefront_schema_to_wire(schema) for schema in _schemas(request.project, Kind.OBJECT)]
        return Response({"object": "list", "data_ref": "schemas", "schemas": schemas, "total": len(schemas)})


class MetadataSchemaOfResource(ServerView):
    scope: ClassVar[str] = "metadata-schemas"

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, resource: str) -> Response:
        found = _schemas(request.project, Kind.OBJECT).filter(name=resource).first()
        if found is None:
            raise NotFound("metadata_schema", resource)
        return Response(storefront_schema_to_wire(found))


class ManagedMetadataSchemas(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, project_id: str) -> Response:
        rows = _schemas(own_project(request, project_id), Kind.OBJECT)
        return Response(_listed([metadata_schema_to_wire(schema) for schema in rows]))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: ApiRequest, project_id: str) -> Response:
        project = own_project(request, project_id)
        made = create_metadata_schema(project, data=request.data, now=datetime.now(UTC))
        return Response(metadata_schema_to_wire(made))


class ManagedMetadataSchemaById(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, project_id: str, schema_id: str) -> Response:
        found = metadata_schema(own_project(request, project_id), Kind.OBJECT, schema_id)
        return Response(metadata_schema_to_wire(found))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def put(self, request: ApiRequest, project_id: str, schema_id: str) -> Response:
        project = own_project(request, project_id)
        changed = update_metadata_schema(project, schema_id, data=request.data, now=datetime.now(UTC))
        return Response(metadata_schema_to_wire(changed))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, project_id: str, schema_id: str) -> Response:
        delete_schema(own_project(request, project_id), Kind.OBJECT, schema_id)
        return Response(status=204)


class EventSchemas(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, project_id: str) -> Response:
        rows = _schemas(own_project(request, project_id), Kind.EVENT)
        return Response(_listed([event_schema_to_wire(schema) for schema in rows]))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def post(self, request: ApiRequest, project_id: str) -> Response:
        project = own_project(request, project_id)
        return Response(
            event_schema_to_wire(create_event_schema(project, data=request.data, now=datetime.now(UTC)))
        )


class EventSchemaById(ManagementView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: ApiRequest, project_id: str, schema_id: str) -> Response:
        found = metadata_schema(own_project(request, project_id), Kind.EVENT, schema_id)
        return Response(event_schema_to_wire(found))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def put(self, request: ApiRequest, project_id: str, schema_id: str) -> Response:
        project = own_project(request, project_id)
        changed = update_event_schema(project, schema_id, data=request.data, now=datetime.now(UTC))
        return Response(event_schema_to_wire(changed))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, project_id: str, schema_id: str) -> Response:
        delete_schema(own_project(request, project_id), Kind.EVENT, schema_id)
        return Response(status=204)


def _schemas(project: Project, kind: MetadataSchema.Kind) -> QuerySet[MetadataSchema]:
    return MetadataSchema.objects.filter(project=project, kind=kind).order_by("name")


def _listed(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data_ref": "data", "data": schemas, "total": len(schemas)}
