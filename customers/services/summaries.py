"""What a customer's redemptions and orders add up to, as a higher room counts it."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.models import Customer, CustomerSummary
from customers.services.memberships import update_memberships
from promoengine.core.models import Project
from promoengine.core.services.definitions import share_definitions


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
