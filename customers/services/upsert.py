"""Creating and updating customers, by whatever door they come."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers.models import Customer
from customers.payload import read_customer
from customers.selectors import customer_by_ref, find_customer
from customers.services.memberships import update_memberships
from customers.wire import customer_to_wire
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import share_definitions


@transaction.atomic
def upsert_customer(
    project: Project, *, data: Any, channel: str = "API", where: str = ".customer", now: datetime
) -> Customer:
    """Create or update the customer a payload names, and return it.

    Named by `id`, it must exist; by `source_id`, it is made where it is new, once only however many ask at
    the same time; by neither, an e-mail address finds an earlier nameless customer. Metadata is merged.
    Nothing is written, and nothing said to have happened, where nothing changes.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
        NotFound: the project has no customer of that id.
    """
    columns = read_customer(data, where)
    customer = find_customer(project, data)
    if customer is None:
        version = share_definitions(project)
        customer, created = _create(project, columns, now=now)
        if created:
            _record(project, "customer.created", customer, version=version, channel=channel, now=now)
            return customer
    return _change(project, customer, columns, channel=channel, now=now)


@transaction.atomic
def update_customer(
    project: Project, ref: str, *, data: Any, channel: str = "API", now: datetime
) -> Customer:
    """Change the customer of that id or source id, and return it; the source id itself stays.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
        NotFound: the project has no such customer.
    """
    columns = read_customer(data, "")
    customer = customer_by_ref(project, ref)
    if customer.source_id is not None:
        columns.pop("source_id", None)
    return _change(project, customer, columns, channel=channel, now=now)


def _create(project: Project, columns: dict[str, Any], *, now: datetime) -> tuple[Customer, bool]:
    customer = Customer(project=project, created_at=now, **columns)
    if customer.source_id is None:
        customer.save(force_insert=True)
        return customer, True
    # The unique index decides who creates it; whoever comes second waits here and then updates.
    made = Customer.objects.bulk_create([customer], ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {Customer._meta.db_table} WHERE project_id = %s AND source_id = %s",
            [project.pk, customer.source_id],
        )
        (key,) = cursor.fetchone()
    return (made[0], True) if key == customer.pk else (Customer.objects.get(pk=key), False)


def _change(
    project: Project, customer: Customer, columns: dict[str, Any], *, channel: str, now: datetime
) -> Customer:
    if not _differs(customer, columns):
        return customer
    # Before the row, as checkouts do it, so that neither waits for the other.
    version = share_definitions(project)
    # Locked and read again, so that two updates of metadata merge and none is lost.
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    if "metadata" in columns:
        columns["metadata"] = customer.metadata | columns["metadata"]
    for name, value in columns.items():
        setattr(customer, name, value)
    customer.updated_at = now
    customer.save(update_fields=[*columns, "updated_at"])
    _record(project, "customer.updated", customer, version=version, channel=channel, now=now)
    return customer


def _differs(customer: Customer, columns: dict[str, Any]) -> bool:
    for name, value in columns.items():
        now = getattr(customer, name)
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
    update_memberships(project, [customer.pk], version=version, channel=channel, now=now)
