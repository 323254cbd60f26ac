"""Reads that several callers need."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from customers.identities import identity_kinds
from customers.models import Customer, CustomerQuerySet, Segment, SegmentMember
from customers.rows import customers_named
from customers.tracking import PREFIX, as_tracking_id
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.selectors import row_by_id


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
        named = next(iter(sorted(found, key=lambda one: one.source_id != ref)), None)
        return named or rows.filter(guests__tracking_id=ref).first()
    customer = rows.filter(source_id=ref).first()
    if customer is None and (key := parse_public_id(Customer.prefix, ref)):
        customer = rows.filter(pk=key).first() or rows.filter(guests=key).first()
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
    segment = row_by_id(Segment.objects.filter(project=project).select_related("sync"), ref, "segment")
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
    """Return the customer a checkout names, or None where it is a new one: see `find_people`."""
    return find_people(project, data, tracking_id=tracking_id).customer


@dataclass(frozen=True, slots=True)
class People:
    """A customer and, where they come with the tracking id of a nameless record, that one beside."""

    customer: Customer | None = None
    guest: Customer | None = None


def find_people(
    project: Project, data: Mapping[str, Any] | None, *, tracking_id: str | None = None
) -> People:
    """Return the customer a checkout names, None where it is a new one, and the guest that they were before.

    A source id is recognised by its tracking id, too, and a tracking id by the source id it was made of. Who
    comes with a `tracking_id` besides is the guest that came with it before, unless they are told apart by
    being somebody else already.

    Raises:
        NotFound: an id is given and the project has no customer of it.
    """
    data = data or {}
    rows = Customer.objects.filter(project=project).present()
    if ref := data.get("id"):
        return _of_id(project, str(ref), tracking_id)
    if source_id := data.get("source_id"):
        return _of_source_id(project, str(source_id), tracking_id)
    guest = Q(tracking_id=tracking_id) if tracking_id else Q(pk=None)
    if email := data.get("email"):
        known = Q(email=str(email)) | (guest & Q(email=None))
        found = rows.filter(known, source_id=None).order_by("pk")
        return People(next(iter(sorted(found, key=lambda one: one.email is None)), None))
    return People(_of_tracking_id(project, tracking_id)) if tracking_id else People()


def sharing_customers(customer: Customer, *, limit: int) -> list[Customer]:
    """Return other customers of the project that share a key with this one, the newest first."""
    if not customer.identity_keys:
        return []
    rows = Customer.objects.filter(project=customer.project_id).present().exclude(pk=customer.pk)
    return list(rows.filter(identity_keys__overlap=customer.identity_keys).order_by("-pk")[:limit])


def _of_id(project: Project, ref: str, tracking_id: str | None) -> People:
    key = parse_public_id(Customer.prefix, ref) if tracking_id else None
    if key is None:
        return People(customer_by_ref(project, ref))
    guest = Q(tracking_id=tracking_id, source_id=None)
    found = list(customers_for_wire(project).filter(Q(pk=key) | Q(source_id=ref) | guest))
    named = [one for one in found if one.source_id == ref] or [one for one in found if one.pk == key]
    customer = named[0] if named else customer_by_ref(project, ref)
    return _with_guest(customer, found, tracking_id)


def _of_tracking_id(project: Project, tracking_id: str) -> Customer | None:
    """Return the guest of a tracking id, or the customer whom that guest turned out to be."""
    rows = Customer.objects.filter(project=project, tracking_id=tracking_id)
    found = rows.select_related("merged_into").first()
    customer = found.merged_into or found if found else None
    return customer if customer and customer.deleted_at is None else None


def _with_guest(customer: Customer | None, found: Iterable[Customer], tracking_id: str | None) -> People:
    if customer is None or customer.source_id is None or not tracking_id:
        return People(customer)
    guests = (one for one in found if one.tracking_id == tracking_id and one.pk != customer.pk)
    guest = next((one for one in guests if is_guest_of(customer, one)), None)
    return People(customer, guest)


def is_guest_of(customer: Customer, guest: Customer) -> bool:
    """Return whether a nameless record may be a customer with a name, who has no other address or number."""
    if customer.source_id is None or guest.source_id is not None:
        return False
    own, theirs = identity_kinds(customer.identity_keys), identity_kinds(guest.identity_keys)
    return all(own.get(kind, theirs[kind]) == theirs[kind] for kind in ("email", "phone") if kind in theirs)


def _of_source_id(project: Project, source_id: str, tracking_id: str | None) -> People:
    own = as_tracking_id(source_id)
    found = sorted(
        customers_named(project, source_id=source_id, tracking_id=own, guest=tracking_id),
        key=lambda one: (one.source_id != source_id, one.tracking_id != own),
    )
    return _with_guest(found[0] if found else None, found[1:], tracking_id)
