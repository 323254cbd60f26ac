"""The pages of the dashboard that say that something may not be opened, or is not there."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import defaults


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403: on a page of the dashboard in words, elsewhere as Django does."""
    if not _is_page(request):
        return defaults.permission_denied(request, exception)
    context = {
        "title": _("You may not do this"),
        "said": _("Your account is not allowed to. Who looks after your team can change that."),
    }
    return _page(request, context, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: on a page of the dashboard in words, elsewhere as Django does."""
    if not _is_page(request):
        return defaults.page_not_found(request, exception)
    context = {
        "title": _("This is not here"),
        "said": _("It may have been deleted, or belong to another project than the one you work in."),
    }
    return _page(request, context, status=404)


def _is_page(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return request.path.startswith(reverse("admin:index")) and bool(user and user.is_staff)


def _page(request: HttpRequest, context: dict[str, Any], *, status: int) -> HttpResponse:
    return render(
        request, "dashboard/refused.html", admin.site.each_context(request) | context, status=status
    )
