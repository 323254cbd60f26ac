"""Expected refusals: everything a caller may be told, with the key and body the wire format publishes."""

from typing import Any


class DomainError(Exception):
    """A refusal the caller can expect; subclasses stand beside the service that raises them."""

    key = "invalid_payload"
    status = 400
    message = "Invalid payload"

    def __init__(
        self,
        details: str = "",
        *,
        resource_id: str | None = None,
        resource_type: str | None = None,
    ) -> None:
        super().__init__(details or self.message)
        self.details = details
        self.resource_id = resource_id
        self.resource_type = resource_type

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the published error body."""
        body: dict[str, Any] = {"code": self.status, "key": self.key, "message": self.message}
        if self.details:
            body["details"] = self.details
        body["request_id"] = request_id
        if self.resource_id is not None:
            body["resource_id"] = self.resource_id
        if self.resource_type is not None:
            body["resource_type"] = self.resource_type
        return body


class InvalidPayload(DomainError):
    """The body has the wrong shape; `details` names the property."""


class InvalidQueryParams(DomainError):
    key = "invalid_query_params"
    message = "Invalid query params"


class PageOverLimit(DomainError):
    key = "page_over_limit"
    message = "Listing resource above 1000 page is not supported"


class NotFound(DomainError):
    """Nothing of this project has that id; another project's rows look just the same."""

    key = "not_found"
    status = 404
    message = "Resource not found"

    def __init__(self, resource_type: str, resource_id: str) -> None:
        super().__init__(
            f"Cannot find {resource_type} with id {resource_id}",
            resource_id=resource_id,
            resource_type=resource_type,
        )


class RouteNotFound(DomainError):
    key = "not_found"
    status = 404
    message = "Resource not found"


class MethodNotAllowed(DomainError):
    key = "method_not_allowed"
    status = 405
    message = "Method not allowed"


class UnsupportedMediaType(DomainError):
    key = "unsupported_media_type"
    status = 415
    message = "Unsupported media type"


class QueryTooLarge(DomainError):
    key = "query_too_large"
    status = 413
    message = "Payload too large"


class Unauthorized(DomainError):
    key = "unauthorized"
    status = 401
    message = "Unauthorized"


class MissingPermission(DomainError):
    key = "missing_required_permission"
    status = 403
    message = "Missing permission"


class TooManyRequests(DomainError):
    key = "too_many_requests"
    status = 429
    message = "Too many requests hit the API too quickly."


class Duplicate(DomainError):
    """Another object has that name or code already."""

    key = "duplicate_found"
    status = 409
    message = "Duplicated resource found"


class IdempotencyKeyReused(DomainError):
    key = "idempotency_key_reused"
    status = 409
    message = "Idempotency key was used with another request"


class InternalError(DomainError):
    """A bug of ours: its traceback is in the log under the request id, never in the answer."""

    key = "internal_error"
    status = 500
    message = "Internal server error"
