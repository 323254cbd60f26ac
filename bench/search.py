"""Finding codes among very many, over HTTP: REST as a shop asks it, and the dashboard as a marketer does.

    .venv/bin/python bench/search.py [--rows 10000000]

The product runs as `make run` starts it, with one web worker and without a rate limit. Its table of codes is
filled by generate_series, its indexes are made afterwards; ten million codes need about 8 GB for the while.
One client asks each question for a second and a half; the ratio is to the plain first page. What is there:

- a hundred campaigns with random codes, whose newest nine tenths are of all campaigns in turn;
- one code of ten begins with SUMMER, the oldest tenth of all with ELDERS;
- of all codes 5 % are used up, 0.1 % disabled, 0.02 % empty gift cards, 5 % expired, 0.1 % begin next year;
- 0.1 % have a holder, 25 % the attribute channel, 0.1 % a batch of their own.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from promoengine.embedded.place import embedded_database_url

STATE_DIR = Path(tempfile.mkdtemp(prefix="promo-bench-"))
STATE_DIR.chmod(0o755)
os.environ |= {"DATABASE_URL": embedded_database_url(STATE_DIR), "PROMO_STATE_DIR": str(STATE_DIR)}
os.environ["DJANGO_SETTINGS_MODULE"] = "promoengine.settings"

import django

django.setup()

import requests
from django.utils import timezone

from bench.filling import AT, KEY, insert
from bench.load import Figures, get, measure, print_machine
from campaigns.models import Campaign
from customers.models import Customer
from promoengine.core.models import Project
from tests.product import Product, free_port, read_product, start_product
from vouchers.models import Voucher

SECONDS, LIMIT, DEEP = 1.5, 50, 1000
HEADING = f"{'':50}{'p50 ms':>9}{'p95 ms':>9}{'ratio':>8}   found"
LIST = "/admin/vouchers/voucher/"
SIGNS = "upper(translate(encode(decode(md5(n::text), 'hex'), 'base64'), '+/=', 'XYZ'))"
CODE = f"""
    CASE WHEN n <= %(rows)s / 10 THEN 'ELDERS-' WHEN n %% 10 = 2 THEN 'SUMMER-' ELSE '' END
    || substr({SIGNS}, 1, 4) || '-' || substr({SIGNS}, 5, 4) || '-' || substr({SIGNS}, 9, 6)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    port = free_port()
    process = start_product(STATE_DIR, port, WEB_WORKERS="1", RATE_LIMIT_PER_MINUTE="0")
    try:
        product = read_product(process, STATE_DIR, port)
        print_machine()
        began = time.perf_counter()
        fill(rows)
        print(f"{rows:,} codes, made in {time.perf_counter() - began:,.0f} s\n", flush=True)
        ask_all(product, port, rows)
        print("Load average of the last minute:", os.getloadavg()[0])
    finally:
        process.terminate()
        process.wait(40)
        shutil.rmtree(STATE_DIR, ignore_errors=True)


def fill(rows: int) -> None:
    """Fill the product's first project."""
    project = Project.objects.earliest("created_at")
    campaigns = Campaign.objects.bulk_create(
        Campaign(project=project, name=f"Campaign {n}", discount={"type": "PERCENT", "percent_off": 10})
        for n in range(100)
    )
    said = {
        "project": project.pk,
        "campaigns": [campaign.pk for campaign in campaigns],
        "now": timezone.now(),
    }
    holders = max(rows // 1000, 1)
    insert(
        Customer,
        {
            "id": KEY,
            "project_id": "%(project)s",
            "source_id": "'user-' || n",
            "email": "'customer' || n || '@example.com'",
            "created_at": AT,
        },
        said | {"rows": holders},
    )
    insert(
        Voucher,
        {
            "id": KEY,
            "project_id": "%(project)s",
            "campaign_id": "(%(campaigns)s::uuid[])[1 + n %% 100]",
            "code": CODE,
            "code_key": CODE,
            "type": "CASE WHEN n %% 500 = 7 THEN 'GIFT_VOUCHER' ELSE 'DISCOUNT_VOUCHER' END",
            "gift_amount": "CASE WHEN n %% 500 = 7 THEN 5000 END",
            "gift_balance": "CASE WHEN n %% 5000 = 7 THEN 0 WHEN n %% 500 = 7 THEN 5000 END",
            "quantity": "1",
            "redeemed_quantity": "CASE WHEN n %% 20 = 0 THEN 1 ELSE 0 END",
            "active": "n %% 1000 <> 3",
            "start_date": "CASE WHEN n %% 1000 = 5 THEN %(now)s + interval '1 year' END",
            "expiration_date": (
                f"CASE WHEN n %% 10 = 1 AND n <= %(rows)s / 2 THEN {AT} + interval '30 days'"
                " WHEN n %% 100 = 9 THEN %(now)s + (n %% 365 + 1) * interval '1 day' END"
            ),
            "holder_id": (
                f"CASE WHEN n %% 1000 = 8 THEN {KEY.replace('to_hex(n)', 'to_hex(1 + (n - 8) / 1000)')} END"
            ),
            "metadata": (
                "CASE WHEN n %% 1000 = 0 THEN jsonb_build_object('batch', n / 1000)"
                """ WHEN n %% 4 = 1 THEN '{"channel": "web"}' ELSE '{}'::jsonb END"""
            ),
            "created_at": AT,
        },
        said | {"rows": rows},
    )


def ask_all(product: Product, port: int, rows: int) -> None:
    """Ask every question of both doors, and the thousandth page beside the first."""
    keys = {"X-App-Id": product.app_id, "X-App-Token": product.app_token}
    cookie = {"Cookie": f"sessionid={logged_in(product)}"}
    print(HEADING)
    shop = first = None
    for title, query in questions(product, keys, rows):
        asked = get(f"/v1/vouchers?{urlencode({'limit': LIMIT} | query)}", keys)
        shop = measure(port, [asked], clients=1, seconds=SECONDS)
        first = first or shop
        print_answer(f"REST: {title}", shop, first, found_over_rest(product, keys, query))
    code, codes = some_codes(product, keys)
    one = measure(port, [get(f"/v1/vouchers/{one}", keys) for one in codes], clients=1, seconds=SECONDS)
    print_answer("REST: one code by its own address", one, first, "1")
    cursor = deep_cursor(product, keys)
    asked = get(f"/v1/vouchers?limit={LIMIT}&starting_after_id={cursor}", keys)
    print_answer(f"REST: page {DEEP:,} by cursor", measure(port, [asked], clients=1), first, str(LIMIT))
    page = None
    for title, query in dashboard_questions(code):
        asked = get(f"{LIST}?{urlencode(query)}", cookie)
        found = measure(port, [asked], clients=1, seconds=SECONDS)
        page = page or found
        print_answer(f"dashboard: {title}", found, page, "")


def questions(product: Product, keys: dict[str, str], rows: int) -> list[tuple[str, dict[str, Any]]]:
    code, _ = some_codes(product, keys)
    middle = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_704_067_200 + rows // 2))
    return [
        ("first page", {"search": ""}),
        ("exact code", {"search": code}),
        ("exact code, by the published filter", {"code": code}),
        ("rare fragment", {"search": code[-6:].lower()}),
        ("fragment of three signs", {"search": code[-3:]}),
        ("common fragment", {"search": "summer"}),
        ("common fragment of the oldest codes", {"search": "elders"}),
        ("fragment that no code has", {"search": "never-made"}),
        ("two signs", {"search": code[-2:]}),
        ("rare fragment, by the published filter", {"filters[code][conditions][$contains]": code[-6:]}),
        ("campaign", {"search": "", "campaign": "Campaign 7"}),
        ("holder's e-mail", {"holder": "customer7@example.com"}),
        ("part of holders' e-mails", {"holder": "customer77"}),
        *((f"status {state}", {"status": state}) for state in STATES),
        ("made before a moment", {"search": "", "created_at[before]": middle}),
        ("ends after a moment", {"search": "", "filters[expiration_date][conditions][$after]": middle}),
        ("metadata, rare", {"search": "", "filters[metadata.batch][conditions][$is]": "7"}),
        ("metadata, common", {"search": "", "filters[metadata.channel][conditions][$is]": "web"}),
        ("campaign and fragment", {"search": code[-6:], "campaign": "Campaign 7"}),
        ("campaign and status USED", {"status": "USED", "campaign": "Campaign 20"}),
        ("common fragment and status USED", {"search": "elders", "status": "USED"}),
        ("common fragment, which no disabled code has", {"search": "summer", "status": "DISABLED"}),
        (
            "metadata, made before a moment, status ACTIVE",
            {
                "status": "ACTIVE",
                "created_at[before]": middle,
                "filters[metadata.channel][conditions][$is]": "web",
            },
        ),
    ]


STATES = ("ACTIVE", "USED", "DISABLED", "NOT_ACTIVE_YET", "EXPIRED", "NO_BALANCE")


def dashboard_questions(code: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("first page", {}),
        ("exact code", {"q": code}),
        ("rare fragment", {"q": code[-6:].lower()}),
        ("common fragment", {"q": "summer"}),
        ("status EXPIRED", {"state": "EXPIRED"}),
        ("holder's e-mail", {"holder": "customer7@example.com"}),
        ("attribute", {"attribute": "batch", "value": "7"}),
    ]


def asked_over_rest(product: Product, keys: dict[str, str], query: dict[str, Any]) -> dict[str, Any]:
    answer = requests.get(
        f"{product.base_url}/v1/vouchers", {"limit": LIMIT} | query, headers=keys, timeout=60
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def found_over_rest(product: Product, keys: dict[str, str], query: dict[str, Any]) -> str:
    found = asked_over_rest(product, keys, query)
    about = "about " if found.get("total_is_estimate") else ""
    gone = f", {found['looked_through']:,} gone past" if "looked_through" in found else ""
    return f"{len(found['vouchers'])} of {about}{found['total']:,}{gone}"


def some_codes(product: Product, keys: dict[str, str]) -> tuple[str, list[str]]:
    """Return a random code without a prefix, and a page of codes."""
    codes = [one["code"] for one in asked_over_rest(product, keys, {})["vouchers"]]
    return next(code for code in codes if not code.startswith("SUMMER")), codes


def deep_cursor(product: Product, keys: dict[str, str]) -> str:
    cursor = ""
    for _ in range(DEEP - 1):
        page = asked_over_rest(product, keys, {"search": "", "starting_after_id": cursor})
        if not page["has_more"]:
            break
        cursor = page["more_starting_after"]
    return cursor


def logged_in(product: Product) -> str:
    session = requests.Session()
    page = session.get(f"{product.base_url}/admin/login/", timeout=60)
    said = {
        "username": "admin",
        "password": product.password,
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }
    session.post(page.url, said, timeout=60)
    return session.cookies["sessionid"]


def print_answer(title: str, found: Figures, first: Figures, told: str) -> None:
    print(f"{title:50}{found.p50:9.1f}{found.p95:9.1f}{found.p50 / first.p50:8.2f}   {told}", flush=True)


if __name__ == "__main__":
    main()
