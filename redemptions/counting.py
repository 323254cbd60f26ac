"""The engine's counters as rows: which row stands for which counter, and what it stands at."""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from customers.identities import KINDS
from promoengine.core.models import Project
from promoengine.engine.limits import Counter
from promoengine.engine.operators import Moment
from redemptions.models import CounterHold, Redemption, UsageCounter
from vouchers.models import Voucher

# The kinds of subjects that are a person, each of whom has few redemptions.
PEOPLE = ("customer", *KINDS)


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom counters are kept by in one checkout: primary key or name, None where there is none.

    `identity_keys` are what the customer is known by besides, as in `email:<uuid>`.
    """

    customer: uuid.UUID | None = None
    api_key: str | None = None
    user: str | None = None
    identity_keys: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        customer: uuid.UUID | None,
        identity_keys: Collection[str] = (),
        *,
        channel_id: str,
        channel_type: str,
    ) -> "Subjects":
        """Return who is at the checkout, as redemptions keep it."""
        keys = tuple(identity_keys)
        if channel_type == "USER":
            return cls(customer, user=channel_id or None, identity_keys=keys)
        return cls(customer, api_key=channel_id or None, identity_keys=keys)

    def text(self, kind: str) -> str | None:
        """Return the subject as counters' rows name it, "" for a counter of nobody in particular."""
        if not kind:
            return ""
        if kind in KINDS:
            return next((key for key in self.identity_keys if key.startswith(f"{kind}:")), None)
        value = getattr(self, kind)
        return None if value is None else f"{kind}:{value}"


@dataclass(frozen=True, slots=True)
class CounterRow:
    """What the row of a counter is found by; `starts_at` and `ends_at` bound its window, half-open."""

    id: uuid.UUID
    object_id: uuid.UUID
    measure: str
    entry: str
    subject: str
    window: str
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def lock(self) -> int:
        """The number of the advisory lock that guards the making of the row."""
        kind, _, value = self.subject.partition(":")
        return making_lock(uuid.UUID(value) if kind in PEOPLE else self.object_id)


def making_lock(key: uuid.UUID) -> int:
    """Return the number of the lock that guards the making of the counters of an object, or a customer.

    Whoever uses an object or gives it back shares it, whoever makes a counter takes it alone: the ledger then
    has all that the counter must start with. Counters by customer go by the customer, and those by an
    identity key by its hash, so that the first use of each makes nobody else wait.
    """
    return (key.int & 0x7FFF_FFFF_FFFF_FFFF) ^ 0x434F_554E


def counter_row(counter: Counter, subjects: Subjects, moment: Moment) -> CounterRow | None:
    """Return the row that stands for a counter at this moment; None where its subject is not known yet."""
    subject = subjects.text(counter.subject)
    object_id = counter.object_key
    if subject is None or not isinstance(object_id, uuid.UUID):
        return None
    starts_at, ends_at = window_bounds(counter.window, moment)
    return CounterRow(
        counter_id(object_id, counter.measure, counter.entry, subject, counter.window, starts_at),
        object_id,
        counter.measure,
        counter.entry,
        subject,
        counter.window,
        starts_at,
        ends_at,
    )


def counter_id(
    object_id: uuid.UUID, measure: str, entry: str, subject: str, window: str, starts_at: datetime | None
) -> uuid.UUID:
    """Return the key of the row that stands for a counter: a hash of all that tells it from others."""
    since = int(starts_at.timestamp()) if starts_at else ""
    named = f"{object_id}|{measure}|{entry}|{subject}|{window}|{since}"
    return uuid.UUID(bytes=hashlib.blake2b(named.encode(), digest_size=16).digest())


def counter_rows(
    counters: Iterable[Counter], subjects: Subjects, moment: Moment
) -> dict[Counter, CounterRow]:
    """Return the rows of those counters whose subject is known."""
    found = ((counter, counter_row(counter, subjects, moment)) for counter in counters)
    return {counter: row for counter, row in found if row is not None}


def stored_counter_row(counter: UsageCounter, moment: Moment | None) -> CounterRow | None:
    """Return what a stored row is found by; None where its window is none of the calendar in force.

    `moment` is the start of its window, None where it has none.
    """
    starts_at, ends_at = window_bounds(counter.window, moment) if moment else (None, None)
    if starts_at != counter.starts_at:
        return None
    return CounterRow(
        counter.pk,
        counter.object_id,
        counter.measure,
        counter.entry,
        counter.subject,
        counter.window,
        starts_at,
        ends_at,
    )


def window_bounds(window: str, moment: Moment) -> tuple[datetime | None, datetime | None]:
    """Return when the calendar window around a moment starts, and when the next one does, in UTC.

    They are midnights of the project's zone: a change of the zone, or of the day a week starts on, is a
    change of windows, and begins new counters.
    """
    first, next_first = _window_days(window, moment)
    return _midnight(first, moment.zone), _midnight(next_first, moment.zone)


def _window_days(window: str, moment: Moment) -> tuple[date | None, date | None]:
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


@dataclass(frozen=True, slots=True)
class Standing:
    """What counters stand at, and the keys of the rows that are there."""

    used: Mapping[Counter, int] = field(default_factory=dict)
    there: frozenset[uuid.UUID] = frozenset()


def counters_standing(
    project: Project, rows: dict[Counter, CounterRow], *, session_key: str, now: datetime
) -> Standing:
    """Return what counters stand at, with what others' live sessions hold of them.

    One query; a second one counts from the ledger those that nobody has counted yet.
    """
    if not rows:
        return Standing()
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
    used = {counter: _standing(found[row.id], counted.get(row.id, 0)) for counter, row in rows.items()}
    return Standing(used, frozenset(found) - {row.id for row in missing})


def ledger_sums(rows: Collection[CounterRow]) -> dict[uuid.UUID, int]:
    """Return what counters stand at by the ledger of redemptions."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, value FROM ({LEDGER}) AS ledger", ledger_parameters(rows))
        return dict(cursor.fetchall())


def ledger_parameters(rows: Collection[CounterRow]) -> dict[str, Any]:
    """Return what the statement `LEDGER` is about."""
    return {
        "ids": [row.id for row in rows],
        "objects": [row.object_id for row in rows],
        "measures": [row.measure for row in rows],
        "entries": [row.entry for row in rows],
        "customers": [_of_subject(row, "customer") for row in rows],
        "identities": [row.subject if row.subject.partition(":")[0] in KINDS else None for row in rows],
        "channels": [_of_subject(row, "api_key") or _of_subject(row, "user") for row in rows],
        "starts": [row.starts_at for row in rows],
        "ends": [row.ends_at for row in rows],
    }


def _standing(found: tuple[int | None, int], counted: int) -> int:
    value, held = found
    return (counted if value is None else value) + held


def _of_subject(row: CounterRow, kind: str) -> str | None:
    head, _, value = row.subject.partition(":")
    return value if head == kind else None


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone).astimezone(UTC) if day else None


STANDING = f"""
    SELECT wanted.id, counter.value, (
        SELECT coalesce(sum(hold.amount), 0)::bigint FROM {CounterHold._meta.db_table} AS hold
        WHERE hold.counter_id = wanted.id AND hold.expires_at > %(now)s
            AND NOT (hold.project_id = %(project)s AND hold.session_key = %(session)s)
    )
    FROM unnest(%(ids)s::uuid[]) AS wanted (id)
    LEFT JOIN {UsageCounter._meta.db_table} AS counter ON counter.id = wanted.id
"""

# What one redemption, `use`, adds to a counter, which is given as `measure` and `entry` of some row.
CONTRIBUTION = """CASE {of}.measure
        WHEN 'count' THEN 1
        WHEN 'orders_amount' THEN CASE use.currency WHEN '' THEN use.order_amount ELSE 0 END
        WHEN 'discount_amount' THEN CASE use.currency WHEN '' THEN use.discount_amount ELSE 0 END
        WHEN 'gift_amount' THEN coalesce(use.amount, 0)
        ELSE coalesce((use.units ->> {of}.entry)::bigint, 0)
    END"""

_USED = f"""
    SELECT wanted.id, {CONTRIBUTION.format(of="wanted")} AS value
    FROM wanted JOIN {Redemption._meta.db_table} AS use ON {{found}}
    WHERE use.kind = 'redemption' AND use.status = 'SUCCEEDED' AND use.related_object_type <> 'redemption'
        AND (wanted.channel IS NULL OR use.channel_id = wanted.channel)
        AND (wanted.starts_at IS NULL OR use.created_at >= wanted.starts_at)
        AND (wanted.ends_at IS NULL OR use.created_at < wanted.ends_at)
"""
_BY_OBJECT = _USED.format(found="wanted.customer IS NULL AND wanted.identity IS NULL AND {found}")
_OF_OBJECT = "wanted.object_id IN (use.campaign_id, use.voucher_id, use.promotion_tier_id)"
_BY_CUSTOMER = _USED.format(found=f"use.customer_id = wanted.customer AND {_OF_OBJECT}")
_BY_IDENTITY = _USED.format(
    found="wanted.identity IS NOT NULL AND use.identity_keys IS NOT NULL"
    f" AND use.identity_keys @> ARRAY[wanted.identity] AND {_OF_OBJECT}"
)

# Each part goes by an index of its own: one customer's redemptions are few, however many a campaign has.
# Codes are told from campaigns: in a shop with one campaign, reading all rows looks as good as its index.
LEDGER = f"""
    WITH wanted AS (
        SELECT wanted.*, EXISTS (
            SELECT 1 FROM {Voucher._meta.db_table} WHERE id = wanted.object_id
        ) AS is_code
        FROM unnest(
            %(ids)s::uuid[], %(objects)s::uuid[], %(measures)s::text[], %(entries)s::text[],
            %(customers)s::uuid[], %(identities)s::varchar[], %(channels)s::text[],
            %(starts)s::timestamptz[], %(ends)s::timestamptz[]
        ) AS wanted (id, object_id, measure, entry, customer, identity, channel, starts_at, ends_at)
    ), used AS (
        {_BY_CUSTOMER}
        UNION ALL {_BY_IDENTITY}
        UNION ALL {_BY_OBJECT.format(found="NOT wanted.is_code AND use.campaign_id = wanted.object_id")}
        UNION ALL {_BY_OBJECT.format(found="use.voucher_id = wanted.object_id")}
        UNION ALL {_BY_OBJECT.format(found="NOT wanted.is_code AND use.promotion_tier_id = wanted.object_id")}
    )
    SELECT wanted.id, coalesce(sum(used.value), 0)::bigint AS value
    FROM wanted LEFT JOIN used ON used.id = wanted.id GROUP BY wanted.id
"""
