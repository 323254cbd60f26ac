"""The product with very long tables, for the benches that ask its lists; import it before anything of Django.

    .venv/bin/python bench/long_tables.py --rows 10000000 --state-dir FOLDER    to fill them beforehand

The product runs as `make run` starts it, with one web worker and without a rate limit. Its first project
gets `--rows` each of codes, customers, orders, redemptions and publications, by generate_series, with the
indexes made afterwards; ten million take about 40 GB and the better part of an hour. With `--state-dir` they
stay in that folder, and are there the next time. `bench/long_rows.py` says what is there.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from promoengine.embedded.place import embedded_database_url

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--rows", type=int, default=1_000_000)
PARSER.add_argument("--state-dir", type=Path)
ASKED = PARSER.parse_args()
STATE_DIR: Path = ASKED.state_dir or Path(tempfile.mkdtemp(prefix="promo-bench-"))
# Where Postgres keeps its data follows from whether its own account may enter.
STATE_DIR.mkdir(parents=True, exist_ok=True)
STATE_DIR.chmod(0o755)
os.environ |= {"DATABASE_URL": embedded_database_url(STATE_DIR), "PROMO_STATE_DIR": str(STATE_DIR)}
os.environ["DJANGO_SETTINGS_MODULE"] = "promoengine.settings"

import django

django.setup()

from bench.load import print_machine
from bench.long_rows import fill
from promoengine.core.models import Project
from tests.product import Product, running_product


@contextmanager
def product_with_long_tables() -> Iterator[Product]:
    """Start the product, fill its tables, and give it."""
    try:
        with running_product(STATE_DIR, WEB_WORKERS="1", RATE_LIMIT_PER_MINUTE="0") as product:
            print_machine()
            fill(Project.objects.earliest("created_at"), ASKED.rows)
            yield product
            print("Load average of the last minute:", os.getloadavg()[0])
    finally:
        if not ASKED.state_dir:
            shutil.rmtree(STATE_DIR, ignore_errors=True)


if __name__ == "__main__":
    with product_with_long_tables():
        pass
