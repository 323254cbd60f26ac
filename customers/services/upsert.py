"""Creating and updating customers, by whatever door they come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.identities import identity_keys
from customers.models import Customer
from customers.payload import read_customer, read_identities
from customers.rows import locked_customer
from customers.selectors import customer_by_ref, find_customer
from customers.services.memberships import update_memberships
from customers.tracking import as_tracking_id
from customers.wire import customer_to_wire
from promoengine.core.errors import NotFound
from promoengine.core.events import record_event
from promoengine.core.inserts import insert_unless_there
from promoengine.core.models import Project
from promoengine.core.services.definitions import share_definitions
from promoengine.core.services.metadata import check_metadata, schemas_at

Identities = dict[str, str | None]


def upsert_in_transaction(
    project: Project,
    *,
    data: Any,
    tracking_id: str | None = None,
    channel: str = "API",
    where: str = ".customer",
    as_of: datetime | None = None,
    now: datetime,
) -> Customer:
    """Create or update the customer a payload names, in the caller's transaction, and return it.

    Named by `id`, it must exist; by `source_id`, it is made where it is new, once only however many ask at
    the same time; by neither, an e-mail address finds an earlier nameless customer. Who comes with a
    `tracking_id` is the guest that came with it before, who gets the source id and address now sent. Metadata
    is merged. Nothing is written, and nothing said to have happened, where nothing changes. What is said
    `as_of` a moment before the newest thing said about them fills in what is not known, and changes nothing.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        NotFound: the project has no customer of that id.
    """
    columns, identities = read_customer(data, where), read_identities(data, where)
    inside = f"{where[1:]}.metadata." if where else ""
    customer = find_customer(project, data, tracking_id=tracking_id)
    if customer is None:
        version = share_definitions(project)
        _check(project, columns, version=version, is_new=True, where=inside)
        new = columns | {"stated_at": as_of}
        customer, created = _create(project, data, new, identities, tracking_id, now=now)
        if created:
            # Nothing is summed up of somebody new, and so need not be looked for.
            Customer._meta.get_field("summary").set_cached_value(customer, None)
            _record(project, "customer.created", customer, version=version, channel=channel, now=now)
            return customer
    if data.get("id"):
        columns.pop("source_id", None)
    changed = _change(
        project, customer, columns, identities, channel=channel, as_of=as_of, where=inside, now=now
    )
    if changed is not None:
        return changed
    # Deleted, or merged into another, since it was found.
    return upsert_in_transaction(
        project, data=data, tracking_id=tracking_id, channel=channel, where=where, as_of=as_of, now=now
    )


# Wholly or not at all, for callers who have no transaction.
upsert_customer = transaction.atomic(upsert_in_transaction)


@transaction.atomic
def update_customer(
    project: Project, ref: str, *, data: Any, channel: str = "API", now: datetime
) -> Customer:
    """Change the customer of that id or source id, and return it; the source id itself stays.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        NotFound: the project has no such customer.
    """
    columns, identities = read_customer(data, ""), read_identities(data, "")
    customer = customer_by_ref(project, ref)
    changed = _change(project, customer, columns, identities, channel=channel, now=now)
    if changed is None:
        raise NotFound("customer", ref)
    return changed


def _create(
    project: Project,
    data: Any,
    columns: dict[str, Any],
    identities: Identities,
    tracking_id: str | None,
    *,
    now: datetime,
) -> tuple[Customer, bool]:
    customer = Customer(project=project, created_at=now, **columns)
    customer.identity_keys = _identity_keys(customer, columns, identities)
    customer.tracking_id = as_tracking_id(customer.source_id) if customer.source_id else tracking_id
    if customer.tracking_id is not None:
        # The unique indexes decide who creates it; whoever comes second waits here and then updates.
        if insert_unless_there(customer):
            return customer, True
        found = find_customer(project, data, tracking_id=tracking_id)
        if found is not None:
            return found, False
        # Somebody else, who is told apart, goes by the tracking id.
        customer.tracking_id = None
    customer.save(force_insert=True)
    return customer, True


def _change(
    project: Project,
    customer: Customer,
    columns: dict[str, Any],
    identities: Identities,
    *,
    channel: str,
    as_of: datetime | None = None,
    where: str = "",
    now: datetime,
) -> Customer | None:
    """Change a customer if what was said differs; None where they are gone by now."""
    if not _differs(customer, columns, identities):
        return customer
    # Before the row, as checkouts do it, so that neither waits for the other.
    version = share_definitions(project)
    _check(project, columns, version=version, is_new=False, where=where)
    # Locked and read again, so that two updates of metadata merge and none is lost.
    locked = locked_customer(project, customer.pk)
    if locked is None:
        return None
    customer = locked
    stated_at = customer.stated_at or customer.updated_at or customer.created_at
    if as_of is not None and as_of < stated_at:
        columns = _gaps(customer, columns)
        if not _differs(customer, columns, identities):
            return customer
    if "metadata" in columns:
        columns["metadata"] = customer.metadata | columns["metadata"]
    if not _takes_source_id(customer, columns):
        columns.pop("source_id", None)
    for name, value in columns.items():
        setattr(customer, name, value)
    customer.identity_keys = _identity_keys(customer, columns, identities)
    customer.updated_at, customer.stated_at = now, max(stated_at, as_of or now)
    customer.save(update_fields=[*columns, "identity_keys", "updated_at", "stated_at"])
    _record(project, "customer.updated", customer, version=version, channel=channel, now=now)
    return customer


def _check(project: Project, columns: Mapping[str, Any], *, version: int, is_new: bool, where: str) -> None:
    schemas = schemas_at(project, version)
    check_metadata(schemas, "customer", columns.get("metadata"), is_new=is_new, where=where)


def _gaps(customer: Customer, columns: dict[str, Any]) -> dict[str, Any]:
    """Return what of some columns fills in what is not known of a customer."""
    gaps = {
        name: value
        for name, value in columns.items()
        if name != "metadata" and getattr(customer, name) is None
    }
    unknown = {
        key: value for key, value in columns.get("metadata", {}).items() if key not in customer.metadata
    }
    return gaps | ({"metadata": unknown} if unknown else {})


def _identity_keys(customer: Customer, columns: dict[str, Any], identities: Identities) -> list[str]:
    fields = {name: columns[name] for name in ("email", "phone", "address") if name in columns}
    return identity_keys(
        customer.project_id,
        fields | {"identities": identities},
        customer.identity_keys,
        country=(customer.address or {}).get("country"),
    )


def _takes_source_id(customer: Customer, columns: dict[str, Any]) -> bool:
    """Return whether a source id was sent for one who has none but, perhaps, the id they were tracked by."""
    sent = columns.get("source_id")
    return (
        sent is not None and customer.source_id in (None, customer.tracking_id) and sent != customer.source_id
    )


def _differs(customer: Customer, columns: dict[str, Any], identities: Identities) -> bool:
    if _takes_source_id(customer, columns):
        return True
    if _identity_keys(customer, columns, identities) != customer.identity_keys:
        return True
    for name, value in columns.items():
        now = getattr(customer, name)
        if name == "source_id":
            continue
        if name == "metadata":
            value = now | value
        if now != value:
            return True
    return False


def _record(
    project: Project, event: str, customer: Customer, *, version: int, channel: str, now: datetime
) -> None:
    record_event(
        project,
        event,
        {"customer": customer_to_wire(customer)},
        entity_id=customer.public_id,
        customer_id=customer.pk,
        channel=channel,
        now=now,
    )
    update_memberships(project, [customer.pk], version=version, are_locked=True, channel=channel, now=now)
