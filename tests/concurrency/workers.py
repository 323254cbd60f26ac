"""Workers of async actions: killed at any moment, followed by others, or on a connection of their own."""

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action


def kill_ten_times(action: AsyncAction, chance: random.Random, *, work: int) -> int:
    """Kill ten workers, each a random moment after it got somewhat further than the last one.

    `work` is how much there is to be done and, where rows are read first, to be read. Return how many of the
    workers had not ended by themselves.
    """
    return sum(
        _kill_past(chance.randrange(work * number // 16, work * (number + 1) // 16), action, chance)
        for number in range(10)
    )


def kill_after(seconds: float, action: AsyncAction) -> None:
    worker = _start(action)
    time.sleep(seconds)
    worker.kill()
    worker.join()


def run_and_die(action: AsyncAction) -> None:
    """Let a worker run that dies by itself; Postgres may need a moment to see that the last one is dead."""
    before = AsyncAction.objects.get(pk=action.pk).attempts
    while AsyncAction.objects.get(pk=action.pk).attempts == before:
        worker = _start(action)
        worker.join()


def kill_once(action: AsyncAction, *, when: Callable[[], bool]) -> None:
    """Start a worker, and kill it as soon as something is so, which it must be before the worker ends."""
    worker = _start(action)
    deadline = time.monotonic() + 60
    while not when():
        assert worker.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    worker.kill()
    worker.join()


def _kill_past(work: int, action: AsyncAction, chance: random.Random) -> bool:
    worker = _start(action)
    while (at := AsyncAction.objects.get(pk=action.pk)).finished_at is None and _work_of(at) <= work:
        if not worker.is_alive():  # Postgres had not yet seen that the last one is dead
            worker = _start(action)
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.02))
    worker.kill()
    worker.join()
    return worker.exitcode == -signal.SIGKILL


def _work_of(action: AsyncAction) -> int:
    return (action.read_count or 0) + action.done_count


def _start(action: AsyncAction) -> Any:
    # The child must not share our connection.
    connection.close()
    worker = multiprocessing.get_context("fork").Process(target=run_async_action, args=[action.pk])
    worker.start()
    return worker


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
