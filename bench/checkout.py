"""How fast the checkout is: one product, one run, figures side by side.

The load comes from processes on the same machine, so the ratios count and not the absolute figures.
"""

import http.client
import json
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.product import free_port, read_product, start_product

CLIENTS = 8
REQUESTS = 400
CODES = 200
ORDER = {"items": [{"product_id": f"prod_{number}", "quantity": 1, "price": 2500} for number in range(5)]}


def main() -> None:
    """Run the measurements and print a table."""
    with tempfile.TemporaryDirectory(prefix="promo-bench-") as folder:
        state_dir, port = Path(folder), free_port()
        state_dir.chmod(0o755)
        process = start_product(state_dir, port, WEB_WORKERS="2", RATE_LIMIT_PER_MINUTE="0")
        product = read_product(process, state_dir, port)
        headers = {
            "X-App-Id": product.app_id,
            "X-App-Token": product.app_token,
            "Content-Type": "application/json",
        }
        try:
            make_codes(port, headers)
            measure_all(port, headers)
        finally:
            process.terminate()
            process.wait(40)


def make_codes(port: int, headers: dict[str, str]) -> None:
    discount = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
    client = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(CODES):
        for code, limit in ((f"FREE-{number}", None), (f"LIMITED-{number}", 10**6)):
            body = json.dumps(discount | {"redemption": {"quantity": limit}})
            client.request("POST", f"/v1/vouchers/{code}", body, headers)
            client.getresponse().read()


def measure_all(port: int, headers: dict[str, str]) -> None:
    print(f"{platform.platform()}, Python {platform.python_version()}, {CLIENTS} clients")
    print(f"{'':40}{'requests/s':>12}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'ratio':>8}")
    floor = measure("nothing but an answer", port, headers, "GET", "/livez", [""])
    spread = [f"FREE-{number}" for number in range(CODES)]
    limited = [f"LIMITED-{number}" for number in range(CODES)]
    measure("validate, spread codes", port, headers, "POST", "/v1/validations", spread, beside=floor)
    calm = measure(
        "redeem, spread codes without limit", port, headers, "POST", "/v1/redemptions", spread, beside=floor
    )
    measure(
        "redeem, one code without limit", port, headers, "POST", "/v1/redemptions", spread[:1], beside=calm
    )
    calm = measure(
        "redeem, spread codes with a limit", port, headers, "POST", "/v1/redemptions", limited, beside=floor
    )
    measure(
        "redeem, one code with a limit", port, headers, "POST", "/v1/redemptions", limited[:1], beside=calm
    )


def measure(
    name: str,
    port: int,
    headers: dict[str, str],
    method: str,
    path: str,
    codes: list[str],
    beside: float = 0.0,
) -> float:
    """Print a line of the table and return the requests a second; the ratio is to `beside`."""
    with ProcessPoolExecutor(CLIENTS) as pool:
        list(pool.map(time.sleep, [0.05] * CLIENTS))
        began = time.perf_counter()
        jobs = [pool.submit(drive, port, headers, method, path, codes, number) for number in range(CLIENTS)]
        times = sorted(moment for job in jobs for moment in job.result())
        rate = len(times) / (time.perf_counter() - began)
    p50, p95, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    ratio = f"{rate / beside:8.2f}" if beside else ""
    print(f"{name:40}{rate:12.0f}{p50:9.1f}{p95:9.1f}{p99:9.1f}{ratio}")
    return rate


def drive(
    port: int, headers: dict[str, str], method: str, path: str, codes: list[str], number: int
) -> list[float]:
    """Send requests one after the other and return how long each took, in seconds."""
    client, times = http.client.HTTPConnection("127.0.0.1", port), []
    for index in range(REQUESTS):
        code = codes[(number * 31 + index) % len(codes)]
        body = json.dumps({"redeemables": [{"object": "voucher", "id": code}], "order": ORDER})
        began = time.perf_counter()
        client.request(method, path, body if method == "POST" else None, headers)
        answer = client.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        assert answer.status == 200, answer.status
    return times


if __name__ == "__main__":
    main()
