"""Bearer tokens by the client-credentials grant (RFC 6749 section 4.4), as the wire format publishes it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from promoengine.core.errors import DomainError, Unauthorized
from promoengine.core.models import ApiKey, OAuthToken, Project
from promoengine.core.services.api_keys import hash_token

LIFETIME = timedelta(minutes=15)
TOKENS_PER_PROJECT = 1000
RESOURCES = [
    "api",
    "vouchers",
    "campaigns",
    "promotions",
    "publications",
    "validations",
    "qualifications",
    "redemptions",
    "customers",
    "orders",
    "products",
    "skus",
    "validation-rules",
    "validation-rules-assignments",
    "segments",
    "events",
    "rewards",
    "loyalties",
    "referrals",
    "exports",
    "async-actions",
    "product-collections",
    "categories",
    "metadata-schemas",
    "locations",
    "templates",
    "trash-bin",
    "assets",
    "task-results",
    "consents",
]
SCOPES = frozenset(RESOURCES) | {f"client_{resource}" for resource in RESOURCES}


class InvalidScope(DomainError):
    key = "invalid_scope"
    message = "Invalid scope"


class InvalidGrantType(DomainError):
    key = "invalid_grant_type"
    message = "Invalid grant type"


class MissingParameters(DomainError):
    key = "missing_parameters"
    message = "Missing parameters"


class TooManyTokens(DomainError):
    key = "too_many_tokens"
    message = "Too many tokens"


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; `secret` is what the client sends as bearer."""

    token: OAuthToken
    secret: str


def issue_token(key: ApiKey, *, grant_type: str | None, scope: str | None, now: datetime) -> NewToken:
    """Make a bearer token of an API key.

    Raises:
        MissingParameters: the grant type or the scope is missing.
        InvalidGrantType: it is not `client_credentials`.
        InvalidScope: a scope is unknown.
        TooManyTokens: the project has a thousand live tokens.
    """
    if not grant_type or not scope:
        raise MissingParameters("Parameters 'grant_type' and 'scope' are required")
    if grant_type != "client_credentials":
        raise InvalidGrantType("Supported grant types: client_credentials")
    scopes = scope.split()
    if unknown := sorted(set(scopes) - SCOPES):
        raise InvalidScope(f"Unknown scopes: {', '.join(unknown)}. Known: {', '.join(sorted(SCOPES))}")
    project_tokens = OAuthToken.objects.filter(project=key.project)
    project_tokens.filter(expires_at__lte=now).delete()
    if project_tokens.count() >= TOKENS_PER_PROJECT:
        raise TooManyTokens(f"A project may have up to {TOKENS_PER_PROJECT} live tokens")
    secret = secrets.token_urlsafe(32)
    token = OAuthToken.objects.create(
        project=key.project,
        api_key=key,
        token_hash=hash_token(secret),
        scopes=scopes,
        expires_at=now + LIFETIME,
        created_at=now,
    )
    return NewToken(token, secret)


def verify_token(secret: str, *, now: datetime) -> OAuthToken:
    """Return the live token of that secret, its key and project loaded.

    Raises:
        Unauthorized: there is none, it has expired, or its key is revoked.
    """
    token = _live_tokens(now).filter(token_hash=hash_token(secret)).first()
    if token is None:
        raise Unauthorized
    return token


def live_token(project: Project, secret: str, *, now: datetime) -> OAuthToken | None:
    """Return the project's live token of that secret, or None."""
    return _live_tokens(now).filter(project=project, token_hash=hash_token(secret)).first()


def revoke_token(project: Project, secret: str) -> bool:
    """Delete the token of that secret; False where there is none."""
    deleted, _ = OAuthToken.objects.filter(project=project, token_hash=hash_token(secret)).delete()
    return bool(deleted)


def _live_tokens(now: datetime) -> QuerySet[OAuthToken]:
    return OAuthToken.objects.select_related("api_key", "project").filter(
        expires_at__gt=now, api_key__revoked_at=None
    )
