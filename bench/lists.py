"""Lists that are very long, over REST: each published way to narrow and to order them that could be slow.

    .venv/bin/python bench/lists.py [--rows 10000000] [--state-dir FOLDER]

The tables are those of `bench/long_tables.py`. One client asks each question for a second or
longer, a hundred rows a page.
"""

import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import requests

from bench.load import get, measure
from bench.long_tables import ASKED, product_with_long_tables
from tests.product import Product

SECONDS, LIMIT = 1.0, 100
HEADING = f"{'':50}{'p50 ms':>9}{'p95 ms':>9}   found"


def main() -> None:
    with product_with_long_tables() as product:
        keys = {"X-App-Id": product.app_id, "X-App-Token": product.app_token}
        print(HEADING)
        for path, listed in questions(ASKED.rows).items():
            for title, query in listed:
                asked = get(f"{path}?{urlencode({'limit': LIMIT} | query)}", keys)
                began = time.perf_counter()
                answer = told(product, keys, path, query)
                seconds = max(SECONDS, 3 * (time.perf_counter() - began))
                found = measure(product.port, [asked], clients=1, seconds=seconds)
                name = f"{path.rpartition('/')[2]}: {title}"
                print(f"{name:50}{found.p50:9.1f}{found.p95:9.1f}   {answer}", flush=True)


def questions(rows: int) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return what each list is asked, by its path."""
    plain: list[tuple[str, dict[str, Any]]] = [
        ("first page", {}),
        ("page 1,000 of 100", {"page": 1000}),
        ("oldest first", {"order": "created_at"}),
    ]
    middle = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_704_067_200 + rows // 2))
    before = ("made before a moment", {"created_at[before]": middle, "order": "-created_at"})
    last_year = [
        ("of last year's campaign", {"campaign": "Last year"}),
        ("of last year's campaign, page 1,000", {"campaign": "Last year", "page": 1000}),
    ]
    return {
        "/v1/vouchers": [
            *plain,
            ("by code", {"order": "code"}),
            ("last changed", {"order": "-updated_at"}),
            before,
            ("of one campaign", {"campaign": "Campaign 7"}),
            ("of one campaign, page 1,000", {"campaign": "Campaign 7", "page": 1000}),
            ("a fragment", {"filters[code][conditions][$contains]": "ABCDE"}),
            ("of a customer", {"customer": "user-8"}),
            ("by an attribute", {"filters[metadata.batch][conditions][$is]": "77"}),
            ("used", {"filters[redemption.redeemed_quantity][conditions][$more_than]": "0"}),
            ("used twice, which none is", {"filters[redemption.redeemed_quantity][conditions][$is]": "2"}),
            ("disabled", {"filters[active][conditions][$disabled]": "true"}),
            ("expired, which older ones are", {"filters[active][conditions][$expired]": "true"}),
            ("referral codes, which none is", {"filters[is_referral_code][conditions][$is]": "true"}),
        ],
        "/v1/customers": [
            *plain,
            ("by the shop's id", {"order": "source_id"}),
            before,
            ("part of an e-mail", {"email": "customer77777"}),
            ("of a city", {"city": "city 77"}),
        ],
        "/v1/orders": [
            *plain,
            ("last changed", {"order": "-updated_at"}),
            before,
            ("canceled", {"filters[status][conditions][$is]": "CANCELED"}),
            ("fulfilled, which the oldest are", {"filters[status][conditions][$is]": "FULFILLED"}),
            (
                "canceled, before a moment",
                {"filters[status][conditions][$is]": "CANCELED", "created_at[before]": middle},
            ),
            ("processing, which none is", {"filters[status][conditions][$is]": "PROCESSING"}),
            ("of a customer", {"customer": "user-8"}),
        ],
        "/v1/redemptions": [
            *plain,
            ("by code", {"order": "voucher_code"}),
            before,
            ("failed", {"result": "FAILURE"}),
            ("failed, by code", {"result": "FAILURE", "order": "voucher_code"}),
            ("rolled back", {"result": "ROLLED_BACK"}),
            *last_year,
            ("of a customer", {"customer": "user-8"}),
        ],
        "/v1/publications": [
            *plain,
            ("by channel", {"order": "channel"}),
            before,
            ("failed", {"result": "FAILURE"}),
            *last_year,
            ("of gift cards", {"voucher_type": "gift"}),
            ("of referral codes, which none is", {"is_referral_code": "true"}),
            ("of a customer", {"customer": "user-8"}),
        ],
    }


def told(product: Product, keys: dict[str, str], path: str, query: dict[str, Any]) -> str:
    """Return how many rows there are; where the list is refused, why."""
    answer = requests.get(f"{product.base_url}{path}", {"limit": LIMIT} | query, headers=keys, timeout=60)
    found = answer.json()
    if answer.status_code != 200:
        return f"{answer.status_code} {found['key']}"
    about = "about " if found.get("total_is_estimate") else ""
    return f"{len(found[found['data_ref']])} of {about}{found['total']:,}"


if __name__ == "__main__":
    main()
