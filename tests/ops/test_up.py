"""`manage.py up`: starts everything, tells what is wrong in a line, and survives being killed."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import requests
from django.conf import settings

from tests.product import Product, free_port, read_product, start_product

pytestmark = pytest.mark.xdist_group("ops")


@pytest.fixture
def state_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="promo-ops-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def api(product: Product, method: str, path: str, **kwargs) -> requests.Response:
    headers = {"X-App-Id": product.app_id, "X-App-Token": product.app_token}
    return requests.request(method, f"{product.base_url}{path}", headers=headers, timeout=10, **kwargs)


def stop(process, signum=signal.SIGTERM) -> str:
    process.send_signal(signum)
    rest = process.stdout.read()
    process.wait(40)
    process.stdout.close()
    return rest


def processes_below(folder: Path) -> list[psutil.Process]:
    """Return the running processes that have to do with a state directory."""
    found = []
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), process.environ().get("PROMO_STATE_DIR", "")]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in part for part in known):
            found.append(process)
    return found


def test_what_was_acknowledged_survives_kill_nine_of_everything(state_dir):
    port = free_port()
    first = read_product(process := start_product(state_dir, port), state_dir, port)
    made = api(first, "post", "/v1/customers", json={"source_id": "survivor"}).json()
    for running in processes_below(state_dir):
        running.kill()
    process.wait(10)
    process.stdout.close()

    second = read_product(process := start_product(state_dir, port), state_dir, port)

    assert api(second, "get", "/v1/customers/survivor").json()["id"] == made["id"]
    assert (second.password, second.app_token) == (first.password, first.app_token)
    assert stop(process, signal.SIGINT).endswith("Stopped\n")
    assert processes_below(state_dir) == []


def test_a_second_one_in_the_same_place_is_told_so(state_dir):
    port = free_port()
    read_product(process := start_product(state_dir, port), state_dir, port)

    second = start_product(state_dir, free_port())

    told = second.stdout.read()
    second.stdout.close()
    assert (second.wait(20), "is running already" in told) == (1, True)
    stop(process)


def test_a_taken_port_is_named(state_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        process = start_product(state_dir, taken.getsockname()[1])
        told = process.stdout.read()

    process.stdout.close()
    assert (process.wait(20), told.count("\n"), "is taken by another program" in told) == (1, 1, True)


def test_a_worker_that_dies_is_started_again(state_dir):
    port = free_port()
    read_product(process := start_product(state_dir, port), state_dir, port)
    (relay,) = [one for one in processes_below(state_dir) if one.cmdline()[-1:] == ["relay"]]
    relay.kill()

    told = process.stdout.readline()

    assert told.startswith("relay ended (-9), starting it again")
    stop(process)


def test_other_servers_are_used_where_they_are_named(state_dir):
    parameters = settings.DATABASES["default"]
    with psycopg.connect(
        host=parameters["HOST"], user=parameters["USER"], dbname="postgres", autocommit=True
    ) as admin:
        admin.execute("CREATE DATABASE elsewhere")
    url = os.environ["DATABASE_URL"].replace("/promoengine?", "/elsewhere?")
    port = free_port()

    process = start_product(state_dir, port, DATABASE_URL=url, REDIS_URL=os.environ["REDIS_URL"])
    product = read_product(process, state_dir, port)

    assert api(product, "get", "/v1/campaigns").status_code == 200
    assert not (state_dir / "postgres").exists()
    assert not (state_dir / "valkey").exists()
    stop(process)
