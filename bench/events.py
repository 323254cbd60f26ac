"""How many custom events a second come in, how long one takes, and how far behind what follows is.

The load comes from processes on the same machine, so the ratios count and not the absolute figures. The
floor is that of redemptions, `bench/floor.py`, which writes one row a request. The product runs as `make run`
starts it, with 2 web workers and without a rate limit; relay and workers run beside. What is sent:

- known: an event of one of a thousand stored customers. The ratio is to the floor's line.
- once: with the sender's id of it, which no other event has. The ratio, as those below, is to known ones.
- counted: a segment asks for events of that name, so each asks whether its customer enters or leaves.
- told more: the event says of its customer what is new, so the customer changes as well.
- new: the customer has to be made.
- steady: as many a second as named, with the sender's ids, whether or not answers are late; then how old the
  oldest event became that the relay had not handed on, and how long after the last one it had caught up.
"""

import os
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg

from bench.checkout import BUSY, Shop
from bench.floor import CLIENTS, floor_beside, floor_requests
from bench.load import (
    HEADING,
    Figures,
    measure,
    measure_in_turns,
    measure_steady,
    post,
    print_machine,
    print_row,
)
from promoengine.embedded.place import embedded_database_url
from tests.product import running_product

CUSTOMERS, RATE, SECONDS = 1000, 1000, 10.0
# More than can be sent in a measurement, so that none comes twice.
MANY = 16_000
OLDEST_WAITING = """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)
    FROM core_outboxevent WHERE relayed_at IS NULL
"""


class Behind:
    """Watches how old the oldest event is that the relay has not handed on, four times a second."""

    def __init__(self, url: str) -> None:
        self.url, self.most, self.is_over = url, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Behind":
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.is_over.set()
        self.thread.join()

    def catching_up(self) -> float:
        """Return after how many seconds nothing waits any more."""
        began = time.monotonic()
        with psycopg.connect(self.url, autocommit=True) as connection:
            while _oldest(connection):
                time.sleep(0.02)
        return time.monotonic() - began

    def _watch(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.is_over.wait(0.25):
                self.most = max(self.most, _oldest(connection))


def main() -> None:
    """Run the measurements and print a table."""
    with running_product(WEB_WORKERS="2", RATE_LIMIT_PER_MINUTE="0") as product:
        shop = Shop(product.port, {"X-App-Id": product.app_id, "X-App-Token": product.app_token})
        print_machine()
        print(HEADING)
        with floor_beside(product.state_dir) as floor:
            measure_all(shop, floor, embedded_database_url(product.state_dir))
        print("Load average of the last minute:", os.getloadavg()[0])


def measure_all(shop: Shop, floor: int, url: str) -> None:
    """Print the product's lines."""
    for number in range(CUSTOMERS):
        shop.make("/v1/customers", {"source_id": f"c-{number}", "name": f"Customer {number}"})
    plain, bare = events(shop, CUSTOMERS, lambda number: {}), floor_requests("redeem")
    measure(shop.port, plain, clients=BUSY, seconds=1.0)
    known = {}
    for clients in CLIENTS:
        least, known[clients] = measure_in_turns([(floor, bare), (shop.port, plain)], clients=clients)
        print_row(f"floor: redeem, {clients} clients", least)
        print_row(f"events, known, {clients} clients", known[clients], least)
    print_steady(shop, url)
    print_row("events, once", unique(shop, once), known[BUSY])
    shop.make(
        "/v1/segments",
        {
            "name": "Bench",
            "type": "auto-update",
            "filter": {"events.counted.count": {"conditions": {"$more_than": [5]}}},
        },
    )
    counted = events(shop, CUSTOMERS, lambda number: {"event": "counted"})
    print_row("events, counted by a segment", measure(shop.port, counted, clients=BUSY), known[BUSY])
    print_row("events, told more", unique(shop, told_more), known[BUSY])
    print_row("events, new customers", unique(shop, of_somebody_new), known[BUSY])


def print_steady(shop: Shop, url: str) -> None:
    """Print how a steady rate is kept up with, and how far behind what follows is."""
    with Behind(url) as behind:
        requests = events(shop, MANY, once)
        behind.catching_up()
        behind.most = 0.0
        steady = measure_steady(shop.port, requests, rate=RATE, clients=32, seconds=SECONDS, once=True)
        rest = behind.catching_up()
    print_row(f"steady {RATE} events/s", steady)
    print(f"relay: at most {behind.most:.2f} s behind, done {rest:.2f} s after the last event")


def events(shop: Shop, count: int, more: Callable[[int], dict[str, Any]]) -> list[bytes]:
    """Return as many requests, each of the next customer, with what more they say."""
    return [
        post(
            "/v1/events",
            {
                "event": "product_seen",
                "customer": {"source_id": f"c-{number % CUSTOMERS}"},
                "metadata": {"product": f"prod_{number % 50}", "price": 1990},
            }
            | more(number),
            shop.headers,
        )
        for number in range(count)
    ]


def unique(shop: Shop, more: Callable[[int], dict[str, Any]]) -> Figures:
    """Measure events of which each is sent by one client, once."""
    return measure(shop.port, events(shop, MANY, more), clients=BUSY, once=True)


def once(_number: int) -> dict[str, Any]:
    return {"source_id": str(uuid.uuid4())}


def told_more(number: int) -> dict[str, Any]:
    return {"customer": {"source_id": f"c-{number % CUSTOMERS}", "metadata": {"seen": number}}}


def of_somebody_new(_number: int) -> dict[str, Any]:
    return {"customer": {"source_id": str(uuid.uuid4())}}


def _oldest(connection: psycopg.Connection) -> float:
    (seconds,) = connection.execute(OLDEST_WAITING).fetchone() or (0,)
    return float(seconds)


if __name__ == "__main__":
    main()
