"""How fast codes are made, and lists imported and exported, by the million, each job beside a plain COPY.

Both fill the same empty table with all its indexes, by turns, so that neither meets a warmer machine. The
job is run as a worker runs it, with its progress, but in this process, so that its memory can be told.
Imports are of a CSV file with a code, a category, the uses so far and an attribute in each row. Other lists
are filled with as many rows each and become CSV files; `--rounds 0` fills them alone.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import servers

servers.ensure_started()

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bench.exports import measure_codes, measure_others
from bench.load import print_machine
from promoengine.core.copying import stored_columns
from promoengine.core.models import Project
from promoengine.core.row_imports import GOOD
from promoengine.core.services.async_actions import run_async_action
from promoengine.core.services.uploads import keep_file
from tests.factories import CampaignFactory
from vouchers.import_plans import ALL, ImportPlan
from vouchers.models import Voucher
from vouchers.patterns import parse_code_config
from vouchers.services.generate import start_generation
from vouchers.services.import_codes import start_code_import

GENERATING, EXPORTING, EXPORTING_OTHERS = "generating", "exporting", "exporting-other-lists"
IMPORTING = {"importing-good-rows": GOOD, "importing-all-or-nothing": ALL}
CODES_AT_ONCE = 10_000


def main() -> None:
    """Run the measurements and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=1_000_000)
    parser.add_argument("--only", choices=[GENERATING, *IMPORTING, EXPORTING, EXPORTING_OTHERS])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    call_command("migrate", verbosity=0)
    print_machine()
    print(f"{'':42}{'seconds':>12}{'rows/s':>12}{'ratio':>8}")
    if asked.only in (None, GENERATING):
        measure(GENERATING, generate, count=asked.codes, rounds=asked.rounds)
    for name, mode in IMPORTING.items():
        if asked.only in (None, name):
            with tempfile.TemporaryFile() as table:
                write_table(table, asked.codes)
                measure(name, partial(import_table, table, mode), count=asked.codes, rounds=asked.rounds)
    if asked.only in (None, EXPORTING):
        measure_codes(generate(asked.codes), count=asked.codes, rounds=asked.rounds)
    if asked.only in (None, EXPORTING_OTHERS):
        measure_others(count=asked.codes, rounds=asked.rounds)


def measure(what: str, act: Callable[[int], object], *, count: int, rounds: int) -> None:
    """Print the best of some rounds of a job beside the best of as many of a plain COPY."""
    taken, copied, before = [], [], peak()
    for _ in range(rounds):
        taken.append(seconds(lambda: act(count)))
        memory = peak()
        copied.append(seconds_to_copy())
    print_row(f"plain COPY of {count:,} codes", min(copied), count)
    print_row(f"{what} {count:,} codes", min(taken), count, beside=min(copied))
    print(f"Memory of the process: {before} MB before, {memory} MB at most while {what}")


def generate(count: int) -> Project:
    campaign = CampaignFactory(code_config={"length": 10})
    action = start_generation(campaign.project, campaign=campaign, count=count, now=timezone.now())
    run_async_action(action.pk)
    action.refresh_from_db()
    assert (action.status, action.done_count) == ("DONE", count), action.message
    return action.project


def write_table(file: BinaryIO, count: int) -> None:
    """Write a file as shops send it: codes in no order, some categories, an attribute."""
    file.write(b"Code,Category,Redeemed Quantity,Shelf\n")
    pattern = parse_code_config({"length": 10})
    for first in range(0, count, CODES_AT_ONCE):
        codes = pattern.generate(min(CODES_AT_ONCE, count - first))
        for number, code in enumerate(codes, start=first):
            file.write(f"{code},Category {number % 20},{number % 2},A{number % 1000}\n".encode())


def import_table(file: BinaryIO, mode: str, count: int) -> None:
    campaign, now = CampaignFactory(), timezone.now()
    file.seek(0)
    kept = keep_file(
        campaign.project, name="codes.csv", chunks=iter(lambda: file.read(1 << 16), b""), now=now
    )
    plan = ImportPlan(mode=mode, campaign=str(campaign.pk))
    action = start_code_import(campaign.project, file=kept, plan=plan, now=now)
    run_async_action(action.pk)
    action.refresh_from_db()
    assert (action.status, action.done_count) == ("DONE", count), action.message


def seconds_to_copy() -> float:
    """Empty the table, fill it again with the rows it had, and return what the filling took."""
    table, columns = Voucher._meta.db_table, ", ".join(stored_columns(Voucher))
    with tempfile.TemporaryFile() as file, connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} ({columns}) TO STDOUT") as rows:
            for part in rows:
                file.write(part)
        empty(table)
        file.seek(0)

        def copy() -> None:
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as rows:
                while part := file.read(1 << 16):
                    rows.write(part)

        taken = seconds(copy)
    empty(table)
    return taken


def empty(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table} CASCADE")
        cursor.execute("CHECKPOINT")


def seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def peak() -> int:
    """Return the most memory this process has had so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def print_row(name: str, taken: float, count: int, beside: float | None = None) -> None:
    ratio = f"{taken / beside:8.2f}" if beside else ""
    print(f"{name:42}{taken:12.1f}{count / taken:12.0f}{ratio}", flush=True)


if __name__ == "__main__":
    main()
