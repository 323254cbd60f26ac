"""Rate limits: how many requests a key may send in a minute, and a browser's address in five seconds.

Counts live in Valkey, so that all processes share them; when it can't be reached nobody is refused.
"""

import logging
import time
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

MINUTE = 60
CLIENT_WINDOW = 5
TIMEOUT_SECONDS = 0.2  # a slow Valkey may not slow the checkout


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may still send in this window; `resets_at` is a Unix time in seconds."""

    limit: int
    remaining: int
    resets_at: int

    @property
    def is_exceeded(self) -> bool:
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """Return the published headers of every answer, and of a refusal."""
        shown = {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(max(0, self.remaining)),
            "X-Rate-Limit-Retry": str(self.resets_at),
        }
        if self.is_exceeded:
            shown |= {
                "Retry-After": str(max(1, self.resets_at - int(time.time()))),
                "X-Rate-Limit-Type": "api_calls",
            }
        return shown


def allowance_of_key(app_id: str) -> Allowance | None:
    """Count a request of a key, or return None where there is no limit."""
    return _count(f"rate:{app_id}", settings.RATE_LIMIT_PER_MINUTE, MINUTE)


def allowance_of_address(app_id: str, address: str) -> Allowance | None:
    """Count a request of a browser's address, which could try out codes, or return None without a limit."""
    return _count(f"rate:{app_id}:{address}", settings.CLIENT_RATE_LIMIT, CLIENT_WINDOW)


@cache
def _counters(url: str) -> Redis:
    """Return this process's client, whose connections are kept open."""
    return Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)


def _count(name: str, limit: int, seconds: int) -> Allowance | None:
    if limit <= 0:
        return None
    now = int(time.time())
    window = now - now % seconds
    try:
        with _counters(settings.REDIS_URL).pipeline(transaction=False) as pipeline:
            pipeline.incr(f"{name}:{window}")
            pipeline.expire(f"{name}:{window}", seconds * 2)
            used = pipeline.execute()[0]
    except RedisError:
        log.exception("rate limits are off: Valkey can't be reached")
        return None
    return Allowance(limit, limit - used, window + seconds)
