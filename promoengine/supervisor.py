"""A small supervisor: starts processes, watches them, starts them again, and stops them all."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

STOP_SECONDS = 10.0
HEALTHY_SECONDS = 60.0
BACKOFF_MAX_SECONDS = 30.0
POLL_SECONDS = 0.3

Say = Callable[[str], None]


class AlreadyRunning(RuntimeError):
    """Another supervisor works in this state directory."""


@dataclass
class Program:
    """A command to keep running; what it prints goes to its log."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    resumes_at: float = 0.0


class Supervisor:
    """Keeps programs running, each in a process group of its own, until told to stop."""

    def __init__(self, state_dir: Path, say: Say) -> None:
        self.state_dir = state_dir
        self.say = say
        self.programs: list[Program] = []
        self.is_stopping = False
        self._lock: IO[str] | None = None

    def take_over(self) -> None:
        """Claim the state directory, and stop what a killed supervisor left running.

        Raises:
            AlreadyRunning: another one is at work here.
        """
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self._lock = (self.state_dir / "up.lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"PromoEngine is running already in {self.state_dir}") from error
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._stop_soon)
        for pid, born in self._remembered():
            _kill_leftover(pid, born)

    def start(self, program: Program) -> None:
        """Start a program and keep it running from now on."""
        if program not in self.programs:
            self.programs.append(program)
        log_dir = self.state_dir / "log"
        log_dir.mkdir(exist_ok=True)
        with (log_dir / f"{program.name}.log").open("ab") as log:
            program.process = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        program.started_at = time.monotonic()
        self._remember()

    def watch(self, *, tend: Callable[[], None]) -> None:
        """Start again what ends, until told to stop; `tend` looks after the rest in every round."""
        while not self.is_stopping:
            for program in self.programs:
                self._look_after(program)
            tend()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Ask all programs to stop, the last started first, and end those that do not."""
        for program in reversed(self.programs):
            if program.process and program.process.poll() is None:
                program.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for program in reversed(self.programs):
            if program.process:
                _end(program.process, deadline)
        (self.state_dir / "processes.json").unlink(missing_ok=True)

    def _look_after(self, program: Program) -> None:
        if program.process is None:
            if time.monotonic() >= program.resumes_at:
                self.start(program)
            return
        status = program.process.poll()
        if status is None:
            return
        lived = time.monotonic() - program.started_at
        program.failures = 0 if lived > HEALTHY_SECONDS else program.failures + 1
        wait = min(BACKOFF_MAX_SECONDS, 2.0 ** (program.failures - 1))
        program.process, program.resumes_at = None, time.monotonic() + wait
        log = self.state_dir / "log" / f"{program.name}.log"
        self.say(f"{program.name} ended ({status}), starting it again in {wait:.0f} s; see {log}")

    def _stop_soon(self, signum: int, frame: object) -> None:
        self.is_stopping = True

    def _remember(self) -> None:
        running = [
            (program.process.pid, psutil.Process(program.process.pid).create_time())
            for program in self.programs
            if program.process and program.process.poll() is None
        ]
        (self.state_dir / "processes.json").write_text(json.dumps(running))

    def _remembered(self) -> list[tuple[int, float]]:
        try:
            return [(pid, born) for pid, born in json.loads((self.state_dir / "processes.json").read_text())]
        except (FileNotFoundError, ValueError):
            return []


def _kill_leftover(pid: int, born: float) -> None:
    """End a process group whose supervisor was killed; a number used again since is somebody else's."""
    try:
        if psutil.Process(pid).create_time() != born:
            return
    except psutil.NoSuchProcess:
        # The group may live on without its leader: its members carry the leader's number as session id.
        pass
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == pid and process.create_time() >= born:
                process.kill()
        except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            continue


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
