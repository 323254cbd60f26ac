"""Finding codes among very many, over HTTP: REST as a shop asks it, and the dashboard as a marketer does.

    .venv/bin/python bench/search.py [--rows 10000000] [--state-dir FOLDER]

The tables are those of `bench/long_tables.py`. One client asks each question for a second and a half; the
ratio is to the plain first page.
"""

import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import requests

from bench.load import Figures, get, measure
from bench.long_tables import ASKED, product_with_long_tables
from tests.product import Product

SECONDS, LIMIT, DEEP = 1.5, 50, 1000
HEADING = f"{'':50}{'p50 ms':>9}{'p95 ms':>9}{'ratio':>8}   found"
LIST = "/admin/vouchers/voucher/"


def main() -> None:
    with product_with_long_tables() as product:
        ask_all(product, ASKED.rows)


def ask_all(product: Product, rows: int) -> None:
    """Ask every question of both doors, and the thousandth page beside the first."""
    keys = {"X-App-Id": product.app_id, "X-App-Token": product.app_token}
    cookie = {"Cookie": f"sessionid={logged_in(product)}"}
    print(HEADING)
    shop = first = None
    for title, query in questions(product, keys, rows):
        asked = get(f"/v1/vouchers?{urlencode({'limit': LIMIT} | query)}", keys)
        shop = measure(product.port, [asked], clients=1, seconds=SECONDS)
        first = first or shop
        print_answer(f"REST: {title}", shop, first, found_over_rest(product, keys, query))
    code, codes = some_codes(product, keys)
    one = measure(
        product.port, [get(f"/v1/vouchers/{one}", keys) for one in codes], clients=1, seconds=SECONDS
    )
    print_answer("REST: one code by its own address", one, first, "1")
    cursor = deep_cursor(product, keys)
    asked = get(f"/v1/vouchers?limit={LIMIT}&starting_after_id={cursor}", keys)
    print_answer(
        f"REST: page {DEEP:,} by cursor", measure(product.port, [asked], clients=1), first, str(LIMIT)
    )
    page = None
    for title, query in dashboard_questions(code):
        asked = get(f"{LIST}?{urlencode(query)}", cookie)
        found = measure(product.port, [asked], clients=1, seconds=SECONDS)
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
        ("part of holders' e-mails", {"holder": "customer77777"}),
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
