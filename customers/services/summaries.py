"""What a customer's redemptions and orders add up to, as a higher room counts it."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Customer, CustomerSummary
from customers.services.memberships import update_memberships
from promoengine.core.models import Project
from promoengine.core.services.definitions import share_definitions


def lock_summaries(customer_ids: Collection[uuid.UUID]) -> None:
    """Hold off others who count these customers, in the caller's transaction.

    Whoever counts after this and stores before the commit stores nothing older than what is stored.
    """
    customers = Customer.objects.filter(pk__in=customer_ids)
    # Before the rows, as those who change customers do it, so that neither waits for the other.
    for project in Project.objects.filter(pk__in=customers.values("project")).order_by("pk"):
        share_definitions(project)
    list(customers.order_by("pk").select_for_update(no_key=True).values_list("pk"))


@transaction.atomic
def store_summaries(values_by_customer: Mapping[uuid.UUID, Mapping[str, Any]], *, now: datetime) -> None:
    """Write the summaries of several customers, in place of those there were, and keep their segments."""
    by_project: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for key, project_id in Customer.objects.filter(pk__in=values_by_customer).values_list("pk", "project_id"):
        by_project[project_id].append(key)
    projects = Project.objects.in_bulk(sorted(by_project))
    versions = {key: share_definitions(project) for key, project in projects.items()}
    columns = [field.name for field in CustomerSummary._meta.fields if not field.primary_key]
    CustomerSummary.objects.bulk_create(
        [CustomerSummary(customer_id=key, **values) for key, values in sorted(values_by_customer.items())],
        update_conflicts=True,
        unique_fields=["customer"],
        update_fields=columns,
    )
    for key, project in projects.items():
        update_memberships(project, by_project[key], version=versions[key], now=now)
