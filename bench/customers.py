"""Customers of a shop, put into the database of the product whose state directory is named.

Run by `bench/segments.py` in a process of its own, because Django's settings are read once, with the number
of customers. One in a hundred is whom the published example of a filter asks for (club, country, birthday),
one in ten has a level of 90 or more, and half have bought shoes.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promoengine.settings")
django.setup()

from django.db import connection

from customers.models import Customer, CustomerSummary
from promoengine.core.models import Project

# The keys begin with the time, as those made in Python do.
CUSTOMERS = f"""
    INSERT INTO {Customer._meta.db_table}
        (id, project_id, source_id, name, email, birthdate, address, metadata, created_at, identity_keys)
    SELECT (
            lpad(to_hex(1700000000000 + number), 12, '0') || '7' || substr(md5(number::text), 1, 3)
            || '8' || substr(md5(number::text), 4, 15)
        )::uuid,
        %s, 'bench-' || number, 'Customer ' || number, number || '@example.com',
        date '1960-01-01' + number %% 18000,
        jsonb_build_object('city', 'City ' || number %% 500, 'country', 'Country ' || number %% 10),
        jsonb_build_object(
            'level', number %% 100,
            'club', (ARRAY['Gold', 'Silver', 'Bronze', 'None', 'None'])[1 + number %% 5],
            'shoe', jsonb_build_object('size', 35 + number %% 13)
        ),
        timestamptz '2024-01-01' + number * interval '1 minute', '{{}}'
    FROM generate_series(1, %s) AS number
"""
SUMMARIES = f"""
    INSERT INTO {CustomerSummary._meta.db_table} (
        customer_id, redeemed, failed, succeeded, rolled_back, rollback_failed, rollback_succeeded,
        gift_redeemed_amount, gift_amount_to_go, orders_amount, orders_count, last_order_amount, products
    )
    SELECT id, 1, 0, 1, 0, 0, 0, 0, 0, 5000, 1, 5000, '["shoe"]'
    FROM {Customer._meta.db_table} WHERE source_id ~ '^bench-[0-9]*[02468]$'
"""


def main() -> None:
    """Insert as many customers as the first argument says."""
    project = Project.objects.get(key="demo")
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS, [project.pk, int(sys.argv[1])])
        cursor.execute(SUMMARIES)
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
