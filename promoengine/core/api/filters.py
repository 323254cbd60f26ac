"""The published `filters[field][conditions][$operator]` query syntax, turned into one database condition."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db.models import Model, Q
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_default_timezone, make_aware

from promoengine.core.errors import InvalidQueryParams
from promoengine.core.ids import parse_public_id

BRACKETS = re.compile(r"\[([^\]]*)\]")

LOOKUPS = {
    "$is": "exact",
    "$in": "in",
    "$contains": "icontains",
    "$starts_with": "startswith",
    "$ends_with": "endswith",
    "$more_than": "gt",
    "$less_than": "lt",
    "$more_than_equal": "gte",
    "$less_than_equal": "lte",
    "$after": "gt",
    "$before": "lt",
}
NEGATED = {"$is_not": "$is", "$not_in": "$in", "$not_contain": "$contains"}

Read = Callable[[str], Any]


def as_text(text: str) -> Any:
    return text


def as_boolean(text: str) -> Any:
    if text.lower() not in {"true", "false"}:
        raise ValueError("should be true or false")
    return text.lower() == "true"


def as_integer(text: str) -> Any:
    try:
        number = int(text)
    except ValueError as error:
        raise ValueError("should be a whole number") from error
    if abs(number) >= 1 << 63:
        raise ValueError("is out of range")
    return number


def as_moment(text: str) -> Any:
    """Read an ISO 8601 date or date-time; a date is its midnight in UTC."""
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            moment = datetime.combine(day, time())
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError("cannot be recognized as a ISO-8601 compliant date")
    return moment if moment.tzinfo else make_aware(moment, get_default_timezone())


def _nothing_more(operator: str, values: list[Any]) -> Q:
    return Q()


@dataclass(frozen=True, slots=True)
class Field:
    """What a published filter field reads: a column, or a condition of its own per operator.

    `with_fragment` returns what rows with a text in the column meet besides, by which an index finds them;
    `implied` what rows are that meet an operator with values, where an index holds those alone.
    """

    column: str = ""
    read: Read = as_text
    conditions: Mapping[str, Callable[[list[str]], Q]] | None = None
    with_fragment: Callable[[str], Q] | None = None
    implied: Callable[[str, list[Any]], Q] = _nothing_more

    def condition(self, operator: str, values: list[str]) -> Q:
        if self.conditions is not None:
            if operator not in self.conditions:
                raise ValueError(f"has no operator {operator}")
            return self.conditions[operator](values)
        if operator in NEGATED:
            return ~self.condition(NEGATED[operator], values)
        if operator in ("$has_value", "$is_unknown"):
            return Q(**{f"{self.column}__isnull": operator == "$is_unknown"})
        if operator not in LOOKUPS:
            raise ValueError(f"has no operator {operator}")
        read = [self.read(value) for value in values]
        condition = Q(**{f"{self.column}__{LOOKUPS[operator]}": read if operator == "$in" else read[0]})
        if self.with_fragment and operator in ("$contains", "$starts_with", "$ends_with"):
            condition &= self.with_fragment(values[0])
        return condition & self.implied(operator, read)


def by_id(column: str, *prefixes: str) -> Field:
    """Return a filter over a key column, asked for by public ids; an id of nothing matches nothing."""

    def keys(values: list[str]) -> list[object]:
        return [key for value in values for prefix in prefixes if (key := parse_public_id(prefix, value))]

    def among(values: list[str]) -> Q:
        found = keys(values)
        return Q(**{f"{column}__in": found}) if found else NOTHING

    conditions: dict[str, Callable[[list[str]], Q]] = {
        "$is": lambda values: among(values[:1]),
        "$in": among,
        "$is_not": lambda values: ~among(values[:1]),
        "$not_in": lambda values: ~among(values),
        "$has_value": lambda _: Q(**{f"{column}__isnull": False}),
        "$is_unknown": lambda _: Q(**{f"{column}__isnull": True}),
    }
    return Field(conditions=conditions)


def of_related(column: str, model: type[Model], field: Field) -> Field:
    """Return a filter by a field of the row that `column` points to.

    The few rows that are meant are looked up first, so that the long list is searched by its index of keys.
    """

    def among(operator: str, values: list[str]) -> Q:
        rows = model._default_manager.filter(field.condition(operator, values)).values_list("pk", flat=True)
        keys = list(rows[: RELATED_MAX + 1])
        if len(keys) > RELATED_MAX:
            return Q(**{f"{column}__in": rows})
        return Q(**{f"{column}__in": keys}) if keys else NOTHING

    def condition(operator: str) -> Callable[[list[str]], Q]:
        if operator in NEGATED:
            return lambda values: ~among(NEGATED[operator], values)
        return lambda values: among(operator, values)

    conditions = {operator: condition(operator) for operator in [*LOOKUPS, *NEGATED]}
    for operator, is_null in (("$has_value", False), ("$is_unknown", True)):
        null = Q(**{f"{column}__isnull": is_null})
        conditions[operator] = lambda _, null=null: null  # type: ignore[misc]
    return Field(conditions=conditions)


Fields = Mapping[str, Field]
RELATED_MAX = 1000
NOTHING = Q(pk__in=[])


def filter_condition(query: QueryDict, fields: Fields) -> Q:
    """Return the condition that `filters[…]` in the query asks for; empty where it asks for nothing.

    `metadata.KEY` reads a key of the metadata column where `fields` has `metadata`.

    Raises:
        InvalidQueryParams: a field, operator or value is wrong; the details name it.
    """
    junction, conditions = "and", []
    for path, values in _filters(query):
        if path == ["junction"]:
            junction = values[0].lower()
        else:
            conditions.append(_condition(path, values, fields))
    if junction not in ("and", "or"):
        raise InvalidQueryParams("Property .filters.junction should be and, or")
    whole = Q()
    for condition in conditions:
        whole = whole | condition if junction == "or" else whole & condition
    return whole


def range_condition(query: QueryDict, columns: Iterable[str]) -> Q:
    """Return the condition of the shortcuts `created_at[after]=` and `created_at[before]=`."""
    condition = Q()
    for column in columns:
        for word, lookup in (("after", "gt"), ("before", "lt")):
            text = query.get(f"{column}[{word}]") or query.get(f"[{column}][{word}]")
            if text:
                try:
                    condition &= Q(**{f"{column}__{lookup}": as_moment(text)})
                except ValueError as error:
                    raise InvalidQueryParams(f"Property .{column}.{word} {error}") from error
    return condition


def _filters(query: QueryDict) -> Iterable[tuple[list[str], list[str]]]:
    """Yield each filter's path below `filters`, and its values; array indexes join their values."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in query:
        head, _, rest = name.partition("[")
        parts = ([head] if head else []) + BRACKETS.findall(f"[{rest}" if rest else "")
        if not parts or parts[0] != "filters" or len(parts) < 2:
            continue
        path = [part for part in parts[1:] if part and not part.isdigit()]
        found.setdefault(tuple(path), []).extend(query.getlist(name))
    return [(list(path), values) for path, values in found.items()]


def _condition(path: list[str], values: list[str], fields: Fields) -> Q:
    name, operator = path[0], path[-1]
    if len(path) not in (2, 3) or (len(path) == 3 and path[1] != "conditions"):
        raise InvalidQueryParams(f"Property .filters.{'.'.join(path)} is not a filter")
    field = fields.get(name)
    if field is None and name.startswith("metadata.") and "metadata" in fields:
        field = _metadata_field(fields["metadata"].column, name.removeprefix("metadata."))
    if field is None:
        raise InvalidQueryParams(f"Property .filters.{name} is not one of {', '.join(sorted(fields))}")
    try:
        return field.condition(operator, values)
    except ValueError as error:
        raise InvalidQueryParams(f"Property .filters.{name} {error}") from error


def _metadata_field(column: str, key: str) -> Field:
    def is_any(values: list[str]) -> Q:
        return Q(**{f"{column}__contains": {key: values[0]}}) | _as_json(column, key, values[0])

    def is_among(values: list[str]) -> Q:
        condition = Q()
        for value in values:
            condition |= is_any([value])
        return condition

    return Field(
        conditions={
            "$is": is_any,
            "$is_not": lambda values: ~is_any(values),
            "$in": is_among,
            "$not_in": lambda values: ~is_among(values),
            "$has_value": lambda _: Q(**{f"{column}__has_key": key}),
            "$is_unknown": lambda _: ~Q(**{f"{column}__has_key": key}),
        }
    )


def _as_json(column: str, key: str, text: str) -> Q:
    """Match a number or boolean that a query string can only write as text."""
    if text in ("true", "false"):
        return Q(**{f"{column}__contains": {key: text == "true"}})
    if re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", text):
        return Q(**{f"{column}__contains": {key: float(text) if "." in text else int(text)}})
    return Q()
