"""What lists of orders may be filtered and ordered by."""

from django.db.models import Q
from django.http import QueryDict

from customers.models import Customer
from promoengine.core.api.filters import (
    Field,
    as_integer,
    as_moment,
    by_id,
    filter_condition,
    range_condition,
)
from promoengine.core.ids import parse_public_id
from redemptions.models import Order

AMOUNTS = ("amount", "discount_amount", "items_discount_amount", "total_discount_amount", "total_amount")
FIELDS = {
    "id": by_id("pk", Order.prefix),
    "source_id": Field("source_id"),
    "status": Field("status"),
    "customer_id": by_id("customer_id", Customer.prefix),
    "referrer_id": by_id("referrer_id", Customer.prefix),
    "created_at": Field("created_at", as_moment),
    "updated_at": Field("updated_at", as_moment),
    "metadata": Field("metadata"),
    **{name: Field(name, as_integer) for name in AMOUNTS},
}
ORDERS = {"created_at": "created_at", "updated_at": "updated_at"}


def order_condition(query: QueryDict) -> Q:
    """Return the condition that a list's query asks for: its filters, and `customer`, an id or source id.

    Raises:
        InvalidQueryParams: a filter is wrong.
    """
    condition = filter_condition(query, FIELDS) & range_condition(query, ["created_at", "updated_at"])
    if customer := query.get("customer"):
        key = parse_public_id(Customer.prefix, customer)
        condition &= Q(customer_id=key) if key else Q(customer__source_id=customer)
    return condition
