"""What the published API asks of every path: a trailing slash is no difference, and errors are JSON."""

from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse

from promoengine.core import errors
from promoengine.core.api.renderers import to_json
from promoengine.core.ids import new_request_id

API_PREFIXES = ("/v1/", "/client/v1/", "/management/v1/")


class ApiPaths:
    """Drops the trailing slash of API paths, which some SDKs send, before the routes see it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(API_PREFIXES):
            request.path_info = request.path_info.rstrip("/")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if request.path_info.startswith(API_PREFIXES) and isinstance(
            exception, SuspiciousOperation | BadRequest
        ):
            refusal = errors.InvalidPayload(str(exception))
            return HttpResponse(
                to_json(refusal.body(new_request_id())),
                status=refusal.status,
                content_type="application/json",
            )
        return None
