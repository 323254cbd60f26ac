"""Lists on ten million codes and as many customers, in milliseconds, through the whole of Django.

    .venv/bin/python bench/lists.py [--rows 10000000]

Starts a Postgres of its own, fills the tables by generate_series, and asks for pages over REST as a client
does. A smaller `--rows` takes as much less time and disk; ten million need about 20 GB for the while.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import servers

servers.ensure_started()

import django

django.setup()

from django.core.management import call_command

from bench.filling import AT, KEY, insert
from campaigns.models import Campaign
from customers.models import Customer
from promoengine.core.models import Project
from promoengine.core.services.projects import create_project
from tests.api import Api
from vouchers.models import Voucher

REPEATS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    call_command("migrate", verbosity=0)
    project = create_project("Bench", key="bench")
    began = time.perf_counter()
    fill(project, rows)
    print(f"{rows:,} codes and {rows:,} customers, made in {time.perf_counter() - began:,.0f} s\n")
    api = Api(project)
    for title, path, query in questions(rows):
        took, answer = measured(lambda path=path, query=query: api.get(path, query))
        print(f"{title:52} {took:9.1f} ms   {told(answer)}")


def questions(rows: int) -> list[tuple[str, str, dict[str, Any]]]:
    middle = _moment(rows // 2)
    return [
        ("codes: first page, and the total", "/v1/vouchers", {"limit": 100}),
        ("codes: page 1,000 of 100", "/v1/vouchers", {"limit": 100, "page": 1000}),
        ("codes: by code", "/v1/vouchers", {"limit": 100, "order": "code"}),
        ("codes: last changed", "/v1/vouchers", {"limit": 100, "order": "-updated_at"}),
        ("codes: of one campaign", "/v1/vouchers", {"limit": 100, "campaign": "Campaign 7"}),
        ("codes: of one campaign, page 1,000", "/v1/vouchers", {"campaign": "Campaign 7", "page": 1000}),
        (
            "codes: made before a moment",
            "/v1/vouchers",
            {"limit": 100, "created_at[before]": middle, "order": "-created_at"},
        ),
        ("codes: a fragment", "/v1/vouchers", {"filters[code][conditions][$contains]": "abcdef0"}),
        ("codes: of a customer", "/v1/vouchers", {"customer": "user-8"}),
        ("codes: by a key of metadata", "/v1/vouchers", {"filters[metadata.batch][conditions][$is]": "77"}),
        ("customers: first page, and the total", "/v1/customers", {"limit": 100}),
        ("customers: page 1,000 of 100", "/v1/customers", {"limit": 100, "page": 1000}),
        ("customers: by the shop's id", "/v1/customers", {"limit": 100, "order": "source_id"}),
        ("customers: part of an e-mail", "/v1/customers", {"email": "customer77777"}),
        ("customers: of a city", "/v1/customers", {"city": "city 77"}),
    ]


def _moment(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_704_067_200 + second))


def measured(act: Callable[[], Any]) -> tuple[float, dict[str, Any]]:
    """Return the median of several requests in milliseconds, and the answer."""
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        answer = act()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took), answer.json()


def told(answer: dict[str, Any]) -> str:
    if "total" not in answer:
        return str(answer)
    about = "about " if answer.get("total_is_estimate") else ""
    return f"{len(answer[answer['data_ref']])} rows of {about}{answer['total']:,}"


def fill(project: Project, rows: int) -> None:
    """Insert codes of a hundred campaigns, and customers; every thousandth code has metadata or a holder."""
    campaigns = Campaign.objects.bulk_create(
        Campaign(project=project, name=f"Campaign {n}", discount={"type": "PERCENT", "percent_off": 10})
        for n in range(100)
    )
    keys = [campaign.pk for campaign in campaigns]
    insert(
        Customer,
        {
            "id": KEY,
            "project_id": "%(project)s",
            "source_id": "'user-' || n",
            "name": "'Customer ' || n",
            "email": "'customer' || n || '@example.com'",
            "address": "jsonb_build_object('city', 'City ' || n %% 5000)",
            "created_at": AT,
            "updated_at": f"CASE WHEN n %% 10 = 0 THEN {AT} END",
        },
        {"project": project.pk, "rows": rows},
    )
    insert(
        Voucher,
        {
            "id": KEY,
            "project_id": "%(project)s",
            "campaign_id": "(%(campaigns)s::uuid[])[1 + n %% 100]",
            "code": "md5(n::text)",
            "code_key": "md5(n::text)",
            "holder_id": f"CASE WHEN n %% 1000 = 8 THEN {KEY} END",
            "metadata": (
                "CASE WHEN n %% 1000 = 0 THEN jsonb_build_object('batch', n / 1000) ELSE '{}'::jsonb END"
            ),
            "created_at": AT,
            "updated_at": f"CASE WHEN n %% 10 = 0 THEN {AT} END",
        },
        {"project": project.pk, "campaigns": keys, "rows": rows},
    )


if __name__ == "__main__":
    main()
