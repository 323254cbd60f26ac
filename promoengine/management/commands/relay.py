import logging
import signal
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from promoengine.core.services.relay import BATCH, relay_batch
from promoengine.subscribers import SUBSCRIBERS

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2
OUTAGE_SECONDS_MAX = 10.0


class Command(BaseCommand):
    help = "Hand what happened to the jobs that react to it, for as long as it runs."

    def handle(self, *args: Any, **options: Any) -> None:
        self.is_stopping = False
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self.stop_soon)
        outages = 0
        while not self.is_stopping:
            try:
                relayed = relay_batch(SUBSCRIBERS, now=datetime.now(UTC))
            except (DatabaseError, RedisError):
                # The events stay in Postgres: nothing is lost, it is only late.
                log.exception("relay waits for the database or the queue")
                connection.close()
                outages += 1
                time.sleep(min(OUTAGE_SECONDS_MAX, 0.5 * 2**outages))
            else:
                outages = 0
                # Jobs cost more than events: a moment's events go into one.
                if relayed < BATCH:
                    time.sleep(PAUSE_SECONDS)

    def stop_soon(self, signum: int, frame: object) -> None:
        self.is_stopping = True
