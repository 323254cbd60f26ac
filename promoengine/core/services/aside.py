"""Progress that is told while one long statement is on its way, which keeps its own connection busy."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils import timezone

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import leave_if_asked

TELL = f"""
    UPDATE {AsyncAction._meta.db_table}
    SET done_count = greatest(done_count, %s), total_count = %s, attempts = 0, updated_at = %s
    WHERE id = %s RETURNING stop
"""


class Aside:
    """Tells of an action's progress by a connection of its own, which is opened with the first word."""

    def __init__(self, action: AsyncAction) -> None:
        self._action, self._connection = action, connection.copy()

    def say(self, done: int, total: int) -> None:
        """Write down how far it is, at once and whatever becomes of the statement.

        Raises:
            Paused, Canceled: somebody asked for it.
        """
        with self._connection.cursor() as cursor:
            cursor.execute(TELL, [done, total, timezone.now(), self._action.pk])
            found = cursor.fetchone()
        self._action.done_count = max(self._action.done_count, done)
        self._action.total_count = total
        if found:
            leave_if_asked(found[0])

    def close(self) -> None:
        self._connection.close()


@contextmanager
def aside(action: AsyncAction) -> Iterator[Aside]:
    """Give what tells of an action's progress while a statement is on its way."""
    found = Aside(action)
    try:
        yield found
    finally:
        found.close()
