"""How fast it is found what a cart qualifies for among 10,000 active promotions.

One client asks for a cart of 100 lines with metadata and a customer's metadata; `bench/promotions.py` says
what the promotions are. The first request after a change of a promotion, which brings the process's shelf up
to date, is measured apart: each of the web workers has a shelf of its own.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.load import print_machine
from tests.product import running_product

LINES, SECONDS, CHANGES = 100, 5.0, 20
CART = {
    "customer": {"source_id": "bench", "metadata": {"group": "group-18"}},
    "order": {
        "metadata": {"channel": "channel-3"},
        "items": [
            {"product_id": f"prod_{number * 40}", "quantity": 1 + number % 4, "price": 500 + number * 7}
            for number in range(LINES)
        ],
    },
}
ASKED = {
    "DEFAULT, limit 5": {"sorting_rule": "DEFAULT", "limit": 5},
    "DEFAULT, limit 50": {"sorting_rule": "DEFAULT", "limit": 50},
    "BEST_DEAL, limit 5": {"sorting_rule": "BEST_DEAL", "limit": 5},
    "BEST_DEAL, limit 50": {"sorting_rule": "BEST_DEAL", "limit": 50},
}


def main() -> None:
    """Run the measurements and print a table."""
    with running_product(RATE_LIMIT_PER_MINUTE="0") as product:
        headers = {"X-App-Id": product.app_id, "X-App-Token": product.app_token}
        client = http.client.HTTPConnection("127.0.0.1", product.port)
        tier_id = make_promotions(product.state_dir)
        print_machine()
        print(f"{'':42}{'answers':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
        measure_all(client, headers, tier_id)
        print("Load average of the last minute:", os.getloadavg()[0])


def make_promotions(state_dir: Path) -> str:
    command = [sys.executable, str(ROOT / "bench" / "promotions.py")]
    made = subprocess.run(
        command,
        env=os.environ | {"PROMO_STATE_DIR": str(state_dir)},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()


def measure_all(client: http.client.HTTPConnection, headers: dict[str, str], tier_id: str) -> None:
    began = time.perf_counter()
    send(client, "POST", "/v1/qualifications", headers, CART)
    print(f"the first request of a process: {(time.perf_counter() - began) * 1000:.0f} ms")
    for name, options in ASKED.items():
        body = CART | {"options": options}
        times, found = [], 0
        until = time.perf_counter() + SECONDS
        while (began := time.perf_counter()) < until:
            found = len(send(client, "POST", "/v1/qualifications", headers, body)["redeemables"]["data"])
            times.append(time.perf_counter() - began)
        print_row(name, found, times)
    times = []
    for number in range(CHANGES):
        send(client, "PUT", f"/v1/promotions/tiers/{tier_id}", headers, {"metadata": {"change": number}})
        began = time.perf_counter()
        send(client, "POST", "/v1/qualifications", headers, CART)
        times.append(time.perf_counter() - began)
    print_row("DEFAULT, limit 5, first after a change", 5, times)


def send(
    client: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: Any
) -> Any:
    client.request(method, path, json.dumps(body), {"Content-Type": "application/json"} | headers)
    answer = client.getresponse()
    content = answer.read()
    assert answer.status == 200, content.decode()
    return json.loads(content)


def print_row(name: str, found: int, times: list[float]) -> None:
    times = sorted(times)
    p50, p95, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    print(f"{name:42}{found:9}{p50:9.1f}{p95:9.1f}{p99:9.1f}", flush=True)


if __name__ == "__main__":
    main()
