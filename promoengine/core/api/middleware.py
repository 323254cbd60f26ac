"""What the published API asks of every path: a trailing slash is no difference, and errors are JSON."""

import logging
from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse

from promoengine.core import errors
from promoengine.core.ids import new_request_id
from promoengine.core.json_text import to_json

log = logging.getLogger(__name__)

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
        """Answer what went wrong outside the views' own handler, as while an answer was written."""
        if not request.path_info.startswith(API_PREFIXES):
            return None
        request_id = new_request_id()
        if isinstance(exception, SuspiciousOperation | BadRequest):
            refusal: errors.DomainError = errors.InvalidPayload(str(exception))
        else:
            refusal = errors.InternalError()
            log.error("unhandled error in the API", exc_info=exception, extra={"request_id": request_id})
        return HttpResponse(
            to_json(refusal.body(request_id)), status=refusal.status, content_type="application/json"
        )
