"""The routes of tokens, async actions, health and the API's description."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from promoengine.core.api import async_actions, health, oauth

urlpatterns = [
    path("v1/oauth/token", oauth.Token.as_view()),
    path("v1/oauth/introspect", oauth.Introspection.as_view()),
    path("v1/oauth/token/revoke", oauth.Revocation.as_view()),
    path("v1/async-actions", async_actions.AsyncActions.as_view()),
    path("v1/async-actions/<str:action_id>", async_actions.AsyncActionById.as_view()),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("livez", health.livez),
    path("readyz", health.readyz),
]
