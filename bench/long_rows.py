"""Very long tables of one project, for benches: by generate_series, with the indexes made afterwards.

What is there, where all of them are filled:

- a hundred campaigns with random codes, whose newest nine tenths are of all campaigns in turn;
- one code of ten begins with SUMMER, the oldest tenth of all with ELDERS;
- of all codes 5 % are used up, 0.1 % disabled, 0.02 % empty gift cards, 5 % expired, 0.1 % begin next year;
- 0.1 % have a holder, 25 % the attribute channel, 0.1 % a batch of their own;
- the oldest tenth of redemptions and publications are of a campaign with gift cards, "Last year"; one of
  fifty failed;
- of orders 1 % are canceled, and the oldest tenth is fulfilled.
"""

import time
from collections.abc import Collection
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.filling import AT, KEY, insert
from campaigns.models import Campaign
from customers.models import Customer
from promoengine.core.models import Project
from redemptions.models import Order, Redemption
from vouchers.models import Publication, Voucher

SIGNS = "upper(translate(encode(decode(md5(n::text), 'hex'), 'base64'), '+/=', 'XYZ'))"
CODE = f"""
    CASE WHEN n <= %(rows)s / 10 THEN 'ELDERS-' WHEN n %% 10 = 2 THEN 'SUMMER-' ELSE '' END
    || substr({SIGNS}, 1, 4) || '-' || substr({SIGNS}, 5, 4) || '-' || substr({SIGNS}, 9, 6)
"""
CAMPAIGN = "(%(campaigns)s::uuid[])[1 + n %% 100]"
OLD_CAMPAIGN = f"CASE WHEN n <= %(rows)s / 10 THEN %(last_year)s ELSE {CAMPAIGN} END"
RESULT = "CASE WHEN n %% 50 = 3 THEN 'FAILURE' ELSE 'SUCCESS' END"
FAILURE = "CASE WHEN n %% 50 = 3 THEN 'quantity_exceeded' ELSE '' END"
CHANGED = f"CASE WHEN n %% 10 = 0 THEN {AT} END"


def fill(project: Project, rows: int, models: Collection[type] = ()) -> None:
    """Fill those of a project's tables that are not filled yet, all or those of some models."""
    if not Campaign.objects.filter(project=project, name="Last year").exists():
        make_campaigns(project)
    found = Campaign.objects.filter(project=project, name__startswith="Campaign ").order_by("pk")
    said = {
        "project": project.pk,
        "rows": rows,
        "now": timezone.now(),
        "campaigns": [campaign.pk for campaign in found],
        "last_year": Campaign.objects.get(project=project, name="Last year").pk,
    }
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        cursor.execute("SELECT pg_reload_conf()")
    for model in models or COLUMNS:
        began = time.perf_counter()
        if not model.objects.filter(project=project, created_at__lt="2024-01-02T00:00Z").exists():
            insert(model, {"id": KEY, "project_id": "%(project)s", "created_at": AT} | COLUMNS[model], said)
        took = time.perf_counter() - began
        print(f"{rows:,} {model._meta.verbose_name_plural}, made in {took:,.0f} s", flush=True)
    print(flush=True)


def make_campaigns(project: Project) -> None:
    discount = {"type": "PERCENT", "percent_off": 10}
    Campaign.objects.bulk_create(
        Campaign(project=project, name=f"Campaign {n}", discount=discount) for n in range(100)
    )
    Campaign.objects.create(project=project, name="Last year", campaign_type="GIFT_VOUCHERS")


COLUMNS: dict[Any, dict[str, str]] = {
    Customer: {
        "source_id": "'user-' || n",
        "name": "'Customer ' || n",
        "email": "'customer' || n || '@example.com'",
        "address": "jsonb_build_object('city', 'City ' || n %% 5000)",
        "updated_at": CHANGED,
    },
    Voucher: {
        "campaign_id": CAMPAIGN,
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
        "updated_at": CHANGED,
    },
    Order: {
        "source_id": "'order-' || n",
        "customer_id": KEY,
        "status": (
            "CASE WHEN n <= %(rows)s / 10 THEN 'FULFILLED' WHEN n %% 100 = 0 THEN 'CANCELED' ELSE 'PAID' END"
        ),
        "amount": "10000 + n %% 1000",
        "updated_at": CHANGED,
    },
    Redemption: {
        "voucher_id": KEY,
        "voucher_code": CODE,
        "campaign_id": OLD_CAMPAIGN,
        "customer_id": KEY,
        "order_id": KEY,
        "tracking_id": "'user-' || n",
        "result": RESULT,
        "status": (
            "CASE WHEN n %% 50 = 3 THEN 'FAILED' WHEN n %% 1000 = 4 THEN 'ROLLED_BACK' ELSE 'SUCCEEDED' END"
        ),
        "failure_code": FAILURE,
    },
    Publication: {
        "voucher_ids": f"ARRAY[{KEY}]",
        "voucher_type": "CASE WHEN n <= %(rows)s / 10 THEN 'GIFT_VOUCHER' ELSE 'DISCOUNT_VOUCHER' END",
        "voucher_code": CODE,
        "campaign_id": OLD_CAMPAIGN,
        "customer_id": KEY,
        "tracking_id": "'user-' || n",
        "result": RESULT,
        "failure_code": FAILURE,
    },
}
