"""Every published order and filter of the long lists is answered from an index, as at ten million rows.

A few thousand rows give the planner its statistics; it is told that there are ten million of them.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from customers.models import Customer, Segment, SegmentMember
from promoengine.core.admin_project import SESSION_KEY
from promoengine.core.models import OutboxEvent
from promoengine.core.partitions import PARTITIONS
from redemptions.models import Export, Order, Redemption
from tests.api import Api
from tests.factories import CampaignFactory, CategoryFactory, CustomerFactory, ProjectFactory, VoucherFactory
from vouchers.models import Publication, Voucher

ROWS, BATCH, PRETENDED = 3000, 1000, 10_000_000
SORTED_AT_MOST = 100_000  # rows that a selective filter leaves; the whole list is a hundred times that
# In the planner's unit. The pretended rows take no pages, so this is going past half a million of them.
COST_AT_MOST = 5_000.0
COUNTED = 10_001
TYPES = {97: "LOYALTY_PROGRAM", 98: "REFERRAL_PROGRAM", 99: "GIFT_VOUCHERS"}

LONG = (Customer, Voucher, Publication, Order, Redemption, OutboxEvent)


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker):
    """A project whose lists are long, as far as the planner knows; made once, for all plans."""
    with django_db_blocker.unblock():
        project = ProjectFactory()
        categories = [CategoryFactory(project=project, name=f"Category {n}") for n in range(20)]
        campaigns = [
            CampaignFactory(
                project=project,
                name=f"Campaign {n}",
                category=categories[n % 20],
                campaign_type=TYPES.get(n, "DISCOUNT_COUPONS"),
            )
            for n in range(100)
        ]
        try:
            yield fill(project, campaigns)
        finally:
            empty(project)


def fill(project, campaigns) -> dict[str, Any]:
    customers = Customer.objects.bulk_create(
        (
            CustomerFactory.build(
                project=project,
                source_id=f"user-{n}",
                name=f"Alice {n}",
                email=f"alice{n}@example.com",
                address={"city": f"City {n % 500}"},
                created_at=moment(n),
                updated_at=moment(n) if n % 3 == 0 else None,
            )
            for n in range(ROWS)
        ),
        BATCH,
    )
    vouchers = Voucher.objects.bulk_create(
        (
            VoucherFactory.build(
                project=project,
                campaign=campaigns[n % 100],
                code=code(n),
                metadata={"batch": n},
                holder=customers[n] if n % 4 == 0 else None,
                created_at=moment(n),
                updated_at=moment(n) if n % 3 == 0 else None,
            )
            for n in range(ROWS)
        ),
        BATCH,
    )
    Publication.objects.bulk_create(
        (
            Publication(
                project=project,
                customer=customers[n],
                campaign=campaigns[n % 100],
                voucher_ids=[vouchers[n].pk],
                voucher_type="GIFT_VOUCHER" if n % 100 == 99 else "DISCOUNT_VOUCHER",
                voucher_code=code(n),
                source_id=f"source-{n}",
                tracking_id=f"user-{n}",
                result="FAILURE" if n % 50 == 0 else "SUCCESS",
                created_at=moment(n),
            )
            for n in range(ROWS)
        ),
        BATCH,
    )
    Redemption.objects.bulk_create(
        (
            Redemption(
                project=project,
                kind="redemption_rollback" if n % 60 == 0 else "redemption",
                status="ROLLED_BACK" if n % 60 == 1 else "SUCCEEDED",
                result="FAILURE" if n % 50 == 0 else "SUCCESS",
                failure_code="quantity_exceeded" if n % 50 == 0 else "",
                voucher=vouchers[n],
                voucher_code=code(n),
                campaign=campaigns[n % 100],
                customer=customers[n],
                tracking_id=f"user-{n}",
                created_at=moment(n),
            )
            for n in range(ROWS)
        ),
        BATCH,
    )
    Order.objects.bulk_create(
        (
            Order(
                project=project,
                source_id=f"order-{n}",
                customer=customers[n],
                status="CANCELED" if n % 100 == 0 else "PAID",
                created_at=moment(n),
                updated_at=moment(n),
            )
            for n in range(ROWS)
        ),
        BATCH,
    )
    OutboxEvent.objects.bulk_create(
        (
            OutboxEvent(
                project=project,
                type="customer.updated",
                customer_id=customers[n % 1000].pk,
                created_at=moment(n),
            )
            for n in range(ROWS)
        ),
        BATCH,
    )
    segment = Segment.objects.create(project=project, name="Few", type=Segment.Type.STATIC)
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=segment, customer=customer) for customer in customers[::50]
    )
    return {
        "project": project,
        "segment": segment.public_id,
        "tables": {name for model in LONG for name in pretend_to_be_long(model._meta.db_table)},
        "campaign": campaigns[0].public_id,
        "voucher": vouchers[7].public_id,
        "customer": customers[8].public_id,
    }


def code(n: int) -> str:
    return hashlib.md5(str(n).encode()).hexdigest()


def moment(n: int) -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=n)


def pretend_to_be_long(table: str) -> list[str]:
    """Tell the planner how long a table is, and return its name, or its partitions' that have rows."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")
        cursor.execute(PARTITIONS, [table])
        names = [table, *(row[0] for row in cursor.fetchall())]
        cursor.execute(
            "UPDATE pg_class SET reltuples = %s WHERE oid = ANY(%s::regclass[]) AND reltuples > 0"
            " RETURNING oid::regclass::text",
            [PRETENDED, names],
        )
        return [row[0] for row in cursor.fetchall()]


def empty(project) -> None:
    for model in reversed(LONG):
        model.objects.filter(project=project).delete()
    Campaign.objects.filter(project=project).delete()
    Segment.objects.filter(project=project).delete()
    project.delete()
    with connection.cursor() as cursor:
        for model in LONG:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def troubles(sql: str, tables: set[str]) -> list[str]:
    """Return what in a statement's plan would be slow on a long table."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0][0]["Plan"]
    found = []
    if plan["Total Cost"] > COST_AT_MOST:
        found.append(f"costs {plan['Total Cost']:,.0f}")
    for node in nodes(plan):
        if node["Node Type"] == "Sort" and node["Plan Rows"] > SORTED_AT_MOST:
            found.append(f"sorts {node['Plan Rows']} rows by {node['Sort Key']}")
        # Counting what very many rows are stops early.
        is_short = "COUNT(" in sql and node["Plan Rows"] >= COUNTED
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in tables and not is_short:
            found.append(f"reads all of {node['Relation Name']} for {node.get('Filter')}")
    return found


def both_ways(*names: str) -> list[dict[str, str]]:
    return [{"order": f"{sign}{name}"} for name in names for sign in ("", "-")]


def filters(**asked: str) -> list[dict[str, str]]:
    """Return queries that ask one filter each; `field__operator` is the published field and operator."""
    made = []
    for name, value in asked.items():
        field, operator = name.split("__")
        made.append({f"filters[{field}][conditions][${operator}]": value})
    return made


def in_range(column: str) -> list[dict[str, str]]:
    return [{f"{column}[{word}]": "2026-11-01T10:00:00Z"} for word in ("after", "before")]


# The published orders of each list, and each published way to narrow it.
ORDERS = {
    "/v1/vouchers": both_ways("created_at", "updated_at", "code"),
    "/v1/customers": both_ways("created_at", "updated_at", "source_id"),
    "/v1/redemptions": both_ways("created_at", "id", "voucher_code", "tracking_id", "customer_id"),
    "/v1/publications": both_ways(
        "created_at", "id", "voucher_code", "tracking_id", "customer_id", "channel"
    ),
    "/v1/orders": both_ways("created_at", "updated_at"),
    "/v1/customers/user-8/activity": both_ways("created_at"),
    "/v1/customers/user-8/redeemables": both_ways("id"),
    "/v1/exports": both_ways("created_at", "status"),
}
NARROWED = {
    "/v1/vouchers": [
        *in_range("created_at"),
        *in_range("updated_at"),
        {"campaign": "Campaign 1"},
        {"campaign_id": "{campaign}"},
        {"customer": "user-8"},
        {"customer": "{customer}"},
        {"category": "Category 1"},
        {"code": "0" * 32},
        {"ids": "{voucher}"},
        *filters(
            active__active="true",
            active__expired="true",
            active__enabled="true",
            active__disabled="true",
            code__is="0" * 32,
            code__in="0" * 32,
            code__contains="abcdef",
            code__starts_with="abcdef",
            code__ends_with="abcdef",
            code__not_contain="abcdef",
            campaign_ids__in="{campaign}",
            campaign_ids__is_unknown="true",
            campaign__is="Campaign 1",
            categories__is="Category 1",
            holder_id__is="{customer}",
            is_referral_code__is="true",
            start_date__after="2026-12-01T10:00:00Z",
            expiration_date__before="2026-12-01T10:00:00Z",
        ),
        *filters(**{"redemption.redeemed_quantity__more_than": "0", "metadata.batch__is": "7"}),
        *filters(**{"redemption.redeemed_quantity__is": "3", "metadata.batch__has_value": "7"}),
    ],
    "/v1/customers": [
        *in_range("created_at"),
        *in_range("updated_at"),
        {"starting_after": "2026-11-01T10:00:00Z"},
        {"email": "alice77"},
        {"name": "Alice 77"},
        {"city": "city 77"},
        {"segment_id": "{segment}"},
    ],
    "/v1/redemptions": [
        *in_range("created_at"),
        {"result": "SUCCESS"},
        {"result": "FAILURE"},
        {"result": "ROLLED_BACK"},
        {"result": "FAILED"},
        {"campaign": "Campaign 1"},
        {"campaign": "{campaign}"},
        {"customer": "user-8"},
        {"customer": "{customer}"},
        *filters(
            voucher_code__is="0" * 32,
            voucher_code__starts_with="000000",
            related_object_id__is="{voucher}",
            related_object_parent_id__is="{campaign}",
            parent_redemption_id__is="r_00000000000000000000000000000001",
            parent_redemption_id__has_value="true",
            failure_code__is="quantity_exceeded",
            result__is="FAILURE",
            object__is="redemption_rollback",
            customer_id__is="{customer}",
            customer_id__is_unknown="true",
            campaign_name__is="Campaign 1",
        ),
    ],
    "/v1/publications": [
        *in_range("created_at"),
        {"campaign": "Campaign 1"},
        {"customer": "user-8"},
        {"voucher": code(7)},
        {"result": "SUCCESS"},
        {"result": "FAILURE"},
        {"source_id": "source-7"},
        {"voucher_type": "discount"},
        {"voucher_type": "loyalty"},
        {"is_referral_code": "true"},
        *filters(
            failure_code__is="customer_rules_violated",
            result__is="FAILURE",
            customer_id__is="{customer}",
            campaign_name__is="Campaign 1",
            parent_object_id__is="{campaign}",
            related_object_id__is="{voucher}",
            source_id__is="source-7",
            voucher_type__is="GIFT_VOUCHER",
            is_referral_code__is="true",
        ),
    ],
    # Ours, and the dashboard's and the exports' by the same words.
    "/v1/orders": [
        *in_range("created_at"),
        *in_range("updated_at"),
        {"customer": "user-8"},
        *filters(
            status__is="CANCELED",
            source_id__is="order-8",
            customer_id__is="{customer}",
        ),
        *filters(status__is="FULFILLED"),
        *({**one, **two} for one in filters(status__is="CANCELED") for two in in_range("created_at")),
    ],
    "/v1/customers/user-8/activity": [
        {"start_date": "2026-11-01T10:00:00Z"},
        {"type": "customer.updated"},
        {"category": "EFFECT"},
        {"campaign_id": "{campaign}"},
        {"campaign_type": "GIFT_VOUCHERS"},
    ],
}
TABLES = {
    "/v1/vouchers": Voucher,
    "/v1/customers": Customer,
    "/v1/redemptions": Redemption,
    "/v1/publications": Publication,
    "/v1/orders": Order,
    "/v1/customers/user-8/activity": OutboxEvent,
    "/v1/customers/user-8/redeemables": Voucher,
    "/v1/exports": Export,
}
CASES = [
    (path, narrowed, order)
    for path, orders in ORDERS.items()
    for narrowed in [{}, {"page": "900"}, *NARROWED.get(path, [])]
    for order in orders
]


@pytest.mark.parametrize(("path", "narrowed", "order"), CASES, ids=str)
def test_a_list_is_answered_from_an_index(shop, db, path, narrowed, order):
    api = Api(shop["project"])
    asked = order | {name: value.format(**shop) for name, value in narrowed.items()}
    with CaptureQueriesContext(connection) as captured:
        answer = api.get(path, asked)

    assert answer.status_code == 200, answer.json()
    table = TABLES[path]._meta.db_table
    listed = [one["sql"] for one in captured.captured_queries if f'FROM "{table}"' in one["sql"]]
    listed = [sql for sql in listed if sql.startswith("SELECT") and "LIMIT" in sql]
    assert listed
    assert [trouble for sql in listed for trouble in troubles(sql, shop["tables"])] == []


SOUGHT = {
    "search": "abcdef",
    "holder": "alice77",
    "status": "EXPIRED",
    "campaign": "Campaign 1",
    "created_at[after]": "2026-11-01T10:00:00Z",
    "filters[expiration_date][conditions][$after]": "2026-12-01T10:00:00Z",
    "filters[metadata.batch][conditions][$is]": "7",
}
SEARCHES = [
    {},
    *({"status": state} for state in Voucher.State.values),
    *({name: SOUGHT[name]} for name in SOUGHT),
    *({first: SOUGHT[first], second: SOUGHT[second]} for first, second in combinations(SOUGHT, 2)),
    SOUGHT,
    {"search": "ab"},
    {"search": "abcdef", "status": "DISABLED"},
    {"search": "abcdef", "status": "USED"},
    {"holder": "user-8"},
]


@pytest.mark.parametrize("place", ["first", "starting_after_id", "ending_before_id"])
@pytest.mark.parametrize("query", SEARCHES, ids=str)
def test_no_search_reads_the_whole_table(shop, db, query, place):
    asked = {"search": ""} | query
    if place != "first":
        asked[place] = shop["voucher"]
    with CaptureQueriesContext(connection) as captured:
        answer = Api(shop["project"]).get("/v1/vouchers", asked)

    assert answer.status_code == 200, answer.json()
    said = [one["sql"] for one in captured.captured_queries]
    listed = [sql for sql in said if sql.startswith("SELECT") and 'FROM "vouchers_voucher"' in sql]
    assert listed
    assert [trouble for sql in listed for trouble in troubles(sql, shop["tables"])] == []


@pytest.mark.parametrize("query", [{}, {"q": code(7)[:8]}, {"q": code(7)}, {"state": "ACTIVE"}], ids=str)
def test_ask_19_the_dashboards_page_of_millions_of_codes_reads_little_more_than_itself(
    shop, db, client, query
):
    client.force_login(User.objects.create_superuser("marketer"))
    session = client.session
    session[SESSION_KEY] = shop["project"].key
    session.save()
    with CaptureQueriesContext(connection) as captured:
        page = client.get("/admin/vouchers/voucher/", query)

    assert page.status_code == 200
    shown = page.context["cl"].result_list
    assert 0 < len(shown) <= 50
    said = [one["sql"] for one in captured.captured_queries]
    listed = [sql for sql in said if sql.startswith("SELECT") and 'FROM "vouchers_voucher"' in sql]
    assert listed
    assert [trouble for sql in listed for trouble in troubles(sql, shop["tables"])] == []
