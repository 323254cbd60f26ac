import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.crypto import get_random_string

from promoengine.core.models import ApiKey, Project
from promoengine.core.services.api_keys import create_api_key
from promoengine.embedded.postgres import Postgres
from promoengine.embedded.secrets import read_credentials, write_credentials
from promoengine.embedded.valkey import Valkey
from promoengine.env import env_int, env_secret
from promoengine.supervisor import AlreadyRunning, Program, Supervisor

READY_SECONDS = 50.0
DEMO = "demo"

Server = Postgres | Valkey


class Command(BaseCommand):
    help = "Start PromoEngine: database, queue, web, workers, scheduler and relay. Ctrl-C stops everything."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.state_dir = Path(settings.STATE_DIR)
        self.host, self.port = env_secret("HOST") or "127.0.0.1", env_int("PORT", 8000)
        self.servers: list[tuple[Server, subprocess.Popen[bytes]]] = []
        self.supervisor = Supervisor(self.state_dir, self.say)
        try:
            self.supervisor.take_over()
        except AlreadyRunning as error:
            raise CommandError(str(error)) from error
        self.refuse_taken_port()
        try:
            self.start_servers()
            self.prepare()
            self.start_programs()
            self.wait_until_ready()
            self.show_the_way()
            self.supervisor.watch(tend=self.tend_servers)
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        finally:
            self.stop()

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise CommandError(
                    f"Port {self.port} is taken by another program; choose one: make run PORT=8001"
                ) from error

    def start_servers(self) -> None:
        log = self.state_dir / "log"
        if not env_secret("DATABASE_URL"):
            self.start_server(Postgres(self.state_dir, log / "postgres.log"))
        if not env_secret("REDIS_URL"):
            self.start_server(Valkey(self.state_dir, log / "valkey.log"))

    def start_server(self, server: Server) -> None:
        began = time.monotonic()
        self.servers.append((server, server.start()))
        self.say(f"{type(server).__name__} started ({time.monotonic() - began:.1f} s)")

    def prepare(self) -> None:
        """Migrate, and make the demo shop, the admin and the keys of a first start."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
            self.say("Database migrated")
        credentials = read_credentials(self.state_dir)
        if not get_user_model().objects.filter(is_superuser=True).exists():
            credentials["password"] = get_random_string(16)
            get_user_model().objects.create_superuser("admin", "", credentials["password"])
        if not Project.objects.exists():
            call_command("demo", verbosity=0)
            self.say("Demo shop created")
        demo = Project.objects.filter(key=DEMO).first()
        for kind in (ApiKey.Kind.SERVER, ApiKey.Kind.CLIENT):
            if demo and not self.is_known(credentials.get(kind)):
                made = create_api_key(demo, name="make run", kind=kind)
                credentials[kind] = {"app_id": str(made.key.app_id), "app_token": made.token}
        write_credentials(self.state_dir, credentials)
        connection.close()

    def is_known(self, key: dict[str, str] | None) -> bool:
        return bool(key) and ApiKey.objects.filter(app_id=key["app_id"], revoked_at=None).exists()

    def start_programs(self) -> None:
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        web = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", self.host]
        web += ["--port", str(self.port), "--workers", str(env_int("WEB_WORKERS", 2)), "--no-ws"]
        web += ["--blocking-threads", str(env_int("WEB_THREADS", 2)), "--backpressure", "512"]
        web += ["--workers-kill-timeout", "5", "--respawn-failed-workers", "promoengine.wsgi:application"]
        self.supervisor.start(Program("web", web))
        for number in range(1, env_int("RQ_WORKERS", 2) + 1):
            worker = [*manage, "rqworker", "high", "default", "low"]
            self.supervisor.start(Program(f"worker-{number}", worker))
        self.supervisor.start(Program("relay", [*manage, "relay"]))
        self.supervisor.start(
            Program("scheduler", [*manage, "rqcron", str(settings.BASE_DIR / "promoengine/cron.py")])
        )
        names = ", ".join(program.name for program in self.supervisor.programs)
        self.say(f"Starting {names}")

    def wait_until_ready(self) -> None:
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host
        deadline = time.monotonic() + READY_SECONDS
        while not self.supervisor.is_stopping:
            try:
                with urllib.request.urlopen(f"http://{host}:{self.port}/livez", timeout=2):
                    return
            except OSError as error:
                if time.monotonic() > deadline:
                    log = self.state_dir / "log" / "web.log"
                    raise RuntimeError(f"The web server does not answer; see {log}") from error
                time.sleep(0.1)

    def show_the_way(self) -> None:
        if self.supervisor.is_stopping:
            return
        credentials = read_credentials(self.state_dir)
        base = (
            settings.PUBLIC_URL
            or f"http://{'localhost' if self.host == '127.0.0.1' else self.host}:{self.port}"
        )
        password = credentials.get("password", "the one you chose")
        self.say("")
        self.say(f"Dashboard  {base}/admin/   user: admin   password: {password}")
        self.say(f"API        {base}/v1   description: {base}/api/docs/")
        for kind, headers in (
            (ApiKey.Kind.SERVER, ("X-App-Id", "X-App-Token")),
            (ApiKey.Kind.CLIENT, ("X-Client-Application-Id", "X-Client-Token")),
        ):
            if key := credentials.get(kind):
                self.say(
                    f"{kind.title():<10} {headers[0]}: {key['app_id']}   {headers[1]}: {key['app_token']}"
                )
        self.say("Ctrl-C stops everything; the data stay.")

    def tend_servers(self) -> None:
        for index, (server, process) in enumerate(self.servers):
            if process.poll() is not None:
                self.say(f"{type(server).__name__} ended ({process.returncode}), starting it again")
                self.servers[index] = (server, server.start())

    def stop(self) -> None:
        self.supervisor.stop()
        for server, process in reversed(self.servers):
            server.stop(process)
        if self.servers:
            self.say("Stopped")
