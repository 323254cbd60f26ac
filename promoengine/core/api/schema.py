"""How the API's description names its keys."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

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
