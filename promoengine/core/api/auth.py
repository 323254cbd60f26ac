"""Who calls: a server, client or management key, or a bearer token made from one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from promoengine.core.errors import MissingPermission, Unauthorized
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.api_keys import verify_api_key
from promoengine.core.services.oauth import verify_token

HEADERS = {
    ApiKey.Kind.SERVER: ("X-App-Id", "X-App-Token"),
    ApiKey.Kind.CLIENT: ("X-Client-Application-Id", "X-Client-Token"),
    ApiKey.Kind.MANAGEMENT: ("X-Management-Id", "X-Management-Token"),
}

_META_NAMES = {
    kind: [f"HTTP_{name.upper().replace('-', '_')}" for name in names] for kind, names in HEADERS.items()
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The key behind a request; `scopes` is None for a key itself, which may do all its kind may."""

    key: ApiKey
    scopes: frozenset[str] | None = field(default=None)
    is_authenticated: bool = True

    @property
    def project(self) -> Project:
        return self.key.project

    def may(self, scope: str) -> bool:
        if self.scopes is None:
            return True
        everything = "client_api" if scope.startswith("client_") else "api"
        return scope in self.scopes or everything in self.scopes


class KeyAuthentication(BaseAuthentication):
    """Reads the headers of the view's kind of key, or a bearer token."""

    def __init__(self, kind: ApiKey.Kind, scope: str, *, bearer: bool = True) -> None:
        self.kind = kind
        self.scope = scope
        self.bearer = bearer

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        """Return the caller.

        Raises:
            Unauthorized: no key, a wrong one, or a dead token.
            MissingPermission: the token's scopes do not cover this resource.
        """
        # Not by `headers`, which is put together of all there are, and takes longer than all the rest here.
        sent = request.META
        authorization = sent.get("HTTP_AUTHORIZATION", "")
        if self.bearer and authorization.startswith("Bearer "):
            return self._by_token(authorization.removeprefix("Bearer ").strip()), None
        app_id, token = (sent.get(name) for name in _META_NAMES[self.kind])
        if not app_id or not token:
            raise Unauthorized
        return Caller(verify_api_key(app_id, token, kind=self.kind)), None

    def _by_token(self, secret: str) -> Caller:
        token = verify_token(secret, now=datetime.now(UTC))
        key = token.api_key
        key.project = token.project
        caller = Caller(key, frozenset(token.scopes))
        if not caller.may(self.scope):
            raise MissingPermission(f"The token's scopes do not include '{self.scope}'")
        return caller

    def authenticate_header(self, request: Request) -> Any:
        return "Bearer"
