"""Pages of the codes that are sought, each as quick as the first, however many codes there are.

Two plans race. Where the planner reckons that an index narrows the codes to few, all of those are read and
put in order. Else the codes are walked in the order of an index, a window at a time: what is common is found
in the first. What is neither is looked for in so many codes, and then said to go on from there: no page ever
reads a whole table.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf
from typing import Any

from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, Value, When

from promoengine.core.models import Project
from promoengine.core.pages import Total, bounded, plan_of
from vouchers.codes import typed_keys
from vouchers.likeness import code_meant
from vouchers.models import Voucher, VoucherQuerySet
from vouchers.selections import Selection, Sought
from vouchers.selectors import vouchers_for_wire
from vouchers.walks import Place, Walk

# How many codes a walk goes past, window by window, until it stops and says so. Where so many of all codes
# have no page of what is sought, it is so rare that an index is affordable, or it is among older ones alone.
WINDOWS = (5_000, 25_000)
# Whoever asks to look further from where a walk stopped has seen no answer in that, and would wait for one.
FURTHER = (300_000,)
# In the planner's unit, the reading of a page in sequence: what is read without a second thought, what at
# most once the first window had too few, and what at most for whoever looks further. A table read as a whole
# costs more time than that unit says.
CHEAP, AFFORDABLE, PATIENT, WHOLE = 3_000.0, 60_000.0, 600_000.0, 3.0
# How many codes are read and put in order at once for whoever looks further.
SORTED_AT_MOST = 1_200_000


@dataclass(frozen=True, slots=True)
class Found:
    """A page of codes, and the codes by which the pages after and before it are asked for, if there are any.

    `looked_through` is how many codes were gone past where those were too few for a page. Where none has what
    was typed, `meant` is the one that it reads like, if there is just one.
    """

    rows: list[Voucher]
    total: Total
    before: uuid.UUID | None
    after: uuid.UUID | None
    looked_through: int
    meant: str = ""


def find_codes(
    project: Project,
    selection: Selection,
    *,
    limit: int,
    after: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    more: Q | None = None,
) -> Found:
    """Return the page of a selection that follows the code `after`, or ends before `before`; else the first.

    A code that was typed whole comes first. `more` are conditions besides, of which no index is known.

    Raises:
        InvalidPayload: too many customers could be meant by the selection's holder.
        QueryTooLarge: a query took too long.
    """
    with bounded():
        sought = selection.sought(project)
        rows = Voucher.objects.filter(project=project).present().filter(more or Q())
        asked = sought.plain & (more or Q())
        exact = _typed_whole(project, asked, selection.search)
        place, is_met = _place_of(project, sought.walk, after or before, asked)
        search = _Search(
            rows=rows,
            is_narrowed=bool(sought.criteria or more),
            sought=sought,
            reckoned=_reckon(rows.filter(sought.indexed)),
            exact=[row.pk for row in exact],
            limit=limit,
            looks_further=bool(after and place) and not is_met,
        )
        if after in search.exact:  # a short page ended among those, which have no place on the walk
            page = search.page_after(None, search.exact[search.exact.index(after) + 1 :])
        elif place:
            page = search.page_before(place) if before else search.page_after(place, [])
        else:
            page = search.first_page()
        return Found(
            _loaded(project, page.keys, exact),
            page.total,
            page.before,
            page.after,
            page.looked_through,
            "" if page.keys or after or before else _meant(project, selection, more or Q()),
        )


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """What the planner expects of reading all that is sought by its best index."""

    cost: float
    rows: int


@dataclass(frozen=True, slots=True)
class _Places:
    """Where codes are that are sought, and where a walk stopped that found too few."""

    places: list[Place]
    stopped_at: Place | None = None
    looked_through: int = 0

    def keys(self, limit: int) -> list[uuid.UUID]:
        return [key for _, key in self.places[:limit]]

    def next_after(self, limit: int) -> uuid.UUID | None:
        """Return the code that the next page follows, where there may be one."""
        if len(self.places) > limit:
            return self.places[limit - 1][1]
        return self.stopped_at[1] if self.stopped_at else None


@dataclass(frozen=True, slots=True)
class _Page:
    keys: list[uuid.UUID]
    total: Total
    before: uuid.UUID | None
    after: uuid.UUID | None
    looked_through: int


@dataclass(frozen=True, slots=True)
class _Search:
    """One search: among which rows, for what, and what is known of it."""

    rows: VoucherQuerySet
    is_narrowed: bool
    sought: Sought
    reckoned: _Reckoned
    exact: list[uuid.UUID]
    limit: int
    looks_further: bool

    def first_page(self) -> _Page:
        """Return the first page, which begins with the code typed whole."""
        return self.page_after(None, self.exact)

    def page_after(self, place: Place | None, exact: list[uuid.UUID]) -> _Page:
        """Return the page that follows a place, with what was typed whole before it."""
        shown = exact[: self.limit]
        room = self.limit - len(shown)
        found = self._places(self.sought.walk, place, room + 1)
        keys, after = [*shown, *found.keys(room)], found.next_after(room)
        if not room and (after or len(exact) > self.limit):
            after = shown[-1]
        total = self._total(len(keys)) if place or after else Total(len(keys))
        before = keys[0] if place and keys else None
        return _Page(keys, total, before, after, found.looked_through)

    def page_before(self, place: Place) -> _Page:
        """Return the page that ends before a place; where less than a page is there, the first."""
        found = self._places(self.sought.walk.reversed(), place, self.limit + 1)
        before = found.next_after(self.limit)
        if before is None:
            return self.first_page()
        keys = found.keys(self.limit)[::-1]
        after = keys[-1] if keys else before
        return _Page(keys, self._total(len(keys)), before, after, found.looked_through)

    def _places(self, walk: Walk, after: Place | None, wanted: int) -> _Places:
        if self._is_within(CHEAP) or (self.looks_further and self._is_within(PATIENT, SORTED_AT_MOST)):
            return _Places(self._sorted(walk, after, wanted))
        places: list[Place] = []
        place, passed = after, 0
        for size in FURTHER if self.looks_further else WINDOWS:
            end = walk.end_of_window(place, size)
            window = walk.among & walk.beyond(place) & walk.up_to(end)
            rows = self._others.filter(window & self.sought.plain).order_by(*walk.order)
            places += rows.values_list(walk.column, "pk")[: wanted - len(places)]
            if len(places) == wanted or end is None:
                return _Places(places)
            if self._is_within(AFFORDABLE):
                return _Places(self._sorted(walk, after, wanted))
            place, passed = end, passed + size
        return _Places(places, place, passed)

    def _sorted(self, walk: Walk, after: Place | None, wanted: int) -> list[Place]:
        """Read all that is sought and put it in order; no index has this order, so none is walked instead."""
        column = ExpressionWrapper(F(walk.column) + Value(timedelta(0)), DateTimeField())
        rows = self._others.filter(self.sought.indexed & walk.beyond(after)).alias(unindexed=column)
        sign = "-" if walk.is_descending else ""
        return list(rows.order_by(f"{sign}unindexed", f"{sign}pk").values_list(walk.column, "pk")[:wanted])

    @property
    def _others(self) -> VoucherQuerySet:
        return self.rows.exclude(pk__in=self.exact) if self.exact else self.rows

    def _is_within(self, cost: float, rows: float = inf) -> bool:
        return self.is_narrowed and self.reckoned.cost <= cost and self.reckoned.rows <= rows

    def _total(self, shown: int) -> Total:
        if self.reckoned.cost <= CHEAP:
            return Total(self.rows.filter(self.sought.indexed).count())
        return Total(max(self.reckoned.rows, shown), is_estimate=True)


def _place_of(project: Project, walk: Walk, key: uuid.UUID | None, asked: Q) -> tuple[Place | None, bool]:
    """Return a code's place, and whether it meets what is asked; where a walk stopped is any code."""
    if key is None:
        return None, False
    rows = Voucher.objects.filter(project=project, pk=key, **{f"{walk.column}__isnull": False})
    is_met = Case(When(asked, then=True), default=False) if asked else Value(True)
    found = rows.annotate(is_met=is_met).values_list(walk.column, "pk", "is_met").first()
    return (found[:2], found[2]) if found else (None, False)


def _typed_whole(project: Project, condition: Q, text: str) -> list[Voucher]:
    if not text:
        return []
    keys = typed_keys(project, text)
    rows = vouchers_for_wire(project).filter(condition, code_key__in=keys)
    found = {row.code_key: row for row in rows}
    # As it was typed before what it could be besides.
    return [found[key] for key in keys if key in found]


def _meant(project: Project, selection: Selection, more: Q) -> str:
    """Return the code that what was typed can be meant for, where all else that is asked holds of it."""
    found = code_meant(project, selection.search)
    if found is None:
        return ""
    rows = replace(selection, search=found.code).rows(project).filter(more, pk=found.pk)
    return found.code if rows.exists() else ""


def _reckon(rows: VoucherQuerySet) -> _Reckoned:
    plan = plan_of(rows.order_by().values_list("pk"))
    factor = WHOLE if _reads_a_whole_table(plan) else 1
    return _Reckoned(plan["Total Cost"] * factor, int(plan["Plan Rows"]))


def _reads_a_whole_table(plan: Mapping[str, Any]) -> bool:
    return plan.get("Node Type") == "Seq Scan" or any(map(_reads_a_whole_table, plan.get("Plans", ())))


def _loaded(project: Project, keys: Sequence[uuid.UUID], loaded: Sequence[Voucher]) -> list[Voucher]:
    by_key = {row.pk: row for row in loaded}
    if missing := [key for key in keys if key not in by_key]:
        by_key |= {row.pk: row for row in vouchers_for_wire(project).filter(pk__in=missing)}
    for row in by_key.values():
        row.project = project
    return [by_key[key] for key in keys if key in by_key]
