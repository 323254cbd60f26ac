"""Which customers a segment's filter matches, decided in memory on one as the wire has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from customers.payload import ADDRESS_FIELDS
from promoengine.core.errors import InvalidPayload
from promoengine.engine import filters
from promoengine.engine.calendar import ANNUAL, CALENDAR, PERIODS
from promoengine.engine.filters import Filter, InvalidFilter, parse_filter_condition
from promoengine.engine.findings import lookup
from promoengine.engine.operators import Condition, Moment
from promoengine.engine.values import number_of

BIRTHDAYS = ("birthdate", "birthday")
LAST_ORDER = "summary.orders.last_order_date"
PRODUCTS = "summary.orders.products"
DATES = ("created_at", "updated_at", *BIRTHDAYS, LAST_ORDER)
REDEMPTIONS = (
    "total_redeemed",
    "total_failed",
    "total_succeeded",
    "total_rolled_back",
    "total_rollback_failed",
    "total_rollback_succeeded",
    "gift.redeemed_amount",
    "gift.amount_to_go",
)
ORDERS = ("total_amount", "total_count", "average_amount", "last_order_amount")
FIELDS = (
    *("name", "email", "phone", "description", "source_id"),
    *DATES,
    *(f"address.{name}" for name in ADDRESS_FIELDS),
    *(f"summary.redemptions.{name}" for name in REDEMPTIONS),
    *(f"summary.orders.{name}" for name in ORDERS),
    PRODUCTS,
)
METADATA, EVENTS, COUNT, LAST = "metadata.", "events.", ".count", ".last_date"
KNOWN = f"{', '.join(FIELDS)}, metadata.<key>, events.<name>.count, events.<name>.last_date"
# On a date, a number of days means how long ago it is.
AGO = {"$more_than": "$more_than_ago", "$less_than": "$less_than_ago"}
DAILY = {*CALENDAR, "$more_than_ago", "$less_than_ago", "$is_days_ago"} | {
    *("$more_than_future", "$less_than_future", "$is_days_in_future")
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What filters ask that is not read with a customer: custom events by name, and what was bought."""

    events: frozenset[str] = frozenset()
    products: bool = False

    @classmethod
    def of(cls, filters: "Iterable[CustomerFilter]") -> "Needs":
        """Return what several filters need together."""
        needs = [one.needs for one in filters]
        events = frozenset[str]().union(*(one.events for one in needs))
        return cls(events, any(one.products for one in needs))


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """A segment's filter: conditions by field, all or any of which must hold."""

    filter: Filter

    def matches(self, person: Mapping[str, Any], at: Moment) -> bool:
        """Return whether a customer, as `people` reads one, is in the segment; what is unknown is not."""
        return self.filter.matches(
            lambda field: lookup(person, "birthdate" if field in BIRTHDAYS else field), at
        )

    @property
    def needs(self) -> Needs:
        """What it asks that is not read with a customer anyway."""
        events = frozenset(event_of(field) for field in self.filter.fields if field.startswith(EVENTS))
        return Needs(events, PRODUCTS in self.filter.fields)

    @property
    def depends_on_today(self) -> bool:
        """Whether who is in may change by the day, with nothing else happening."""
        return any(
            test.operator in DAILY for _, condition in self.filter.conditions for test in condition.tests
        )


def operator_asked(field: str, operator: str, sent: Any) -> str:
    """Return the operator that is meant by one on a field: on a date, a number means days ago."""
    is_date = field in DATES or (_is_of_event(field) and field.endswith(LAST))
    return _of_date("", operator, sent) if is_date else operator


def parse_filter(data: Any, where: str = ".filter") -> CustomerFilter:
    """Read the published filter of a segment.

    Raises:
        InvalidPayload: junction, field, operator or value are wrong, or nothing is asked; the details name
            the property.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload(f"Property {where} should be object")
    try:
        read = filters.parse_filter(data, _read_condition, KNOWN)
    except InvalidFilter as error:
        raise InvalidPayload(f"Property {where}{error}") from error
    if not read.conditions:
        raise InvalidPayload(f"Property {where} should have at least one field with conditions")
    return CustomerFilter(read)


def _read_condition(field: str, conditions: Mapping[str, Any]) -> Condition | None:
    is_keyed = field.startswith(METADATA) and field != METADATA
    if field in DATES or (_is_of_event(field) and field.endswith(LAST)):
        conditions = {_of_date(field, operator, sent): sent for operator, sent in conditions.items()}
    elif field not in FIELDS and not is_keyed and not _is_of_event(field):
        return None
    return parse_filter_condition(conditions)


def _is_of_event(field: str) -> bool:
    return field.startswith(EVENTS) and field.endswith((COUNT, LAST)) and bool(event_of(field))


def event_of(field: str) -> str:
    """Return the name of the custom event that a field is about."""
    return field.removeprefix(EVENTS).rpartition(".")[0]


def _of_date(field: str, operator: str, sent: Any) -> str:
    """Return the operator that is meant on a date: days ago for a number, for birthdays the anniversary."""
    value = sent[0] if isinstance(sent, list) and len(sent) == 1 else sent
    if operator in AGO and number_of(value) is not None:
        return AGO[operator]
    return f"{operator}{ANNUAL}" if field in BIRTHDAYS and operator in PERIODS else operator
