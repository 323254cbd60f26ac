"""For load balancers and supervisors: is this process alive, and can it do its work?"""

import django_rq
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError


def livez(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process does."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database, its migrations and the queue are in order, else 503 and what is not."""
    checks = {"database": _database(), "queue": _queue()}
    ready = all(problem is None for problem in checks.values())
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "problems": {k: v for k, v in checks.items() if v}},
        status=200 if ready else 503,
    )


def _database() -> str | None:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unreachable"
    return f"{len(waiting)} migrations to apply" if waiting else None


def _queue() -> str | None:
    try:
        django_rq.get_connection("default").ping()
    except RedisError:
        return "unreachable"
    return None
