"""API keys: made once, stored as hashes, looked up without a slow hash.

The secret has 256 random bits, so a plain SHA-256 of it can't be guessed back.
"""

import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import datetime

from promoengine.core.errors import Unauthorized
from promoengine.core.models import ApiKey, Project

# How long this process may go on using a key that another process has just revoked.
SECONDS_TRUSTED = 1.0


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made; `token` is shown now and never again."""

    key: ApiKey
    token: str


@dataclass(frozen=True, slots=True)
class _Known:
    key: ApiKey
    until: float


_known: dict[uuid.UUID, _Known] = {}


def create_api_key(project: Project, *, name: str, kind: ApiKey.Kind = ApiKey.Kind.SERVER) -> NewApiKey:
    """Create an API key and return it with its secret."""
    token = secrets.token_urlsafe(32)
    return NewApiKey(
        ApiKey.objects.create(project=project, name=name, kind=kind, token_hash=hash_token(token)), token
    )


def revoke_api_key(project: Project, *, key: ApiKey, now: datetime) -> None:
    """Close a key: within a second no process accepts it or a token made from it."""
    ApiKey.objects.filter(project=project, pk=key.pk, revoked_at=None).update(revoked_at=now)
    _known.pop(key.app_id, None)


def verify_api_key(app_id: str, token: str, *, kind: ApiKey.Kind) -> ApiKey:
    """Return the live key with that id and secret, its project loaded.

    Raises:
        Unauthorized: there is no such key, the secret is another, the kind is another, or it is revoked.
    """
    try:
        key = _live_key(uuid.UUID(app_id))
    except ValueError as error:
        raise Unauthorized from error
    if key.kind != kind or not secrets.compare_digest(key.token_hash, hash_token(token)):
        raise Unauthorized
    return key


def hash_token(token: str) -> str:
    """Return the hash under which a secret is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def _live_key(app_id: uuid.UUID) -> ApiKey:
    known = _known.get(app_id)
    if known and known.until > time.monotonic():
        return known.key
    key = ApiKey.objects.select_related("project").filter(app_id=app_id, revoked_at=None).first()
    if key is None:
        _known.pop(app_id, None)
        raise Unauthorized
    _known[app_id] = _Known(key, time.monotonic() + SECONDS_TRUSTED)
    return key
