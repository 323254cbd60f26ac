"""The whole product as a user starts it: `manage.py up` with its own servers, port and data."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90


@dataclass(frozen=True)
class Product:
    """A running product and what it printed at its start."""

    port: int
    password: str
    app_id: str
    app_token: str
    client_id: str
    client_token: str
    state_dir: Path

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    with running_product() as product:
        yield product


@contextmanager
def running_product(kept_in: Path | None = None, **settings: str) -> Iterator[Product]:
    """Start the product in a folder of its own, and leave nothing of it behind; or in one that is kept."""
    state_dir = kept_in or Path(tempfile.mkdtemp(prefix="promo-product-"))
    state_dir.mkdir(exist_ok=True)
    state_dir.chmod(0o755)
    port = free_port()
    process = start_product(state_dir, port, **settings)
    try:
        yield read_product(process, state_dir, port)
    finally:
        process.terminate()
        process.wait(40)
        process.stdout.close()
        if kept_in is None:
            shutil.rmtree(state_dir, ignore_errors=True)


def start_product(state_dir: Path, port: int, **more: str) -> subprocess.Popen[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    }
    environment |= {
        "PROMO_STATE_DIR": str(state_dir),
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "RQ_WORKERS": "1",
    }
    environment |= more
    environment["EMAIL_BACKEND"] = "django.core.mail.backends.filebased.EmailBackend"
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_product(process: subprocess.Popen[str], state_dir: Path, port: int) -> Product:
    """Return the product once it says that it is ready."""
    printed, deadline = "", time.monotonic() + START_SECONDS
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        if line.startswith("Ctrl-C") or time.monotonic() > deadline:
            break
    password = re.search(r"password: (\S+)", printed)
    keys = re.findall(r"(?:App-Id|Application-Id): (\S+) +\S+Token: (\S+)", printed)
    assert password, printed
    assert len(keys) == 2, printed
    return Product(port, password[1], *keys[0], *keys[1], state_dir)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
