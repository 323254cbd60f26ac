"""Every way in over HTTP: each room lists its own routes."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from promoengine.core.api.views import unknown_route
from promoengine.dashboard.health import health

admin.site.index_title = "Home"

handler403 = "promoengine.dashboard.refused.permission_denied"
handler404 = "promoengine.dashboard.refused.page_not_found"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # Before a hundred others, each of which takes a microsecond to be none of it.
    path("", include("customers.api.event_urls")),
    # The higher room first: a path such as `customers/{id}/redeemables` is more than `customers/{id}`.
    path("", include("redemptions.api.urls")),
    path("", include("vouchers.api.urls")),
    path("", include("campaigns.api.urls")),
    path("", include("customers.api.urls")),
    path("", include("promoengine.core.api.urls")),
    re_path(r"^(?:client/|management/)?v1(?:/.*)?$", unknown_route),
    path("admin/health/", health, name="health"),
    path("admin/", admin.site.urls),
]
