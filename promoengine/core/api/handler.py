"""One place turns exceptions into the published error body."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from promoengine.core import errors

log = logging.getLogger(__name__)


def handle_exception(exception: Exception, context: dict[str, Any]) -> Response:
    """Return the error body for whatever a view raised; a bug is logged with the request id it answers."""
    request_id = context["request"].request_id
    refusal = as_refusal(exception)
    if isinstance(refusal, errors.InternalError):
        log.error("unhandled error in the API", exc_info=exception, extra={"request_id": request_id})
    return Response(refusal.body(request_id), status=refusal.status)


def as_refusal(exception: Exception) -> errors.DomainError:
    """Return the refusal that an exception of the framework or of ours amounts to."""
    match exception:
        case errors.DomainError():
            return exception
        case exceptions.ValidationError():
            return errors.InvalidPayload("; ".join(property_errors(exception.detail)))
        case exceptions.ParseError():
            return errors.InvalidPayload(str(exception.detail))
        case RequestDataTooBig():
            return errors.QueryTooLarge(str(exception))
        case exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed(str(exception.detail))
        case exceptions.UnsupportedMediaType() | exceptions.NotAcceptable():
            return errors.UnsupportedMediaType(str(exception.detail))
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return errors.Unauthorized()
        case exceptions.PermissionDenied() | PermissionDenied():
            return errors.MissingPermission()
        case exceptions.NotFound() | Http404():
            return errors.RouteNotFound()
        case _:
            return errors.InternalError()


def property_errors(detail: Any, path: str = "") -> list[str]:
    """Return a serializer's errors as sentences that name the property, `Property .a.b …`."""
    if isinstance(detail, dict):
        return [
            sentence
            for name, inner in detail.items()
            for sentence in property_errors(inner, _below(path, name))
        ]
    if isinstance(detail, list):
        return [
            sentence
            for index, inner in enumerate(detail)
            for sentence in property_errors(inner, path if isinstance(inner, str) else f"{path}[{index}]")
        ]
    return [f"Property {path} {detail}" if path else f"Payload {detail}"]


def _below(path: str, name: str | int) -> str:
    if name == "non_field_errors":
        return path
    return f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}"
