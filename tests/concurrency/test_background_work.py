"""Background work that the database breaks off."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import (
    advance,
    resume_async_actions,
    run_async_action,
    start_async_action,
)
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

LOCK = "SELECT FROM customers_customer WHERE id = %s FOR UPDATE"
WAITS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
RIVALS = []


def lock_both(action):
    first, second = action.params["customers"]
    with transaction.atomic(), connection.cursor() as cursor:
        # Who looks first is the one that is broken off.
        cursor.execute("SET LOCAL deadlock_timeout = '20ms'")
        cursor.execute(LOCK, [first])
        if RIVALS:
            RIVALS.pop()()
        cursor.execute(LOCK, [second])
        advance(action, done=1)


def test_a_deadlock_is_no_failure(project):
    first, second = (str(CustomerFactory(project=project).pk) for _ in range(2))
    job, now = "tests.concurrency.test_background_work.lock_both", timezone.now()
    action = start_async_action(
        project, "TEST", job=job, params={"customers": [first, second]}, total_count=1, now=now
    )
    rival = connection.copy()

    with ThreadPoolExecutor(1) as pool:

        def hold_the_second_and_wait_for_the_first():
            cursor.execute(LOCK, [second])
            pool.submit(cursor.execute, LOCK, [first])
            while not waiting():
                sleep(0.01)

        with rival.cursor() as cursor:
            rival.inc_thread_sharing()
            rival.set_autocommit(False)
            RIVALS.append(hold_the_second_and_wait_for_the_first)
            with pytest.raises(OperationalError, match="deadlock"):
                run_async_action(action.pk)
    rival.rollback()
    rival.close()

    action.refresh_from_db()
    assert (action.status, action.done_count) == (AsyncAction.Status.IN_PROGRESS, 0)
    assert resume_async_actions(now=timezone.now() + timedelta(minutes=1)) == 1
    run_async_action(action.pk)
    action.refresh_from_db()
    assert (action.status, action.done_count) == (AsyncAction.Status.DONE, 1)


def waiting():
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return cursor.fetchone()[0]
