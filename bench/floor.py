"""The floor: what Django can do at best, on the same server, database and machine as the product.

A bare view, without middleware or REST framework, checks a key, parses with orjson, runs one prepared
statement and answers. To redeem, the statement counts a code up under its limit and inserts a redemption; to
validate, it looks a code up with its campaign. Nothing is calculated, and nothing is told of the order.

Granian runs it as it runs the product, with 2 workers of one blocking thread. Its tables are its own, in a
schema beside the product's.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import django
import orjson
import psycopg
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.load import HEADING, measure, post, print_machine, print_row
from promoengine.embedded.place import embedded_database_url
from tests.product import free_port, running_product

CLIENTS = (1, 8, 32)
CODES = 200
TOKEN = "floor"
TOKEN_HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
ORDER = {"items": [{"product_id": f"prod_{number}", "quantity": 1, "price": 2500} for number in range(5)]}

TABLES = """
    CREATE SCHEMA floor;
    CREATE TABLE floor.campaign (id bigint PRIMARY KEY, name text NOT NULL, discount jsonb NOT NULL);
    CREATE TABLE floor.voucher (
        id bigint PRIMARY KEY, code text NOT NULL UNIQUE, campaign_id bigint NOT NULL,
        quantity int, redeemed_quantity int NOT NULL DEFAULT 0
    ) WITH (fillfactor = 70);
    CREATE TABLE floor.redemption (
        id uuid PRIMARY KEY, voucher_id bigint NOT NULL, campaign_id bigint NOT NULL,
        amount bigint NOT NULL, created_at timestamptz NOT NULL
    );
    CREATE INDEX ON floor.redemption (voucher_id);
    INSERT INTO floor.campaign
    SELECT n, 'Campaign ' || n, '{"type": "PERCENT", "percent_off": 10}' FROM generate_series(0, 9) AS n;
    INSERT INTO floor.voucher (id, code, campaign_id, quantity)
    SELECT n, 'FLOOR-' || n, n % 10, 1000000000 FROM generate_series(0, 199) AS n;
    ANALYZE floor.campaign, floor.voucher;
"""
CLAIM = """
    WITH claimed AS (
        UPDATE floor.voucher SET redeemed_quantity = redeemed_quantity + 1
        WHERE code = %s AND (quantity IS NULL OR redeemed_quantity < quantity)
        RETURNING id, campaign_id
    )
    INSERT INTO floor.redemption (id, voucher_id, campaign_id, amount, created_at)
    SELECT uuidv7(), id, campaign_id, %s, now() FROM claimed RETURNING id
"""
LOOK_UP = """
    SELECT voucher.id, quantity, redeemed_quantity, name, discount
    FROM floor.voucher AS voucher JOIN floor.campaign AS campaign ON campaign.id = campaign_id
    WHERE code = %s
"""


def make_application() -> WSGIHandler:
    """Return Django with two views and nothing else; persistent connections, prepared statements."""
    settings.configure(
        SECRET_KEY=TOKEN,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "promoengine",
                "USER": "promoengine",
                "HOST": os.environ["FLOOR_SOCKETS"],
                "CONN_MAX_AGE": None,
                "OPTIONS": {"server_side_binding": True, "prepare_threshold": 0},
            }
        },
    )
    django.setup(set_prefix=False)
    return get_wsgi_application()


def redeem(request: HttpRequest) -> HttpResponse:
    return _answer(request, CLAIM, [5 * 2500])


def validate(request: HttpRequest) -> HttpResponse:
    return _answer(request, LOOK_UP, [])


urlpatterns = [path("redeem", redeem), path("validate", validate)]


def _answer(request: HttpRequest, statement: str, more: list[Any]) -> HttpResponse:
    if hashlib.sha256(request.headers["X-App-Token"].encode()).hexdigest() != TOKEN_HASH:
        return HttpResponse(status=401)
    code = orjson.loads(request.body)["redeemables"][0]["id"]
    with connection.cursor() as cursor:
        cursor.execute(statement, [code, *more])
        row = cursor.fetchone()
    body = orjson.dumps({"id": code, "valid": row is not None, "row": row})
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return HttpResponse(body, headers=headers)


@contextmanager
def floor_beside(state_dir: Path) -> Iterator[int]:
    """Run the floor on the database of a product that is running, and yield its port."""
    url = embedded_database_url(state_dir)
    with psycopg.connect(url, autocommit=True) as made:
        made.execute(TABLES)
        sockets = made.info.host
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws"]
    command += ["--workers", "2", "--blocking-threads", "1", "--backpressure", "512", "--log-level", "error"]
    command += ["--factory", "bench.floor:make_application"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"FLOOR_SOCKETS": sockets})
    try:
        time.sleep(3)
        yield port
    finally:
        process.terminate()
        process.wait(40)


def floor_requests(verb: str) -> list[bytes]:
    """Return the floor's requests to `validate` or `redeem`, one for each of its codes."""
    bodies = [
        {"redeemables": [{"object": "voucher", "id": f"FLOOR-{number}"}], "order": ORDER}
        for number in range(CODES)
    ]
    return [post(f"/{verb}", body, {"X-App-Token": TOKEN}) for body in bodies]


def main() -> None:
    """Print the floor alone."""
    print_machine()
    print(HEADING)
    with running_product() as product, floor_beside(product.state_dir) as floor:
        for verb in ("validate", "redeem"):
            for clients in CLIENTS:
                found = measure(floor, floor_requests(verb), clients=clients)
                print_row(f"floor: {verb}, {clients} clients", found)


if __name__ == "__main__":
    main()
