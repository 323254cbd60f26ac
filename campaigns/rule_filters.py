"""What lists of validation rules and of their assignments may be filtered and ordered by."""

from django.db.models import Q
from django.http import QueryDict

from campaigns.rule_selectors import of_related_object, of_rule
from promoengine.core.api.filters import as_moment, range_condition
from promoengine.core.errors import InvalidQueryParams

RULE_ORDERS = {"created_at": "id", "updated_at": "updated_at", "name": "name"}
ASSIGNMENT_ORDERS = {"created_at": "id"}
PERIOD = {"start_date": "created_at__gte", "end_date": "created_at__lte"}


def rule_condition(query: QueryDict) -> Q:
    """Return the condition that a list of rules asks for: when they were made.

    Raises:
        InvalidQueryParams: a date can't be read.
    """
    condition = range_condition(query, ["created_at", "updated_at"])
    for name, lookup in PERIOD.items():
        if text := query.get(name):
            try:
                condition &= Q(**{lookup: as_moment(text)})
            except ValueError as error:
                raise InvalidQueryParams(f"Property .{name} {error}") from error
    return condition


def assignment_condition(query: QueryDict) -> Q:
    """Return the condition that the list of all assignments asks for: their rule, their object."""
    condition = Q()
    if ref := query.get("rule"):
        condition &= of_rule(ref)
    if ref := query.get("related_object_id"):
        condition &= of_related_object(ref)
    return condition
