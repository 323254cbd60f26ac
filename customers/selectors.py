"""Reads that several callers need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from customers.models import Customer, CustomerQuerySet, Segment, SegmentMember
from customers.tracking import PREFIX, as_tracking_id
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project


def customers_for_wire(project: Project) -> CustomerQuerySet:
    """Return the project's customers with all that their published JSON needs."""
    rows = Customer.objects.filter(project=project).present()
    return rows.select_related("summary").defer("summary__products")


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
    """Return the customer of that source id, tracking id or id, or None where it may name a new one.

    Raises:
        NotFound: it is an id, and the project has no customer of it.
    """
    rows = customers_for_wire(project)
    if ref.startswith(PREFIX):
        found = rows.filter(Q(source_id=ref) | Q(tracking_id=ref))
        return next(iter(sorted(found, key=lambda one: one.source_id != ref)), None)
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
    rows = Segment.objects.filter(project=project).select_related("sync")
    segment = rows.filter(pk=key).first() if key else None
    if segment is None:
        raise NotFound("segment", ref)
    segment.project = project
    return segment


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far all customers have been asked, and how many of them are in by now."""

    asked: int
    total: int
    members: int


def sync_progress(segment: Segment) -> SyncProgress | None:
    """Return how far a new or changed segment is filled, or None where it is."""
    if segment.initial_sync_status == Segment.SyncStatus.DONE or segment.sync is None:
        return None
    members = SegmentMember.objects.filter(segment=segment).count()
    return SyncProgress(segment.sync.done_count, segment.sync.total_count, members)


def find_customer(
    project: Project, data: Mapping[str, Any] | None, *, tracking_id: str | None = None
) -> Customer | None:
    """Return the customer a checkout names, or None where it is a new one.

    A source id is recognised by its tracking id, too, and a tracking id by the source id it was made of. Who
    comes with a `tracking_id` besides is the guest that came with it before, unless they are told apart by
    being somebody else already.

    Raises:
        NotFound: an id is given and the project has no customer of it.
    """
    data = data or {}
    rows = Customer.objects.filter(project=project).present()
    if ref := data.get("id"):
        return customer_by_ref(project, str(ref))
    if source_id := data.get("source_id"):
        return _of_source_id(rows, str(source_id), tracking_id)
    guest = Q(tracking_id=tracking_id) if tracking_id else Q(pk=None)
    if email := data.get("email"):
        known = Q(email=str(email)) | (guest & Q(email=None))
        found = rows.filter(known, source_id=None).order_by("pk")
        return next(iter(sorted(found, key=lambda one: one.email is None)), None)
    return rows.filter(guest).first() if tracking_id else None


def sharing_customers(customer: Customer, *, limit: int) -> list[Customer]:
    """Return other customers of the project that share a key with this one, the newest first."""
    if not customer.identity_keys:
        return []
    rows = Customer.objects.filter(project=customer.project_id).present().exclude(pk=customer.pk)
    return list(rows.filter(identity_keys__overlap=customer.identity_keys).order_by("-pk")[:limit])


def _of_source_id(rows: CustomerQuerySet, source_id: str, tracking_id: str | None) -> Customer | None:
    own = as_tracking_id(source_id)
    named = Q(source_id=source_id) | Q(tracking_id=own)
    if tracking_id and tracking_id != own:
        named |= Q(tracking_id=tracking_id, source_id=None)
    found = rows.filter(named).order_by("pk")
    return next(
        iter(sorted(found, key=lambda one: (one.source_id != source_id, one.tracking_id != own))), None
    )
