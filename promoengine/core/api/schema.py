"""How the API's description names its keys and operations."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from promoengine.core.api.auth import HEADERS, KeyAuthentication


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Two headers of a key together, or a bearer token."""

    target_class = KeyAuthentication
    name = ["key id", "key secret", "bearer"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        id_header, token_header = HEADERS[self.target.kind]
        return [
            {"type": "apiKey", "in": "header", "name": id_header},
            {"type": "apiKey", "in": "header", "name": token_header},
            {"type": "http", "scheme": "bearer"},
        ]


class Schema(AutoSchema):
    """Names operations after their views, which are unique, as in `VoucherByRef_get`."""

    def get_operation_id(self) -> str:
        return f"{type(self.view).__name__}_{self.method.lower()}"

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "scope", "api")]
