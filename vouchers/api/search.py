"""Our own way to list codes: searched as the dashboard searches them, page after page by cursor."""

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import QueryDict

from campaigns.filters import campaign_key
from promoengine.core.api.filters import as_moment
from promoengine.core.api.lists import limit_of, total_to_wire
from promoengine.core.errors import InvalidPayload, InvalidQueryParams
from promoengine.core.ids import parse_public_id, public_id
from promoengine.core.models import Project
from vouchers.filters import voucher_condition
from vouchers.models import Voucher
from vouchers.search import find_codes
from vouchers.selections import Selection, parse_selection
from vouchers.wire import vouchers_to_wire

SEARCHED = {"search": "search", "holder": "holder", "status": "state"}
CURSORS = ("starting_after_id", "ending_before_id")
NUMBERED = ("page", "order")
# The published filters by date, and what of a selection says the same.
PERIODS = {
    "created_at": ("created_from", "created_to"),
    "created_date": ("created_from", "created_to"),
    "start_date": ("starts_from", "starts_to"),
    "expiration_date": ("ends_from", "ends_to"),
}


def is_search(query: QueryDict) -> bool:
    """Return whether the list is asked for in our own way and not in the published one."""
    return any(name in query for name in (*SEARCHED, *CURSORS))


def found_vouchers(project: Project, query: QueryDict) -> dict[str, Any]:
    """Return the page of codes that `search`, `holder`, `status` and the published filters ask for together.

    Raises:
        InvalidQueryParams: a filter or a cursor is wrong, or pages are asked for by number or in an order.
        QueryTooLarge: the filters are such that finding the page took too long.
    """
    if wrong := next((name for name in NUMBERED if name in query), None):
        raise InvalidQueryParams(f"Property .{wrong} does not go with a search; use starting_after_id")
    after, before = (_cursor(query, name) for name in CURSORS)
    if after and before:
        raise InvalidQueryParams("Ask for starting_after_id or for ending_before_id, not for both")
    found = find_codes(
        project,
        _selection(project, query),
        limit=limit_of(query),
        after=after,
        before=before,
        more=voucher_condition(project, query),
    )
    body = {"object": "list", "data_ref": "vouchers", "vouchers": vouchers_to_wire(found.rows)}
    body |= total_to_wire(found.total) | {"has_more": found.after is not None}
    if found.after:
        body["more_starting_after"] = public_id(Voucher.prefix, found.after)
    if found.before:
        body["more_ending_before"] = public_id(Voucher.prefix, found.before)
    if found.meant:
        body["did_you_mean"] = found.meant
    return body | {"looked_through": found.looked_through} if found.looked_through else body


def _selection(project: Project, query: QueryDict) -> Selection:
    said = {name: query.get(word, "") for word, name in SEARCHED.items()}
    ref = query.get("campaign_id") or query.get("campaign") or ""
    try:
        selection = parse_selection(said | {"campaign": campaign_key(project, ref) if ref else ""})
    except InvalidPayload as error:
        raise InvalidQueryParams(error.details) from error
    return replace(selection, **_periods(query))


def _periods(query: QueryDict) -> dict[str, datetime]:
    """Return the periods that the published filters ask for, by which an index begins where they do.

    The filters themselves are asked as well, and say what is wrong with a date.
    """
    if query.get("filters[junction]", "and").lower() != "and":
        return {}
    found = {}
    for column, (begin, end) in PERIODS.items():
        asked = f"filters[{column}][conditions]"
        for name, texts in (
            (begin, (query.get(f"{asked}[$after]"), query.get(f"{column}[after]"))),
            (end, (query.get(f"{asked}[$before]"), query.get(f"{column}[before]"))),
        ):
            for text in filter(None, texts):
                with suppress(ValueError):
                    found[name] = as_moment(text)
    return found


def _cursor(query: QueryDict, name: str) -> uuid.UUID | None:
    text = query.get(name)
    if not text:
        return None
    key = parse_public_id(Voucher.prefix, text)
    if key is None:
        raise InvalidQueryParams(f"Property .{name} is not an id: {text}")
    return key
