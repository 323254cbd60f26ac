"""How fast segments of many customers are filled, and what writing customers takes meanwhile.

`bench/segments.py 1000000` asks that many customers; without an argument 50,000. One client changes a
customer every 20 ms, alone and while a segment is filled. The filters:

- said in SQL: the published example, a birthday next month, a country and two clubs
- one of ten: a number in metadata, where SQL leaves out most; all who are left enter
- not said in SQL: a value inside an object inside metadata, so that everybody is asked
- filter changed: of the first segment, to another country
"""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.load import print_machine
from tests.product import running_product

ALONE, PAUSE, POLL = 8.0, 0.02, 0.2
EXAMPLE = {
    "junction": "and",
    "birthdate": {"conditions": {"$next_month": [True]}},
    "address.country": {"conditions": {"$is": "Country 1"}},
    "metadata.club": {"conditions": {"$in": ["Gold", "Silver"]}},
}
FILTERS = {
    "said in SQL": EXAMPLE,
    "one of ten": {"metadata.level": {"conditions": {"$more_than_equal": [90]}}},
    "not said in SQL": {"metadata.shoe.size": {"conditions": {"$is": [47]}}},
}
CHANGED = EXAMPLE | {"address.country": {"conditions": {"$is": "Country 6"}}}


class Writer(Thread):
    """Changes one customer after the other, until it is stopped, and notes how long each took."""

    def __init__(self, port: int, headers: dict[str, str], size: int) -> None:
        super().__init__(daemon=True)
        self.client, self.headers, self.size = http.client.HTTPConnection("127.0.0.1", port), headers, size
        self.times: list[float] = []
        self.over = Event()

    def run(self) -> None:
        """Write; the metadata's number is new each time, so that something changes."""
        number = 0
        while not self.over.wait(PAUSE):
            number += 7919
            body = {"source_id": f"bench-{1 + number % self.size}", "metadata": {"seen": time.time_ns()}}
            began = time.perf_counter()
            send(self.client, "POST", "/v1/customers", self.headers, body)
            self.times.append(time.perf_counter() - began)

    def stop(self) -> list[float]:
        self.over.set()
        self.join()
        return sorted(self.times)


def main() -> None:
    """Run the measurements and print a table."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with running_product(RATE_LIMIT_PER_MINUTE="0") as product:
        headers = {"X-App-Id": product.app_id, "X-App-Token": product.app_token}
        subprocess.run(
            [sys.executable, str(ROOT / "bench" / "customers.py"), str(size)],
            env=os.environ | {"PROMO_STATE_DIR": str(product.state_dir)},
            check=True,
        )
        print_machine()
        print(f"{size:,} customers; writes of one client while it goes on")
        print(f"{'':24}{'seconds':>9}{'in':>9}{'writes':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
        measure_all(product.port, headers, size)
        print("Load average of the last minute:", os.getloadavg()[0])


def measure_all(port: int, headers: dict[str, str], size: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port)
    writer = Writer(port, headers, size)
    writer.start()
    time.sleep(ALONE)
    print_row("nothing", ALONE, "", writer.stop())
    made = {}
    for name, filter in FILTERS.items():
        body = {"name": name, "type": "auto-update", "filter": filter}
        made[name] = fill(name, client, port, headers, size, "POST", "/v1/segments", body)
    path = f"/v1/segments/{made['said in SQL']}"
    fill("filter changed", client, port, headers, size, "PUT", path, {"filter": CHANGED})


def fill(
    name: str,
    client: http.client.HTTPConnection,
    port: int,
    headers: dict[str, str],
    size: int,
    method: str,
    path: str,
    body: Any,
) -> str:
    """Make or change a segment, wait until it is filled, print how that went, and return its id."""
    writer = Writer(port, headers, size)
    writer.start()
    began = time.perf_counter()
    segment: dict[str, Any] = send(client, method, path, headers, body)
    while segment["initial_sync_status"] != "DONE":
        time.sleep(POLL)
        segment = send(client, "GET", f"/v1/segments/{segment['id']}", headers, None)
    seconds = time.perf_counter() - began
    times = writer.stop()
    listed = send(client, "GET", f"/v1/customers?limit=1&segment_id={segment['id']}", headers, None)
    about = "~" if listed.get("total_is_estimate") else ""
    print_row(name, seconds, f"{about}{listed['total']}", times)
    return str(segment["id"])


def send(
    client: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: Any
) -> Any:
    client.request(
        method,
        path,
        None if body is None else json.dumps(body),
        {"Content-Type": "application/json"} | headers,
    )
    answer = client.getresponse()
    content = answer.read()
    assert answer.status == 200, content.decode()
    return json.loads(content)


def print_row(name: str, seconds: float, members: str, times: list[float]) -> None:
    p50, p95, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    print(f"{name:24}{seconds:9.1f}{members:>9}{len(times):9}{p50:9.1f}{p95:9.1f}{p99:9.1f}", flush=True)


if __name__ == "__main__":
    main()
