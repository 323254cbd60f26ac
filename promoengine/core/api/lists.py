"""The two kinds of published lists: numbered pages, and cursors that stay fast however deep."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import DateTimeField, F, Model, OrderBy, QuerySet
from django.http import QueryDict

from promoengine.core.errors import InvalidQueryParams, PageOverLimit
from promoengine.core.pages import PAGE_MAX, Total, bounded, rows_between, total_of

LIMIT_DEFAULT, LIMIT_MAX = 10, 100

RowsToWire = Callable[[list[Any]], list[dict[str, Any]]]


def paged_list(
    rows: QuerySet[Any],
    query: QueryDict,
    *,
    data_ref: str,
    rows_to_wire: RowsToWire,
    orders: Mapping[str, str],
    default_order: str = "-id",
    has_more: bool = False,
    limit_default: int = LIMIT_DEFAULT,
) -> dict[str, Any]:
    """Return the page of `rows` that `query` asks for by `limit`, `page` and `order`, as the wire has it.

    `orders` maps the published words to columns; a leading minus turns either round. `limit_default` is for
    lists whose published form knows no limit. Beyond 10,000 rows the total is the database's estimate, and
    the body says so by `total_is_estimate`.

    Raises:
        InvalidQueryParams: a limit, page or order is out of range.
        PageOverLimit: pages end at the thousandth.
        QueryTooLarge: the filters are such that finding the page took too long.
    """
    limit, page = limit_of(query, default=limit_default), page_of(query)
    ordered = rows.order_by(*order_of(rows.model, query, orders, default_order))
    first = (page - 1) * limit
    asks_for_more = _asks_for_more_than_a_page(query)
    with bounded(asks_for_more):
        found = rows_between(ordered, first, first + limit + 1)
        is_last = len(found) <= limit and (found or not first)
        known = first + len(found) if found else 0
        total = Total(known) if is_last else total_of(rows, known, is_narrowed=asks_for_more)
    body = _wrapped(data_ref, rows_to_wire(found[:limit])) | total_to_wire(total)
    return body | {"has_more": len(found) > limit} if has_more else body


def cursor_list(
    rows: QuerySet[Any],
    query: QueryDict,
    *,
    data_ref: str = "data",
    rows_to_wire: RowsToWire,
    parse_cursor: Callable[[str], Any],
    cursor_of: Callable[[Model], str],
    with_total: bool = False,
) -> dict[str, Any]:
    """Return the rows after `starting_after_id`, newest first, or oldest first by `order=id`.

    Raises:
        InvalidQueryParams: the limit or the cursor is wrong.
        QueryTooLarge: the filters are such that finding the rows took too long.
    """
    limit, listed = limit_of(query), rows
    ascending = query.get("order", "-id").removeprefix("-") == query.get("order", "-id")
    if cursor := query.get("starting_after_id"):
        key = parse_cursor(cursor)
        if key is None:
            raise InvalidQueryParams(f"Property .starting_after_id is not an id: {cursor}")
        rows = rows.filter(pk__gt=key) if ascending else rows.filter(pk__lt=key)
    with bounded(_asks_for_more_than_a_page(query)):
        total = total_to_wire(total_of(listed)) if with_total else {}
        found = list(rows.order_by("pk" if ascending else "-pk")[: limit + 1])
    shown = found[:limit]
    body = _wrapped(data_ref, rows_to_wire(shown)) | total | {"has_more": len(found) > limit}
    if len(found) > limit:
        body["more_starting_after"] = cursor_of(shown[-1])
    return body


def limit_of(query: QueryDict, maximum: int = LIMIT_MAX, default: int = LIMIT_DEFAULT) -> int:
    """Return the list's length asked for, ten unless told."""
    limit = _number(query, "limit", default)
    if not 1 <= limit <= maximum:
        raise InvalidQueryParams(f"Property .limit should be between 1 and {maximum}")
    return limit


def page_of(query: QueryDict) -> int:
    """Return the number of the page asked for, the first unless told."""
    page = _number(query, "page", 1)
    if page > PAGE_MAX:
        raise PageOverLimit
    if page < 1:
        raise InvalidQueryParams("Property .page should be at least 1")
    return page


def total_to_wire(total: Total) -> dict[str, Any]:
    """Return a list's total, and that it is an estimate where it is one, which is our own field."""
    body: dict[str, Any] = {"total": total.count}
    return body | {"total_is_estimate": True} if total.is_estimate else body


def _asks_for_more_than_a_page(query: QueryDict) -> bool:
    """Return whether a filter or an order is asked for; without, every list has an index that answers it."""
    return not query.keys() <= {"limit", "page", "starting_after_id"}


def _number(query: QueryDict, name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit() or len(text) > 9:
        raise InvalidQueryParams(f"Property .{name} should be a whole number")
    return int(text)


def order_of(model: type[Model], query: QueryDict, orders: Mapping[str, str], default: str) -> list[OrderBy]:
    """Return the columns that `order` in the query asks for.

    Raises:
        InvalidQueryParams: it is none of `orders`.
    """
    asked = query.get("order") or ""
    column = orders.get(asked.removeprefix("-")) if asked else default
    if column is None:
        raise InvalidQueryParams(
            f"Property .order should be one of {', '.join(sorted(orders))}, or -one of them"
        )
    descending = asked.startswith("-") != column.startswith("-")
    name = column.removeprefix("-")
    order = [_ordered(model, name, descending)]
    # The key breaks ties, so that a row is on one page only.
    return order if name in ("id", "pk") else [*order, _ordered(model, "pk", descending)]


def _ordered(model: type[Model], name: str, descending: bool) -> OrderBy:
    """Return the order by a column; what has no moment, as never updated, was longest ago."""
    field = None if "__" in name or name == "pk" else model._meta.get_field(name)
    nulls = True if isinstance(field, DateTimeField) and field.null else None
    return F(name).desc(nulls_last=nulls) if descending else F(name).asc(nulls_first=nulls)


def _wrapped(data_ref: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data_ref": data_ref, data_ref: items}
