"""Writing down which attributes come in, beside the requests that bring them.

A job reads the outbox, where most things that have metadata are told of, many events in a statement; goods
are not told of there, so whoever writes them notes their attributes at once.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction

from promoengine.core.json_text import to_json
from promoengine.core.models import AttributeScan, OutboxEvent, Project, SeenAttribute
from promoengine.core.partitions import partition_start

EVENTS_AT_ONCE = 5000
# Whose transaction is open longer than this is not waited for: what it brings is missed, as in any sample.
SETTLED = timedelta(minutes=1)
LOOKED_BACK = timedelta(days=1)
NAMES_MAX = 500  # of a project's attributes of one resource: some shops write ids into names
NAME_MAX, EXAMPLE_MAX = 255, 200

_SEEN = SeenAttribute._meta.db_table


@transaction.atomic
def scan_outbox(*, now: datetime) -> None:
    """Write down the attributes in what has happened since the last scan; two at once take turns."""
    start = partition_start(now - LOOKED_BACK)
    AttributeScan.objects.get_or_create(id=True, defaults={"event_id": start})
    scan = AttributeScan.objects.select_for_update().get()
    until = partition_start(now - SETTLED)
    while scan.event_id < until:
        range_of_ids: dict[str, Any] = {"after": scan.event_id, "until": until}
        with connection.cursor() as cursor:
            cursor.execute(SCAN, range_of_ids | BOUNDS)
            last = cursor.fetchone()[0]
        scan.event_id = last or until
        scan.save(update_fields=["event_id"])


def note_attributes(
    project: Project, resource: str, metadata: Iterable[Mapping[str, Any]], *, now: datetime
) -> None:
    """Write down the attributes of what the caller writes, in its transaction, in one statement."""
    rows = [
        {"name": name, "value": value}
        for one in metadata
        for name, value in one.items()
        if value is not None and len(name) <= NAME_MAX
    ]
    if rows:
        sent: dict[str, Any] = {"project": project.pk, "resource": resource, "now": now}
        with connection.cursor() as cursor:
            cursor.execute(NOTE, sent | {"rows": to_json(rows).decode()} | BOUNDS)


def forget_attribute(project: Project, resource: str, name: str) -> None:
    """Take an attribute off the list of those seen; it comes back when it is seen again."""
    SeenAttribute.objects.filter(project=project, resource=resource, name=name).delete()


def example_of(seen: SeenAttribute) -> Any:
    """Return the example of an attribute as the value it was, None where it was cut short."""
    try:
        return orjson.loads(seen.example)
    except orjson.JSONDecodeError:
        return None


BOUNDS: dict[str, Any] = {
    "count": EVENTS_AT_ONCE,
    "names": NAMES_MAX,
    "name": NAME_MAX,
    "example": EXAMPLE_MAX,
}

# Where the published JSON of each kind of event has metadata, and of what.
OF_EVENTS = {
    "('customer.created', 'customer.updated')": [("'customer'", "data #> '{customer,metadata}'")],
    "('voucher.created', 'voucher.updated')": [("'voucher'", "data #> '{voucher,metadata}'")],
    "('campaign.created', 'campaign.updated')": [
        (
            "CASE data #>> '{campaign,use_voucher_metadata_schema}' WHEN 'true' THEN 'voucher'"
            " ELSE 'campaign' END",
            "data #> '{campaign,metadata}'",
        )
    ],
    "('campaign.promotion_tier.created', 'campaign.promotion_tier.updated')": [
        ("'promotion_tier'", "data #> '{promotion_tier,metadata}'")
    ],
    "('publication.succeeded')": [("'publication'", "data -> 'metadata'")],
    "('redemption.succeeded')": [("'redemption'", "data -> 'metadata'")],
    "('customer.custom_event')": [
        ("'event:' || left(data #>> '{event,type}', 255)", "data #> '{event,metadata}'")
    ],
}
ORDERS = "('customer.order.created', 'customer.order.updated')"
# A guest's order is told of by its redemption alone.
HAS_ORDER = f"(type IN {ORDERS} OR type = 'redemption.succeeded' AND customer_id IS NULL)"
TYPES = ", ".join(types.strip("()") for types in [*OF_EVENTS, ORDERS])
FOUND = " UNION ALL ".join(
    f"SELECT project_id, customer_id, created_at, {resource} AS resource, {metadata} AS metadata"
    f" FROM event WHERE type IN {types}"
    for types, places in OF_EVENTS.items()
    for resource, metadata in places
)
_KEEP = f"""
    INSERT INTO {_SEEN} AS seen (
        id, project_id, resource, name, kind, example, customer_id, times, first_seen_at, last_seen_at
    )
    SELECT gen_random_uuid(), pair.project_id, pair.resource, pair.name,
        (array_agg(jsonb_typeof(value) ORDER BY at DESC))[1],
        (array_agg(left(value::text, %(example)s) ORDER BY at DESC))[1],
        (array_agg(customer_id ORDER BY at DESC))[1],
        count(*), min(at), max(at)
    FROM pair
    WHERE EXISTS (
        SELECT 1 FROM {_SEEN} AS old
        WHERE old.project_id = pair.project_id AND old.resource = pair.resource AND old.name = pair.name
    ) OR (
        SELECT count(*) FROM {_SEEN} AS old
        WHERE old.project_id = pair.project_id AND old.resource = pair.resource
    ) < %(names)s
    GROUP BY pair.project_id, pair.resource, pair.name
    ORDER BY pair.project_id, pair.resource, pair.name
    ON CONFLICT (project_id, resource, name) DO UPDATE SET
        kind = excluded.kind, example = excluded.example, customer_id = excluded.customer_id,
        times = seen.times + excluded.times, last_seen_at = excluded.last_seen_at
"""
SCAN = f"""
    WITH event AS MATERIALIZED (
        SELECT id, project_id, customer_id, type, data, created_at FROM {OutboxEvent._meta.db_table}
        WHERE id > %(after)s AND id < %(until)s AND type IN ({TYPES})
        ORDER BY id LIMIT %(count)s
    ), line AS (
        SELECT project_id, customer_id, created_at, item
        FROM event, jsonb_array_elements(
            CASE jsonb_typeof(data #> '{{order,items}}') WHEN 'array' THEN data #> '{{order,items}}' END
        ) AS item
        WHERE {HAS_ORDER}
    ), found AS (
        {FOUND}
        UNION ALL
        SELECT project_id, customer_id, created_at, 'order', data #> '{{order,metadata}}'
        FROM event WHERE {HAS_ORDER}
        UNION ALL
        SELECT project_id, customer_id, created_at, 'order_item', item -> 'metadata' FROM line
        UNION ALL
        SELECT project_id, customer_id, created_at, 'product', item #> '{{product,metadata}}' FROM line
    ), pair AS (
        SELECT found.project_id, customer_id, resource, attribute.name, value, found.created_at AS at
        FROM found
        JOIN {Project._meta.db_table} AS project ON project.id = found.project_id
        CROSS JOIN jsonb_each(
            CASE jsonb_typeof(metadata) WHEN 'object' THEN metadata END
        ) AS attribute (name, value)
        WHERE jsonb_typeof(value) <> 'null' AND length(attribute.name) <= %(name)s
    ), kept AS ({_KEEP} RETURNING 1)
    SELECT CASE WHEN count(*) = %(count)s THEN (array_agg(id ORDER BY id DESC))[1] END FROM event
"""
NOTE = f"""
    WITH pair AS (
        SELECT %(project)s::uuid AS project_id, %(resource)s AS resource, row ->> 'name' AS name,
            row -> 'value' AS value, NULL::uuid AS customer_id, %(now)s::timestamptz AS at
        FROM jsonb_array_elements(%(rows)s::jsonb) AS row
    )
    {_KEEP}
"""
