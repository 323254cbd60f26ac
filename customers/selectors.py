"""Reads that several callers need."""

from collections.abc import Mapping
from typing import Any

from customers.models import Customer, CustomerQuerySet, Segment
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project


def customers_for_wire(project: Project) -> CustomerQuerySet:
    """Return the project's customers with all that their published JSON needs."""
    return Customer.objects.filter(project=project).present().select_related("summary")


def customer_by_ref(project: Project, ref: str) -> Customer:
    """Return the customer of that source id or id.

    Raises:
        NotFound: the project has none.
    """
    customer = find_customer_by_ref(project, ref)
    if customer is None:
        raise NotFound("customer", ref)
    return customer


def find_customer_by_ref(project: Project, ref: str) -> Customer | None:
    """Return the customer of that source id or id, or None where it may be the source id of a new one.

    Raises:
        NotFound: it is an id, and the project has no customer of it.
    """
    rows = customers_for_wire(project)
    customer = rows.filter(source_id=ref).first()
    if customer is None and (key := parse_public_id(Customer.prefix, ref)):
        customer = rows.filter(pk=key).first()
        if customer is None:
            raise NotFound("customer", ref)
    return customer


def known_customer_by_ref(project: Project, ref: str) -> Customer:
    """Return the customer of that source id or id; by id one who has been deleted, too.

    Raises:
        NotFound: the project never had one.
    """
    try:
        return customer_by_ref(project, ref)
    except NotFound:
        key = parse_public_id(Customer.prefix, ref)
        deleted = Customer.objects.filter(project=project, pk=key).first() if key else None
        if deleted is None:
            raise
        return deleted


def segment_by_id(project: Project, ref: str) -> Segment:
    """Return the segment of that id.

    Raises:
        NotFound: the project has none.
    """
    key = parse_public_id(Segment.prefix, ref)
    segment = Segment.objects.filter(project=project, pk=key).first() if key else None
    if segment is None:
        raise NotFound("segment", ref)
    segment.project = project
    return segment


def find_customer(project: Project, data: Mapping[str, Any] | None) -> Customer | None:
    """Return the customer a checkout names, or None where it is a new one.

    Raises:
        NotFound: an id is given and the project has no customer of it.
    """
    if not data:
        return None
    rows = Customer.objects.filter(project=project).present()
    if ref := data.get("id"):
        return customer_by_ref(project, str(ref))
    if source_id := data.get("source_id"):
        return rows.filter(source_id=str(source_id)).first()
    if email := data.get("email"):
        return rows.filter(email=str(email), source_id=None).order_by("pk").first()
    return None
