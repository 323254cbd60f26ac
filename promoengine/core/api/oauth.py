"""Bearer tokens over REST; forms are what the standard says, JSON is taken as well."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from promoengine.core.api.views import ApiRequest, FormOrJson, ServerView
from promoengine.core.errors import InvalidPayload, NotFound
from promoengine.core.models import OAuthToken
from promoengine.core.services.oauth import LIFETIME, issue_token, live_token, revoke_token


class TokenBody(serializers.Serializer):
    grant_type = serializers.CharField(help_text="client_credentials")
    scope = serializers.CharField(help_text="Scopes, separated by blanks; api is all of them.")


class AccessTokenBody(serializers.Serializer):
    access_token = serializers.CharField()


class TokenAnswer(serializers.Serializer):
    access_token = serializers.CharField()
    client_id = serializers.CharField()
    expires_at = serializers.IntegerField()
    expires_in = serializers.IntegerField()
    scope = serializers.CharField()
    token_type = serializers.CharField()


class IntrospectionAnswer(serializers.Serializer):
    active = serializers.BooleanField()


class OAuthView(FormOrJson, ServerView):
    bearer = False


class Token(OAuthView):
    @extend_schema(request=TokenBody, responses=TokenAnswer)
    def post(self, request: ApiRequest) -> Response:
        made = issue_token(
            request.caller.key,
            grant_type=_field(request, "grant_type"),
            scope=_field(request, "scope"),
            now=datetime.now(UTC),
        )
        return Response(token_to_wire(made.token, made.secret))


class Introspection(OAuthView):
    @extend_schema(request=AccessTokenBody, responses=IntrospectionAnswer)
    def post(self, request: ApiRequest) -> Response:
        secret = _field(request, "access_token") or ""
        token = live_token(request.project, secret, now=datetime.now(UTC))
        if token is None:
            return Response({"active": False})
        return Response(token_to_wire(token, secret) | {"active": True})


class Revocation(OAuthView):
    @extend_schema(request=AccessTokenBody, responses={204: None})
    def post(self, request: ApiRequest) -> Response:
        secret = _field(request, "access_token") or _field(request, "token") or ""
        if not revoke_token(request.project, secret):
            raise NotFound("access_token", "given")
        return Response(status=204)


def token_to_wire(token: OAuthToken, secret: str) -> dict[str, Any]:
    return {
        "access_token": secret,
        "client_id": str(token.api_key.app_id),
        "expires_at": int(token.expires_at.timestamp()),
        "expires_in": int(LIFETIME.total_seconds()),
        "scope": " ".join(token.scopes),
        "token_type": "Bearer",
    }


def _field(request: ApiRequest, name: str) -> str | None:
    if not hasattr(request.data, "get"):
        raise InvalidPayload("Payload should be object")
    value = request.data.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidPayload(f"Property .{name} should be string")
    if value is not None and "\x00" in value:
        raise InvalidPayload("A text may not contain a NUL byte")
    return value
