"""What SQL can say of a segment's filter beforehand, so that not each of a million customers must be asked.

SQL compares JSON, numbers that are spelled as texts and local days in ways of its own. So it decides nothing
by itself: it draws two lines around a filter, and only those between the lines are asked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    DecimalField,
    Exists,
    Expression,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, ExtractDay, ExtractMonth

from customers.membership import (
    BIRTHDAYS,
    COUNT,
    EVENTS,
    LAST_ORDER,
    METADATA,
    PRODUCTS,
    CustomerFilter,
    event_of,
)
from customers.models import Customer, CustomEvent
from promoengine.engine.calendar import OnCalendar
from promoengine.engine.checks import Among, Bound, Check, Contains, Days, Moment, Not, Presence, Text
from promoengine.engine.operators import PRESENCE, Condition, Test
from promoengine.engine.values import moment_of

NOBODY = Q(pk__in=[])
EVERYBODY = ~NOBODY
TEXTS = ("name", "email", "phone", "description", "source_id")
MOMENTS = {"created_at": "created_at", "updated_at": "updated_at", LAST_ORDER: "summary__last_order_at"}
NUMBERS = {
    "summary.redemptions.total_redeemed": "redeemed",
    "summary.redemptions.total_failed": "failed",
    "summary.redemptions.total_succeeded": "succeeded",
    "summary.redemptions.total_rolled_back": "rolled_back",
    "summary.redemptions.total_rollback_failed": "rollback_failed",
    "summary.redemptions.total_rollback_succeeded": "rollback_succeeded",
    "summary.redemptions.gift.redeemed_amount": "gift_redeemed_amount",
    "summary.redemptions.gift.amount_to_go": "gift_amount_to_go",
    "summary.orders.total_amount": "orders_amount",
    "summary.orders.total_count": "orders_count",
    "summary.orders.last_order_amount": "last_order_amount",
}
# Days are tried one by one; who lies before or after them is asked.
FIRST_BIRTHDAY, FIRST_MOMENT, YEARS_AHEAD = date(1900, 1, 1), date(2000, 1, 1), 2
PERIODS_MAX = 100
STORED_MAX = 2**63 - 1
# More than clocks are moved by, and than the wire rounds.
BLUR = timedelta(hours=2)
LEAP_YEAR = 2000
# Years in which a birthday can be told apart from nonsense.
CALENDAR_YEARS = (date(3, 1, 1), date(9997, 1, 1))


@dataclass(frozen=True, slots=True)
class Around:
    """Two lines around those who match: all whom `surely` finds do, and nobody whom `maybe` does not."""

    surely: Q = NOBODY
    maybe: Q = EVERYBODY

    @classmethod
    def exactly(cls, condition: Q) -> "Around":
        return cls(condition, condition)

    def __and__(self, other: "Around") -> "Around":
        return Around(self.surely & other.surely, self.maybe & other.maybe)

    def __or__(self, other: "Around") -> "Around":
        return Around(self.surely | other.surely, self.maybe | other.maybe)


@dataclass(frozen=True, slots=True)
class Preselection:
    """The two lines around a filter at a moment, and the expressions that they are drawn by."""

    around: Around
    names: Mapping[str, Expression]

    def mark(self, rows: QuerySet[Customer]) -> QuerySet[Customer]:
        """Return the customers with `surely` and `maybe`, both of them true or false and never null."""
        return rows.alias(**self.names).alias(
            surely=_truth(self.around.surely), maybe=_truth(self.around.maybe)
        )


def preselect(asked: CustomerFilter, at: Moment) -> Preselection:
    """Return what SQL can say of a filter at a moment."""
    lines = _Lines(at)
    found = [lines.draw(name, condition) for name, condition in asked.filter.conditions]
    around = found[0]
    for one in found[1:]:
        around = around & one if asked.filter.junction == "and" else around | one
    return Preselection(around, lines.names)


def _truth(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


@dataclass(slots=True)
class _Lines:
    at: Moment
    names: dict[str, Expression] = field(default_factory=dict)

    def draw(self, name: str, condition: Condition) -> Around:
        kind, _, rest = name.partition(".")
        if name in TEXTS:
            return _all(_text(name, test) for test in condition.tests)
        if name in NUMBERS:
            column = self._named(Coalesce(F(f"summary__{NUMBERS[name]}"), 0, output_field=BigIntegerField()))
            return _all(_number(column, test) for test in condition.tests)
        if name in BIRTHDAYS:
            return _all(self._birthday(test) for test in condition.tests)
        if name in MOMENTS:
            return _all(self._moment(MOMENTS[name], test) for test in condition.tests)
        if name.startswith(EVENTS):
            return self._event(name, condition)
        if name.startswith(METADATA) or kind == "address":
            return self._json(kind, rest, condition)
        if name == PRODUCTS:
            return _all(_products(test) for test in condition.tests)
        return Around()

    def _named(self, expression: Expression) -> str:
        name = f"asked_{len(self.names)}"
        self.names[name] = expression
        return name

    def _json(self, column: str, key: str, condition: Condition) -> Around:
        """Draw the lines for a value inside JSON; those for a path into nested objects are not drawn."""
        if "." in key or not _is_storable(key):
            return Around()
        inner = Func(F(column), Value(key), function="jsonb_extract_path", output_field=TextField())
        kind = self._named(Func(inner, function="jsonb_typeof", output_field=CharField()))
        text = Func(F(column), Value(key), function="jsonb_extract_path_text", output_field=TextField())
        number = Case(
            When(
                **{kind: "number"},
                then=Func(text, template="(%(expressions)s)::numeric", output_field=DecimalField()),
            )
        )
        value = _Json(kind, self._named(text), self._named(number))
        return _all(value.draw(test) for test in condition.tests)

    def _event(self, name: str, condition: Condition) -> Around:
        """Leave out those to whom it never happened, where the condition needs that it did."""
        never = 0 if name.endswith(COUNT) else None
        happened = event_of(name)
        if condition.holds(never, self.at) is True or not _is_storable(happened):
            return Around()
        events = CustomEvent.objects.filter(customer=OuterRef("pk"), type=happened)
        return Around(NOBODY, Q(**{self._named(Exists(events)): True}))

    def _birthday(self, test: Test) -> Around:
        known = Q(birthdate__isnull=False)
        if test.operator in PRESENCE:
            return Around.exactly(_presence(known, test))
        check = test.check.of if isinstance(test.check, Not) else test.check
        if isinstance(check, OnCalendar) and check.annual:
            return self._anniversary(test)
        if not _is_by_day(check):
            return Around(NOBODY, known)
        surely, maybe = NOBODY, ~Q(birthdate__gte=FIRST_BIRTHDAY) | Q(birthdate__gte=self._end)
        periods = self._periods(test, FIRST_BIRTHDAY)
        if len(periods) > PERIODS_MAX:
            return Around(NOBODY, known)
        for start, end in periods:
            surely |= Q(birthdate__gte=start, birthdate__lt=end)
        return Around(surely & known, (surely | maybe) & known)

    def _anniversary(self, test: Test) -> Around:
        """Draw the line by month and day; no year makes a difference."""
        start = date(LEAP_YEAR, 1, 1)
        days = [start + timedelta(days=number) for number in range(366)]
        found = [day.month * 100 + day.day for day in days if test.holds(day, self.at) is True]
        column = self._named(ExtractMonth("birthdate") * 100 + ExtractDay("birthdate"))
        on_that_day = Q(**{f"{column}__in": found})
        return Around(on_that_day & Q(birthdate__range=CALENDAR_YEARS), on_that_day)

    def _moment(self, column: str, test: Test) -> Around:
        known = Q(**{f"{column}__isnull": False})
        if test.operator in PRESENCE:
            return Around.exactly(_presence(known, test))
        if not _is_by_day(test.check):
            return Around(NOBODY, known)
        if isinstance(test.check, Bound):
            return _bound(column, test.check, self.at)
        periods = self._periods(test, FIRST_MOMENT)
        if len(periods) > PERIODS_MAX:
            return Around(NOBODY, known)
        outside = Q(**{f"{column}__lt": self._start(FIRST_MOMENT) + BLUR})
        outside |= Q(**{f"{column}__gte": self._start(self._end) - BLUR})
        surely, maybe = NOBODY, outside
        for start, end in ((self._start(start), self._start(end)) for start, end in periods):
            surely |= Q(**{f"{column}__gte": start + BLUR, f"{column}__lt": end - BLUR})
            maybe |= Q(**{f"{column}__gte": start - BLUR, f"{column}__lt": end + BLUR})
        return Around(surely, maybe)

    @property
    def _end(self) -> date:
        return date(self.at.now.year + YEARS_AHEAD, 1, 1)

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.at.zone).astimezone(UTC)

    def _periods(self, test: Test, first: date) -> list[tuple[date, date]]:
        """Return the periods, each with the day after it, on whose days the test holds."""
        found: list[tuple[date, date]] = []
        holds = _by_day(test, self.at)
        for number in range((self._end - first).days):
            day = first + timedelta(days=number)
            if holds(day):
                start = found.pop()[0] if found and found[-1][1] == day else day
                found.append((start, day + timedelta(days=1)))
        return found


@dataclass(frozen=True, slots=True)
class _Json:
    """A value inside JSON: what `jsonb_typeof` calls it, its text, and its number if it is one."""

    kind: str
    text: str
    number: str

    def draw(self, test: Test) -> Around:
        known = Q(**{f"{self.text}__isnull": False})
        # Of these the elements, or the id, are what is compared.
        several = Q(**{f"{self.kind}__in": ["array", "object"]})
        match test.check:
            case Presence() | Not(of=Presence()):
                return Around.exactly(_presence(known, test))
            case Among() as check:
                return self._among(check, several)
            case Not(of=Among() as check):
                inner = self._among(check, several)
                return Around(known & ~inner.maybe, known & ~inner.surely)
            case Text() | Contains():
                found = _any_text(self.text, test.check)
                return Around(Q(**{self.kind: "string"}) & found, several | found)
            case Bound(limit=Decimal()) as check:
                within = _compared(self.number, check)
                return Around(NOBODY, known & (within | ~Q(**{self.kind: "number"})))
        return Around(NOBODY, known)

    def _among(self, check: Among, several: Q) -> Around:
        plain = Q(**{f"{self.text}__in": _storable(check.plain)})
        is_plain = Q(**{f"{self.kind}__in": ["string", "boolean"]})
        if check.dates or any(isinstance(value, Decimal) for value in check.plain):
            return Around(plain & is_plain, Q(**{f"{self.text}__isnull": False}))
        return Around(plain & is_plain, plain | several)


def _text(column: str, test: Test) -> Around:
    known = Q(**{f"{column}__isnull": False})
    match test.check:
        case Presence() | Not(of=Presence()):
            return Around.exactly(_presence(known, test))
        case Among() as check:
            return _among_texts(column, check, known)
        case Not(of=Among() as check):
            inner = _among_texts(column, check, known)
            return Around(known & ~inner.maybe, known & ~inner.surely)
        case Text() | Contains():
            return Around.exactly(_any_text(column, test.check))
        case Not(of=Contains() as check):
            return Around.exactly(known & ~_any_text(column, check))
    return Around(NOBODY, known)


def _among_texts(column: str, check: Among, known: Q) -> Around:
    """Draw the line for texts; one that spells a number or a date may be spelled otherwise, too."""
    found = Q(**{f"{column}__in": _storable(check.plain)})
    is_plain = not check.dates and all(isinstance(value, str) for value in check.plain)
    return Around(found, found if is_plain else known)


def _number(column: str, test: Test) -> Around:
    match test.check:
        case Presence():
            return Around.exactly(EVERYBODY)
        case Not(of=Presence()):
            return Around.exactly(NOBODY)
        case Among() as check:
            return Around.exactly(_among_numbers(column, check))
        case Not(of=Among() as check):
            return Around.exactly(~_among_numbers(column, check))
        case Bound(limit=Decimal()) as check:
            (cut,) = check.cuts()
            cut = max(-STORED_MAX, min(cut, STORED_MAX))
            return Around.exactly(Q(**{f"{column}__{'lt' if check.below else 'gte'}": cut}))
    return Around()


def _among_numbers(column: str, check: Among) -> Q:
    numbers = [one for one in check.plain if isinstance(one, Decimal) and abs(one) <= STORED_MAX]
    return Q(**{f"{column}__in": [int(one) for one in numbers if one == one.to_integral_value()]})


def _products(test: Test) -> Around:
    """Leave out those who bought none of them; one who never bought anything has no list."""
    match test.check:
        case Among(dates=()) as check if all(isinstance(value, str) for value in check.plain):
            return Around(NOBODY, Q(summary__products__has_any_keys=_storable(check.plain)))
    return Around()


def _compared(column: str, check: Bound) -> Q:
    operator = ("lte" if check.closed else "lt") if check.below else ("gte" if check.closed else "gt")
    return Q(**{f"{column}__{operator}": check.limit})


def _bound(column: str, check: Bound, at: Moment) -> Around:
    limit = moment_of(check.limit, at.zone) if isinstance(check.limit, date) else None
    if limit is None:
        return Around.exactly(NOBODY)
    if check.below:
        return Around(Q(**{f"{column}__lt": limit - BLUR}), Q(**{f"{column}__lt": limit + BLUR}))
    return Around(Q(**{f"{column}__gt": limit + BLUR}), Q(**{f"{column}__gt": limit - BLUR}))


def _any_text(column: str, check: Text | Contains) -> Q:
    lookup = "contains"
    if isinstance(check, Text):
        lookup = "startswith" if check.matches is str.startswith else "endswith"
    found = NOBODY
    for part in _storable(check.parts):
        found |= Q(**{f"{column}__{lookup}": part})
    return found


def _presence(known: Q, test: Test) -> Q:
    return known if isinstance(test.check, Presence) else ~known


def _by_day(test: Test, at: Moment) -> Callable[[date], bool]:
    """Return the test as a function of a local day; asked so, it is much faster than of any value."""
    today = at.now.astimezone(at.zone).date()
    match test.check:
        case OnCalendar(annual=False) as near:
            return lambda day: near.is_near(day, today, at.week_start)
        case Days() as days:
            return lambda day: days.of.passes(days.sign * (day - today).days, at) is True
    return lambda day: test.holds(day, at) is True


def _is_by_day(check: Check) -> bool:
    """Whether, of the times of a day, the check makes no difference, or but one."""
    return isinstance(check, Days | OnCalendar | Bound)


def _all(found: Iterable[Around]) -> Around:
    whole: Around | None = None
    for one in found:
        whole = one if whole is None else whole & one
    return whole or Around.exactly(EVERYBODY)


def _storable(values: Iterable[Any]) -> list[str]:
    """Return the texts that the database can hold at all: nothing stored is equal to another."""
    return sorted(value for value in values if isinstance(value, str) and _is_storable(value))


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
