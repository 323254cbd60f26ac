"""Rate limits: how many requests a key may send in a minute, and a browser's address in five seconds.

Counts live in Valkey, so that all processes share them; when it can't be reached nobody is refused.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

OFF = "rate limits are off: Valkey can't be reached"
MINUTE = 60
CLIENT_WINDOW = 5
LEASES_PER_WINDOW, LEASES_KEPT = 1000, 10_000
TIMEOUT_SECONDS = 0.2  # a slow Valkey may not slow the checkout


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still send in this window; `resets_at` is a Unix time in seconds.

    Who is on hold, for having tried too many codes that do not exist, has `held_for` seconds to wait.
    """

    limit: int
    remaining: int
    resets_at: int
    held_for: int = 0

    @property
    def is_exceeded(self) -> bool:
        return self.remaining < 0 or self.held_for > 0

    def headers(self) -> dict[str, str]:
        """Return the published headers of every answer, and of a refusal."""
        shown = {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(max(0, self.remaining)),
            "X-Rate-Limit-Retry": str(self.resets_at),
        }
        if self.is_exceeded:
            shown |= {
                "Retry-After": str(self.held_for or max(1, self.resets_at - int(time.time()))),
                "X-Rate-Limit-Type": "api_calls",
            }
        return shown


@dataclass(frozen=True, slots=True)
class _Lease:
    """Numbers of requests that this process may still give out in a window."""

    window: int
    numbers: deque[int]


_leases: dict[str, _Lease] = {}
_leasing = Lock()


def allowance_of_key(app_id: str) -> Allowance | None:
    """Count a request of a key, or return None where there is no limit."""
    return _count(f"rate:{app_id}", settings.RATE_LIMIT_PER_MINUTE, MINUTE)


def allowance_of_address(app_id: str, address: str, *, holds: Sequence[str] = ()) -> Allowance | None:
    """Count a request of a browser's address, or return None where nothing limits it.

    `holds` are keys of Valkey that are there while the caller has to wait, and go when that is over.
    """
    name, limit = f"rate:{app_id}:{address}", settings.CLIENT_RATE_LIMIT
    if not holds:
        return _count(name, limit, CLIENT_WINDOW)
    now = int(time.time())
    window = now - now % CLIENT_WINDOW
    try:
        number, held_for = _number_and_hold(f"{name}:{window}", holds)
    except RedisError:
        log.exception(OFF)
        return None
    if limit <= 0:
        return Allowance(0, 0, now + held_for, held_for) if held_for else None
    return Allowance(limit, limit - number, window + CLIENT_WINDOW, held_for)


def _number_and_hold(name: str, holds: Sequence[str]) -> tuple[int, int]:
    """Return the number of this request in its window and the seconds its caller is on hold, in one trip."""
    with counters(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
        pipeline.incr(name)
        pipeline.expire(name, CLIENT_WINDOW * 2)
        for hold in holds:
            pipeline.ttl(hold)
        number, _, *waits = pipeline.execute()
    return number, max(0, *waits)


@cache
def counters(url: str) -> Redis:
    """Return this process's client, whose connections are kept open."""
    return Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)


def _count(name: str, limit: int, seconds: int) -> Allowance | None:
    if limit <= 0:
        return None
    now = int(time.time())
    window = now - now % seconds
    try:
        number = _number(name, window, seconds, at_once=max(1, limit // LEASES_PER_WINDOW))
    except RedisError:
        log.exception(OFF)
        return None
    return Allowance(limit, limit - number, window + seconds)


def _number(name: str, window: int, seconds: int, *, at_once: int) -> int:
    """Return the number of this request in its window; no two requests of any process have the same.

    Numbers are fetched several at once where the limit is high, because asking for each costs more than
    answering many a request. Those fetched and not given out count as used.
    """
    with _leasing:
        lease = _leases.get(name)
        if lease is not None and lease.window == window and lease.numbers:
            return lease.numbers.popleft()
    with counters(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
        pipeline.incrby(f"{name}:{window}", at_once)
        pipeline.expire(f"{name}:{window}", seconds * 2)
        last: int = pipeline.execute()[0]
    if at_once > 1:
        _keep_lease(name, window, range(last - at_once + 2, last + 1))
    return last - at_once + 1


def _keep_lease(name: str, window: int, numbers: range) -> None:
    with _leasing:
        lease = _leases.get(name)
        if lease is not None and lease.window == window:
            lease.numbers.extend(numbers)
            return
        if len(_leases) > LEASES_KEPT:
            _leases.clear()
        _leases[name] = _Lease(window, deque(numbers))
