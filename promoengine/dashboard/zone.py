"""The dashboard shows and reads times in the zone of the shop."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from promoengine.core.admin_project import current_project
from promoengine.core.models import Project


class ProjectZone:
    """Makes the current project's zone the zone of a dashboard request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(self.prefix) or not request.user.is_authenticated:
            return self.get_response(request)
        try:
            zone = current_project(request).timezone
        except Project.DoesNotExist:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)
