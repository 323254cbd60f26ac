"""The routes of tokens, async actions, health and the API's description."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from promoengine.core.api import async_actions, health, metadata_schemas, oauth, projects

urlpatterns = [
    path("v1/oauth/token", oauth.Token.as_view()),
    path("v1/oauth/introspect", oauth.Introspection.as_view()),
    path("v1/oauth/token/revoke", oauth.Revocation.as_view()),
    path("v1/async-actions", async_actions.AsyncActions.as_view()),
    path("v1/async-actions/<str:action_id>", async_actions.AsyncActionById.as_view()),
    path("v1/async-actions/<str:action_id>/pause", async_actions.AsyncActionPausing.as_view()),
    path("v1/async-actions/<str:action_id>/resume", async_actions.AsyncActionResuming.as_view()),
    path("v1/async-actions/<str:action_id>/cancel", async_actions.AsyncActionCanceling.as_view()),
    path("v1/async-actions/<str:action_id>/undo", async_actions.AsyncActionUndoing.as_view()),
    path("v1/async-actions/<str:action_id>/report", async_actions.AsyncActionReport.as_view()),
    path("v1/metadata-schemas", metadata_schemas.MetadataSchemas.as_view()),
    path("v1/metadata-schemas/<path:resource>", metadata_schemas.MetadataSchemaOfResource.as_view()),
    path("management/v1/projects", projects.Projects.as_view()),
    path("management/v1/projects/<str:project_id>", projects.ProjectById.as_view()),
    path(
        "management/v1/projects/<str:project_id>/metadata-schemas",
        metadata_schemas.ManagedMetadataSchemas.as_view(),
    ),
    path(
        "management/v1/projects/<str:project_id>/metadata-schemas/<str:schema_id>",
        metadata_schemas.ManagedMetadataSchemaById.as_view(),
    ),
    path(
        "management/v1/projects/<str:project_id>/custom-event-schemas",
        metadata_schemas.EventSchemas.as_view(),
    ),
    path(
        "management/v1/projects/<str:project_id>/custom-event-schemas/<str:schema_id>",
        metadata_schemas.EventSchemaById.as_view(),
    ),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("livez", health.livez),
    path("readyz", health.readyz),
]
