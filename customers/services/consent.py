"""Consents: what customers are asked to agree to, and what they say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from customers.consents import consent_by_id, consent_to_wire, consents_of
from customers.models import Consent, ConsentStatement, Customer
from customers.selectors import customer_by_ref
from customers.wire import customer_to_wire
from promoengine.core.errors import Duplicate, InvalidPayload, NotFound
from promoengine.core.events import record_event
from promoengine.core.models import Project


@transaction.atomic
def save_consent(
    project: Project,
    consent: Consent | None = None,
    *,
    name: str,
    description: str = "",
    category: str = Consent.Category.EMAIL,
    channel: str = "API",
    now: datetime,
) -> Consent:
    """Make a consent, or change one, and return it.

    Raises:
        Duplicate: another one has that name.
        NotFound: the one to change has been deleted meanwhile.
    """
    row = _to_change(project, consent.public_id) if consent else Consent(project=project, created_at=now)
    row.name, row.description, row.category = name, description, category
    row.updated_at = now if consent else None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Duplicate(f"Duplicated consent exists with name {name}") from error
    _record(project, "updated" if consent else "created", row, channel=channel, now=now)
    return row


@transaction.atomic
def delete_consent(project: Project, ref: str, *, channel: str = "API", now: datetime) -> None:
    """Ask customers for a consent no more; its name is free again.

    What they said of it stays as evidence, and who refused it gets nothing by its channel as before.

    Raises:
        NotFound: the project has no such consent.
    """
    consent = _to_change(project, ref)
    consent.deleted_at = now
    consent.save(update_fields=["deleted_at"])
    _record(project, "deleted", consent, channel=channel, now=now)


@transaction.atomic
def state_consents(project: Project, ref: str, *, data: Any, channel: str = "API", now: datetime) -> Customer:
    """Write down what a customer says of consents, named by id or name, and return the customer.

    Each change is kept with the way it came by and its time; saying again what holds writes nothing.

    Raises:
        InvalidPayload: a value is neither true nor false; the details name it.
        NotFound: the project has no such customer, or no such consent.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    for name, value in data.items():
        if not isinstance(value, bool):
            raise InvalidPayload(f"Property .{name} should be boolean")
    customer = customer_by_ref(project, ref)
    # One at a time, so that the newest statement is what was said last.
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    known = consents_of(customer)
    by_name = {key: one for one in known for key in (one.consent.public_id, one.consent.name)}
    for name in data:
        if name not in by_name:
            raise NotFound("consent", name)
    said = {by_name[name].consent.pk: value for name, value in data.items()}
    changed = {
        one.consent: said[one.consent.pk]
        for one in known
        if one.consent.pk in said and (one.statement is None or one.is_given != said[one.consent.pk])
    }
    if changed:
        ConsentStatement.objects.bulk_create(
            ConsentStatement(
                project=project,
                customer=customer,
                consent=consent,
                is_given=is_given,
                source=channel,
                created_at=now,
            )
            for consent, is_given in changed.items()
        )
        record_event(
            project,
            "customer.updated",
            {
                "customer": customer_to_wire(customer),
                "consents": {consent.public_id: is_given for consent, is_given in changed.items()},
            },
            entity_id=customer.public_id,
            customer_id=customer.pk,
            channel=channel,
            now=now,
        )
    return customer


def _to_change(project: Project, ref: str) -> Consent:
    """Return a consent with its row locked, so that what is deleted meanwhile stays deleted."""
    return consent_by_id(project, ref, Consent.objects.select_for_update())


def _record(project: Project, what: str, consent: Consent, *, channel: str, now: datetime) -> None:
    told = {"consent": consent_to_wire(consent)}
    record_event(project, f"consent.{what}", told, entity_id=consent.public_id, channel=channel, now=now)
