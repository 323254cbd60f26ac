"""Pages of a qualification: the moment that says where one ended, and what comes after it.

The published cursor is a moment. Newest first it is when the last one shown was made, to the millisecond as
everywhere on the wire; where a page ends between several of one millisecond, its microseconds say how many
of them were shown. Sorted by deals there is no such moment, so it counts all that were shown, in
milliseconds since 1970.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN_MAX = 999


class Made(Protocol):
    """Something that was made at a moment."""

    @property
    def created_at(self) -> datetime: ...


T = TypeVar("T", bound=Made)


def end_before(cursor: datetime) -> datetime:
    """Return the moment before which all was made that a page after the cursor may show."""
    return _millisecond(cursor) + MILLISECOND if _shown(cursor) else cursor


def after(cursor: datetime | None, newest_first: Iterable[T]) -> Iterator[T]:
    """Yield what comes after the cursor, of all that was made before its end."""
    if cursor is None:
        yield from newest_first
        return
    left = _shown(cursor)
    for one in newest_first:
        if left and _millisecond(one.created_at) == _millisecond(cursor):
            left -= 1
        else:
            yield one


def cursor_after(page: Sequence[Made], following: Made, cursor: datetime | None) -> datetime:
    """Return the cursor of the page that begins with `following`; `cursor` is that of this page."""
    moment = _millisecond(page[-1].created_at)
    if _millisecond(following.created_at) != moment:
        return moment
    shown = sum(_millisecond(one.created_at) == moment for one in page)
    if cursor is not None and _millisecond(cursor) == moment:
        shown += _shown(cursor)
    # More of one millisecond than that can't be told apart; some are shown twice then.
    return moment + timedelta(microseconds=min(shown, SHOWN_MAX))


def deals_shown(cursor: datetime | None) -> int:
    """Return how many deals the pages before have shown."""
    return max(0, (cursor - EPOCH) // MILLISECOND) if cursor else 0


def cursor_of_deals(shown: int) -> datetime:
    """Return the cursor of the page after so many deals."""
    return EPOCH + shown * MILLISECOND


def cursor_to_wire(cursor: datetime) -> str:
    """Return a cursor as the wire has moments, with microseconds only where they say something."""
    precision = "microseconds" if _shown(cursor) else "milliseconds"
    return cursor.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _shown(cursor: datetime) -> int:
    return cursor.microsecond % 1000


def _millisecond(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=moment.microsecond % 1000)
