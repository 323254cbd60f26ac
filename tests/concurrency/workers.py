"""Workers of async actions: killed at any moment, followed by others, or on a connection of their own."""

import multiprocessing
import time

from django.db import connection

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action


def kill_after(seconds: float, action: AsyncAction) -> None:
    # The child must not share our connection.
    connection.close()
    worker = multiprocessing.get_context("fork").Process(target=run_async_action, args=[action.pk])
    worker.start()
    time.sleep(seconds)
    worker.kill()
    worker.join()


def finish(action: AsyncAction) -> None:
    """Go on until it has ended; Postgres may need a moment to see that the last worker is dead."""
    deadline = time.monotonic() + 60
    while action.finished_at is None and time.monotonic() < deadline:
        run_async_action(action.pk)
        action.refresh_from_db()


def run_and_close(action: AsyncAction) -> None:
    try:
        run_async_action(action.pk)
    finally:
        connection.close()
