"""A Postgres and a Valkey for one test run, real ones, of its own, gone when it ends."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

from promoengine.embedded.place import embedded_database_url, embedded_redis_url
from promoengine.embedded.postgres import Postgres
from promoengine.embedded.valkey import Valkey

STARTED = "PROMO_TEST_STATE_DIR"


def ensure_started() -> None:
    """Start this run's servers and point the settings at them; a parallel worker uses its parent's."""
    if STARTED not in os.environ:
        _start()
    worker = re.search(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))
    number = int(worker.group()) + 1 if worker else 0
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("?db=0", f"?db={number}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promoengine.settings")


def _start() -> None:
    state_dir = Path(tempfile.mkdtemp(prefix="promo-test-"))
    # Postgres has an account of its own when we are root, which must be able to enter.
    state_dir.chmod(0o755)
    postgres, valkey = (
        # Emptying all tables after a test waits a second for whoever is looking at one of them.
        Postgres(state_dir, state_dir / "postgres.log", autovacuum_naptime="1h"),
        Valkey(state_dir, state_dir / "valkey.log"),
    )
    processes = [(postgres, postgres.start()), (valkey, valkey.start())]

    def stop() -> None:
        for server, process in processes:
            server.stop(process)
        shutil.rmtree(state_dir, ignore_errors=True)

    atexit.register(stop)
    os.environ[STARTED] = os.environ["PROMO_STATE_DIR"] = str(state_dir)
    os.environ["DATABASE_URL"] = embedded_database_url(state_dir)
    os.environ["REDIS_URL"] = embedded_redis_url(state_dir)
