"""Going through codes in the order of an index, window by window, from any place and either way."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q
from django.db.models.fields.tuple_lookups import (
    Tuple,
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)

from vouchers.models import Voucher

Place = tuple[datetime, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Walk:
    """Codes in the order of an index: which, ordered by which column and the key, and which way."""

    among: Q
    column: str
    is_descending: bool

    @property
    def order(self) -> list[str]:
        sign = "-" if self.is_descending else ""
        return [f"{sign}{self.column}", f"{sign}pk"]

    def reversed(self) -> "Walk":
        return replace(self, is_descending=not self.is_descending)

    def beyond(self, place: Place | None) -> Q:
        """Return what comes after a place."""
        if place is None:
            return Q()
        return self._compared(TupleLessThan if self.is_descending else TupleGreaterThan, place)

    def up_to(self, place: Place | None) -> Q:
        """Return what comes before a place, and what is at it."""
        if place is None:
            return Q()
        return self._compared(TupleGreaterThanOrEqual if self.is_descending else TupleLessThanOrEqual, place)

    def end_of_window(self, after: Place | None, size: int) -> Place | None:
        """Return the place of the last of the next `size` codes, or None where fewer are left.

        An index alone tells it. Those in the bin count, too.
        """
        rows = Voucher.objects.filter(self.among & self.beyond(after)).order_by(*self.order)
        return rows.values_list(self.column, "pk")[size - 1 : size].first()

    def _compared(self, lookup: Any, place: Place) -> Q:
        return Q(lookup(Tuple(self.column, "pk"), place))


BY_CREATION = partial(Walk, column="created_at", is_descending=True)
BY_START = partial(Walk, column="start_date", is_descending=False)
BY_EXPIRATION = partial(Walk, column="expiration_date", is_descending=False)
EXPIRED_LAST = partial(Walk, column="expiration_date", is_descending=True)
