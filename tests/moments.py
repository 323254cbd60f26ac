"""Two moments no test lives long enough to pass."""

from datetime import UTC, datetime

PAST = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE = datetime(2999, 1, 1, tzinfo=UTC)
