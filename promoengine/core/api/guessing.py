"""Guessing of codes: who tries codes that do not exist, time after time, has to wait, longer each time.

Counts live in Valkey, like those of rate limits; when it can't be reached nobody has to wait. Only misses are
counted, and whether somebody has to wait is read together with the rate limit: a code that exists costs no
trip more.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException

from promoengine.core.api.addresses import address_of, neighborhood_of
from promoengine.core.api.rate import Allowance, allowance_of_address, counters
from promoengine.core.api.views import ApiRequest, ClientView
from promoengine.core.errors import DomainError
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.guessing import report_guessing

log = logging.getLogger(__name__)

WINDOW = 600
HOLD_MAX = 3600
REMEMBERED = 24 * 3600  # how long it is remembered how often somebody had to wait


class CodeView(ClientView):
    """A door by which browsers name codes, and could try them out."""

    def count(self, request: ApiRequest) -> None:
        try:
            _ = request.data
        except (DomainError, APIException):
            # What can't be read is counted by its address, and then refused.
            super().count(request)
            raise
        super().count(request)

    def allowance_of(self, request: ApiRequest) -> Allowance | None:
        app_id, address = str(request.caller.key.app_id), address_of(request)
        holds = [_hold(subject) for subject in guessers(request)] if settings.CLIENT_MISSES > 0 else ()
        return allowance_of_address(app_id, address, holds=holds)


def guessers(request: ApiRequest) -> list[str]:
    """Return whom a miss counts against: the address, and the session that is named, each under its key."""
    app_id, address, session = str(request.caller.key.app_id), address_of(request), _session_key(request)
    found = [f"{app_id}:address:{neighborhood_of(address)}"] if address else []
    if session:
        found.append(f"{app_id}:session:{hashlib.sha256(session.encode()).hexdigest()}")
    return found


def note_misses(request: ApiRequest, misses: int) -> None:
    """Count codes that a request named and that, as far as it is told, do not exist.

    A shop's server is never made to wait, because it asks for all its visitors; what it asks counts for the
    project's alert.
    """
    if misses <= 0:
        return
    try:
        if request.caller.key.kind == ApiKey.Kind.CLIENT and settings.CLIENT_MISSES > 0:
            _note(guessers(request), misses)
        _watch(request.project, misses)
    except RedisError:
        log.exception("guessing of codes is not counted: Valkey can't be reached")


def _note(subjects: Sequence[str], misses: int) -> None:
    """Count misses in each one's window that slides, and hold those who have filled theirs."""
    now = time.time()
    noted = {f"{now}:{secrets.token_hex(8)}": now for _ in range(misses)}
    with counters(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
        for subject in subjects:
            pipeline.zadd(f"misses:{subject}", noted)
            pipeline.zremrangebyscore(f"misses:{subject}", 0, now - WINDOW)
            pipeline.zcard(f"misses:{subject}")
            pipeline.expire(f"misses:{subject}", WINDOW)
        counts = pipeline.execute()[2::4]
    for subject, count in zip(subjects, counts, strict=True):
        if count >= settings.CLIENT_MISSES:
            _hold_off(subject)


def _hold_off(subject: str) -> None:
    """Make somebody wait: as long as the window the first time, twice as long each time after it."""
    with counters(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
        pipeline.incr(f"holds:{subject}")
        pipeline.expire(f"holds:{subject}", REMEMBERED)
        pipeline.delete(f"misses:{subject}")
        times: int = pipeline.execute()[0]
    seconds = min(HOLD_MAX, WINDOW * 2 ** min(times - 1, 10))
    counters(settings.REDIS_URL).set(_hold(subject), 1, ex=seconds)


def _watch(project: Project, misses: int) -> None:
    """Count a project's misses, and tell of it each time another alert's worth has come together."""
    if settings.GUESSING_ALERT <= 0:
        return
    window = int(time.time()) // WINDOW
    with counters(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
        pipeline.incrby(f"misses:{project.pk}:{window}", misses)
        pipeline.expire(f"misses:{project.pk}:{window}", 2 * WINDOW)
        tried: int = pipeline.execute()[0]
    if tried // settings.GUESSING_ALERT > (tried - misses) // settings.GUESSING_ALERT:
        report_guessing(project, tried=tried, now=datetime.now(UTC))


def _hold(subject: str) -> str:
    return f"hold:{subject}"


def _session_key(request: ApiRequest) -> str:
    body: Any = request.data
    session = body.get("session") if isinstance(body, Mapping) else None
    key = session.get("key") if isinstance(session, Mapping) else request.GET.get("session_key")
    return key if isinstance(key, str) else ""
