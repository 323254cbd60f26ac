"""Reconciling: do counts and balances say what the ledgers of redemptions and gift credits say?

A page of rows is compared with its ledger in one statement, so that a busy database shows one moment and no
difference that is not there. Setting right takes the locks that counting uses.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from campaigns.models import Campaign, PromotionTier
from customers.identities import KINDS
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from redemptions.counting import (
    LEDGER,
    CounterRow,
    ledger_parameters,
    stored_counter_row,
)
from redemptions.facts import moment_of
from redemptions.models import Redemption, UsageCounter
from redemptions.services.count import take_making_lock
from vouchers.models import UsageEntry, Voucher, VoucherTransaction
from vouchers.services.usage import fold_usage

PAGE_SIZE = 500
RECONCILE = "RECONCILE"
NIL = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that is not what its ledger says: `expected`, in uses or minor units."""

    model: str
    key: uuid.UUID
    subject: str
    found: int
    expected: int

    def __str__(self) -> str:
        return f"{self.subject}: stands at {self.found}, and by the ledger should be {self.expected}"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a comparison has come: which model's rows, and the last key looked at."""

    model: str = "voucher"
    after: uuid.UUID = NIL


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows that were compared; `following` is where to go on, None at the end."""

    checked: int
    differences: tuple[Difference, ...]
    following: Position | None


def differences(project: Project, *, page_size: int = PAGE_SIZE) -> Iterator[Difference]:
    """Yield all differences of a project, in constant memory."""
    position: Position | None = Position()
    while position is not None:
        page = compare(project, position, page_size=page_size)
        yield from page.differences
        position = page.following


def compare(project: Project, position: Position, *, page_size: int = PAGE_SIZE) -> Page:
    """Compare the next page of rows with their ledgers."""
    if position.model == "voucher":
        keys, found = _compare_vouchers(project, position.after, page_size)
        end: Position | None = Position("counter")
    else:
        keys, found = _compare_counters(project, position.after, page_size)
        end = None
    following = replace(position, after=keys[-1]) if len(keys) == page_size else end
    return Page(len(keys), tuple(found), following)


@transaction.atomic
def set_right(project: Project, difference: Difference) -> bool:
    """Let what differs say what its ledger says, whatever that is by now; return whether that could be.

    A code that was used more often than its limit now allows can't be set right.
    """
    if difference.model == "voucher":
        return _set_voucher_right(project, difference.key)
    counter = UsageCounter.objects.filter(project=project, pk=difference.key).first()
    row = _row_of(project, counter) if counter else None
    if row is not None:
        take_making_lock(row)
        with connection.cursor() as cursor:
            cursor.execute(SET_COUNTER, ledger_parameters([row]))
    return True


def start_reconciling(project: Project, *, now: datetime) -> AsyncAction:
    """Queue a comparison of the project's counts with its ledgers; its `failed` rows are the differences."""
    total = sum(model.objects.filter(project=project).count() for model in (Voucher, UsageCounter))
    return start_async_action(
        project, RECONCILE, job="redemptions.jobs.reconcile", params={}, total_count=total, now=now
    )


def run_reconciling(action: AsyncAction) -> None:
    """Do a queued comparison, or go on with it where a worker died."""
    while action.params.get("model", "voucher"):
        model, after = action.params.get("model", "voucher"), action.params.get("after", str(NIL))
        page = compare(action.project, Position(model, uuid.UUID(after)))
        following = page.following
        with transaction.atomic():
            action.params = {
                "model": following.model if following else None,
                "after": str(following.after) if following else None,
            }
            action.save(update_fields=["params"])
            found = [
                {"row": number, "code": one.subject, "reason": str(one)}
                for number, one in enumerate(page.differences, action.failed_count + 1)
            ]
            advance(action, done=page.checked - len(found), failed=len(found), failures=found)


def _compare_vouchers(
    project: Project, after: uuid.UUID, page_size: int
) -> tuple[list[uuid.UUID], list[Difference]]:
    with connection.cursor() as cursor:
        cursor.execute(VOUCHERS, {"project": project.pk, "after": after, "size": page_size})
        rows = cursor.fetchall()
    return [row[0] for row in rows], [one for row in rows for one in _of_voucher(row)]


def _of_voucher(row: tuple[Any, ...]) -> Iterator[Difference]:
    key, code, *figures = row
    named = ("uses", "gift credits used, in minor units", "gift balance, in minor units")
    for name, found, expected in zip(named, figures[::2], figures[1::2], strict=True):
        if found != expected:
            yield Difference("voucher", key, f"Code {code}, {name}", found, expected)


def _compare_counters(
    project: Project, after: uuid.UUID, page_size: int
) -> tuple[list[uuid.UUID], list[Difference]]:
    counters = list(UsageCounter.objects.filter(project=project, pk__gt=after).order_by("pk")[:page_size])
    rows = {row.id: row for counter in counters if (row := _row_of(project, counter)) is not None}
    differ = []
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(COUNTERS, ledger_parameters(rows.values()))
            differ = cursor.fetchall()
    return [counter.pk for counter in counters], [
        Difference("counter", key, _in_words(project, rows[key]), value, expected)
        for key, value, expected in differ
    ]


def _row_of(project: Project, counter: UsageCounter) -> CounterRow | None:
    return stored_counter_row(counter, moment_of(project, counter.starts_at) if counter.starts_at else None)


def _in_words(project: Project, row: CounterRow) -> str:
    measure = UsageCounter.Measure(row.measure).label.lower()
    words = f"{_object_in_words(project, row.object_id)}, {measure}{row.entry and ' ' + row.entry}"
    kind = row.subject.partition(":")[0]
    if kind in KINDS:
        words += f" by one {kind}"
    elif row.subject:
        words += f" by {row.subject.replace(':', ' ')}"
    if row.starts_at is None:
        return words
    day = moment_of(project, row.starts_at)
    return f"{words} in the {row.window} from {day.now.astimezone(day.zone):%Y-%m-%d}"


def _object_in_words(project: Project, key: uuid.UUID) -> str:
    for model, name in ((Campaign, "Campaign"), (PromotionTier, "Promotion"), (Voucher, "Code")):
        row = model.objects.filter(project=project, pk=key).first()
        if row is not None:
            return f"{name} {row}"
    return f"Something deleted ({key})"


def _set_voucher_right(project: Project, key: uuid.UUID) -> bool:
    # From here on nobody uses the code or gives it back, whether or not it has a limit.
    fold_usage([key])
    with connection.cursor() as cursor:
        cursor.execute(SET_VOUCHER, {"project": project.pk, "key": key})
        return bool(cursor.rowcount)


_VOUCHER_LEDGER = f"""
    CROSS JOIN LATERAL (
        SELECT count(*) AS uses, coalesce(sum(amount - coalesce(refunded_credits, 0)), 0)::bigint AS credits
        FROM {Redemption._meta.db_table}
        WHERE voucher_id = voucher.id AND kind = 'redemption' AND status = 'SUCCEEDED'
    ) AS used
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0)::bigint AS amount FROM {VoucherTransaction._meta.db_table}
        WHERE voucher_id = voucher.id AND type <> 'CREDITS_ADDITION'
    ) AS taken
"""

VOUCHERS = f"""
    SELECT voucher.id, voucher.code,
        voucher.redeemed_quantity + noted.quantity, voucher.imported_quantity + used.uses,
        voucher.redeemed_amount, voucher.imported_amount + used.credits,
        voucher.gift_balance, voucher.gift_amount - voucher.imported_amount + taken.amount
    FROM (
        SELECT * FROM {Voucher._meta.db_table}
        WHERE project_id = %(project)s AND id > %(after)s ORDER BY id LIMIT %(size)s
    ) AS voucher
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity FROM {UsageEntry._meta.db_table}
        WHERE voucher_id = voucher.id
    ) AS noted
    {_VOUCHER_LEDGER}
    ORDER BY voucher.id
"""

SET_VOUCHER = f"""
    UPDATE {Voucher._meta.db_table} AS wrong
    SET redeemed_quantity = voucher.imported_quantity + used.uses,
        redeemed_amount = voucher.imported_amount + used.credits,
        gift_balance = voucher.gift_amount - voucher.imported_amount + taken.amount
    FROM {Voucher._meta.db_table} AS voucher {_VOUCHER_LEDGER}
    WHERE wrong.id = %(key)s AND wrong.project_id = %(project)s AND voucher.id = wrong.id
        AND (voucher.quantity IS NULL OR voucher.imported_quantity + used.uses <= voucher.quantity)
"""

COUNTERS = f"""
    SELECT counter.id, counter.value, ledger.value FROM ({LEDGER}) AS ledger
    JOIN {UsageCounter._meta.db_table} AS counter ON counter.id = ledger.id
    WHERE counter.value <> ledger.value
"""

SET_COUNTER = f"""
    UPDATE {UsageCounter._meta.db_table} AS counter SET value = ledger.value
    FROM ({LEDGER}) AS ledger WHERE counter.id = ledger.id
"""
