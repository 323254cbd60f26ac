"""What the lists of customers and of segments may be filtered by."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import django_filters
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Upper
from django.http import QueryDict

from customers.models import CITY, Customer, Segment
from customers.segments import customers_in
from customers.selectors import segment_by_id
from promoengine.core.api.filters import NOTHING, Field, as_moment, by_id, filter_condition, range_condition
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.engine.operators import Moment

SEGMENT_ORDERS = {"created_at": "created_at"}
BY_ID = by_id("pk", Segment.prefix)
SEGMENT_FIELDS = {
    "id": BY_ID,
    "name": Field("name"),
    "type": Field("type"),
    "created_at": Field("created_at", as_moment),
}


# What exports of customers may be filtered by; lists of them have plain parameters.
CUSTOMER_FIELDS = {
    "id": by_id("pk", Customer.prefix),
    "name": Field("name"),
    "email": Field("email"),
    "phone": Field("phone"),
    "source_id": Field("source_id"),
    "city": Field("address__city"),
    "created_at": Field("created_at", as_moment),
    "updated_at": Field("updated_at", as_moment),
    "metadata": Field("metadata"),
}


class CustomerFilter(django_filters.FilterSet):
    """The plain query parameters: parts of name and e-mail in any case, the whole city."""

    email = django_filters.CharFilter(lookup_expr="icontains")
    name = django_filters.CharFilter(lookup_expr="icontains")
    city = django_filters.CharFilter(method="in_city")
    segment_id = django_filters.CharFilter(method="in_segment")

    class Meta:
        model = Customer
        fields: list[str] = []

    def in_city(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        """Return who lives in a city, written in any letter case."""
        return rows.alias(city=CITY).filter(city=Upper(Value(value)))

    def in_segment(self, rows: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        """Return who is in a segment now; nobody is in one that the project does not have."""
        project = self.request.project
        try:
            segment = segment_by_id(project, value)
        except NotFound:
            return rows.none()
        now = Moment(datetime.now(UTC), ZoneInfo(project.timezone), project.week_start)
        return customers_in(project, rows, segment, now)


def customer_export_condition(query: QueryDict) -> Q:
    """Return the condition that an export of customers asks for.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    return filter_condition(query, CUSTOMER_FIELDS)


def of_customer(project: Project, column: str, ref: str) -> Q:
    """Return the condition that a key column points to the project's customer of that id or source id."""
    key = parse_public_id(Customer.prefix, ref)
    if key is None:
        known = Customer.objects.filter(project=project, source_id=ref)
        key = known.values_list("pk", flat=True).first()
    return Q(**{column: key}) if key else NOTHING


def segment_condition(query: QueryDict) -> Q:
    """Return the condition that a list of segments asks for: its filters, and `ids`.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, SEGMENT_FIELDS) & range_condition(query, ["created_at"])
    asked = [ref for name in ("ids", "ids[]") for text in query.getlist(name) for ref in text.split(",")]
    return condition & BY_ID.condition("$in", asked) if asked else condition
