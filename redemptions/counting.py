"""The engine's counters as rows: which row stands for which counter, and what it stands at."""

import hashlib
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from promoengine.core.models import Project
from promoengine.engine.limits import Counter
from promoengine.engine.operators import Moment
from redemptions.models import CounterHold, Redemption, UsageCounter


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom counters are kept by in one checkout: primary key or name, None where there is none."""

    customer: uuid.UUID | None = None
    api_key: str | None = None
    user: str | None = None

    def text(self, kind: str) -> str | None:
        """Return the subject as counters' rows name it, "" for a counter of nobody in particular."""
        if not kind:
            return ""
        value = getattr(self, kind)
        return None if value is None else f"{kind}:{value}"


@dataclass(frozen=True, slots=True)
class CounterRow:
    """What the row of a counter is found by; `starts_on` and `ends_on` bound its window, half-open."""

    id: uuid.UUID
    object_id: uuid.UUID
    measure: str
    entry: str
    subject: str
    window: str
    starts_on: date | None
    starts_at: datetime | None
    ends_at: datetime | None


def counter_row(counter: Counter, subjects: Subjects, moment: Moment) -> CounterRow | None:
    """Return the row that stands for a counter at this moment; None where its subject is not known yet."""
    subject = subjects.text(counter.subject)
    object_id = counter.object_key
    if subject is None or not isinstance(object_id, uuid.UUID):
        return None
    starts_on, ends_on = window_days(counter.window, moment)
    named = f"{object_id}|{counter.measure}|{counter.entry}|{subject}|{counter.window}|{starts_on}"
    return CounterRow(
        uuid.UUID(bytes=hashlib.blake2b(named.encode(), digest_size=16).digest()),
        object_id,
        counter.measure,
        counter.entry,
        subject,
        counter.window,
        starts_on,
        _midnight(starts_on, moment.zone),
        _midnight(ends_on, moment.zone),
    )


def counter_rows(
    counters: Iterable[Counter], subjects: Subjects, moment: Moment
) -> dict[Counter, CounterRow]:
    """Return the rows of those counters whose subject is known."""
    found = ((counter, counter_row(counter, subjects, moment)) for counter in counters)
    return {counter: row for counter, row in found if row is not None}


def window_days(window: str, moment: Moment) -> tuple[date | None, date | None]:
    """Return the first day of the calendar window around a moment, and the first day after it."""
    today = moment.now.astimezone(moment.zone).date()
    match window:
        case "day":
            return today, today + timedelta(days=1)
        case "week":
            start = today - timedelta(days=(today.isoweekday() % 7 - moment.week_start) % 7)
            return start, start + timedelta(days=7)
        case "month":
            start = today.replace(day=1)
            return start, (start + timedelta(days=31)).replace(day=1)
        case _:
            return None, None


def counters_used(
    project: Project, rows: dict[Counter, CounterRow], *, session_key: str, now: datetime
) -> dict[Counter, int]:
    """Return what counters stand at, with what others' live sessions hold of them.

    One query; a second one counts from the ledger those that nobody has counted yet.
    """
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            STANDING,
            {
                "ids": [row.id for row in rows.values()],
                "project": project.pk,
                "session": session_key,
                "now": now,
            },
        )
        found = {key: (value, held) for key, value, held in cursor.fetchall()}
    missing = [row for row in rows.values() if found[row.id][0] is None]
    counted = ledger_sums(missing) if missing else {}
    return {counter: _standing(found[row.id], counted.get(row.id, 0)) for counter, row in rows.items()}


def ledger_sums(rows: Collection[CounterRow], *, without: Collection[uuid.UUID] = ()) -> dict[uuid.UUID, int]:
    """Return what counters stand at by the ledger of redemptions, leaving out those named."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, value FROM ({LEDGER}) AS ledger", ledger_parameters(rows, without))
        return dict(cursor.fetchall())


def ledger_parameters(rows: Collection[CounterRow], without: Collection[uuid.UUID] = ()) -> dict[str, Any]:
    """Return what the statement `LEDGER` is about."""
    return {
        "ids": [row.id for row in rows],
        "objects": [row.object_id for row in rows],
        "measures": [row.measure for row in rows],
        "entries": [row.entry for row in rows],
        "customers": [_of_subject(row, "customer") for row in rows],
        "channels": [_of_subject(row, "api_key") or _of_subject(row, "user") for row in rows],
        "starts": [row.starts_at for row in rows],
        "ends": [row.ends_at for row in rows],
        "without": list(without),
    }


def _standing(found: tuple[int | None, int], counted: int) -> int:
    value, held = found
    return (counted if value is None else value) + held


def _of_subject(row: CounterRow, kind: str) -> str | None:
    head, _, value = row.subject.partition(":")
    return value if head == kind else None


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone) if day else None


STANDING = f"""
    SELECT wanted.id, counter.value, (
        SELECT coalesce(sum(hold.amount), 0)::bigint FROM {CounterHold._meta.db_table} AS hold
        WHERE hold.counter_id = wanted.id AND hold.expires_at > %(now)s
            AND NOT (hold.project_id = %(project)s AND hold.session_key = %(session)s)
    )
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
    LEFT JOIN {UsageCounter._meta.db_table} AS counter ON counter.id = wanted.id
"""

_OF_OBJECT = f"""
    SELECT wanted.id, CASE wanted.measure
        WHEN 'count' THEN 1
        WHEN 'orders_amount' THEN use.order_amount
        WHEN 'discount_amount' THEN use.discount_amount
        WHEN 'gift_amount' THEN coalesce(use.amount, 0)
        ELSE coalesce((use.units ->> wanted.entry)::bigint, 0)
    END AS value
    FROM wanted JOIN {Redemption._meta.db_table} AS use ON use.{{column}} = wanted.object_id
    WHERE use.kind = 'redemption' AND use.status = 'SUCCEEDED' AND use.related_object_type <> 'redemption'
        AND (wanted.customer IS NULL OR use.customer_id = wanted.customer)
        AND (wanted.channel IS NULL OR use.channel_id = wanted.channel)
        AND (wanted.starts_at IS NULL OR use.created_at >= wanted.starts_at)
        AND (wanted.ends_at IS NULL OR use.created_at < wanted.ends_at)
        AND use.id <> ALL(%(without)s::uuid[])
"""

LEDGER = f"""
    WITH wanted AS (
        SELECT * FROM unnest(
            %(ids)s::uuid[], %(objects)s::uuid[], %(measures)s::text[], %(entries)s::text[],
            %(customers)s::uuid[], %(channels)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
        ) AS wanted (id, object_id, measure, entry, customer, channel, starts_at, ends_at)
    ), used AS (
        {_OF_OBJECT.format(column="campaign_id")}
        UNION ALL {_OF_OBJECT.format(column="voucher_id")}
        UNION ALL {_OF_OBJECT.format(column="promotion_tier_id")}
    )
    SELECT wanted.id, coalesce(sum(used.value), 0)::bigint AS value
    FROM wanted LEFT JOIN used ON used.id = wanted.id GROUP BY wanted.id
"""
