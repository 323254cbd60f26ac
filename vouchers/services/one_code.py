"""One code a person, where a campaign or a batch of it gives no more.

Who is one person is what the campaign says of its limits: one customer or, where it counts by e-mail, phone,
card, device or address, all who share one of these. A unique index on who was served makes it true for
requests at the same moment; what was given before the limit was set is looked up.
"""

import uuid
from collections.abc import Collection

from django.db import connection
from django.db.models import QuerySet

from campaigns.models import Campaign
from customers.identities import key_id
from customers.models import Customer
from promoengine.core.models import Project
from vouchers.models import Publication, ServedPerson, Voucher


def same_person(project: Project, campaign: Campaign, customer: Customer) -> QuerySet[Customer, uuid.UUID]:
    """Return the keys of the customers whom the campaign takes for one person, this one among them."""
    alike = Customer.objects.filter(pk=customer.pk)
    if keys := _identities(campaign, customer):
        alike |= Customer.objects.filter(project=project, identity_keys__overlap=keys)
    return alike.values_list("pk", flat=True)


def has_joined(project: Project, campaign: Campaign, customer: Customer) -> bool:
    """Return whether this person has got a code of the campaign."""
    people = same_person(project, campaign, customer)
    given = Publication.objects.filter(project=project, campaign=campaign, result="SUCCESS")
    return given.filter(customer__in=people).exists()


def served_batches(
    project: Project, campaign: Campaign, batch_ids: Collection[uuid.UUID], customer: Customer
) -> set[uuid.UUID]:
    """Return those of some batches of which this person has got a code."""
    if not batch_ids:
        return set()
    held = Voucher.objects.filter(holder__in=same_person(project, campaign, customer), batch__in=batch_ids)
    served = ServedPerson.objects.filter(
        campaign=campaign, batch__in=batch_ids, person__in=_people(campaign, customer)
    )
    return {*held.values_list("batch_id", flat=True), *served.values_list("batch_id", flat=True)}


def serve(campaign: Campaign, batch_id: uuid.UUID | None, customer: Customer) -> bool:
    """Write down that a person gets their one code, in the caller's transaction; False where they got it.

    Whoever asks for the same person at the same moment waits here until that transaction has ended.
    """
    people = _people(campaign, customer)
    with connection.cursor() as cursor:
        cursor.execute(
            SERVE, {"campaign": campaign.pk, "batch": batch_id, "customer": customer.pk, "people": people}
        )
        return bool(cursor.rowcount == len(people))


def _people(campaign: Campaign, customer: Customer) -> list[uuid.UUID]:
    """Return what a person is known by, in one order, so that two requests don't wait for each other."""
    return sorted({customer.pk, *map(key_id, _identities(campaign, customer))})


def _identities(campaign: Campaign, customer: Customer) -> list[str]:
    return [key for key in customer.identity_keys if key.partition(":")[0] in campaign.one_customer_by]


SERVE = f"""
    INSERT INTO {ServedPerson._meta.db_table} (campaign_id, batch_id, customer_id, person)
    SELECT %(campaign)s, %(batch)s::uuid, %(customer)s, person
    FROM unnest(%(people)s::uuid[]) AS person
    ON CONFLICT DO NOTHING
"""
