"""What a customer's redemptions and orders add up to, as a higher room counts it."""

import uuid
from collections.abc import Mapping
from typing import Any

from customers.models import CustomerSummary


def store_summaries(values_by_customer: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """Write the summaries of several customers, in place of those there were."""
    columns = [field.name for field in CustomerSummary._meta.fields if not field.primary_key]
    CustomerSummary.objects.bulk_create(
        [CustomerSummary(customer_id=key, **values) for key, values in sorted(values_by_customer.items())],
        update_conflicts=True,
        unique_fields=["customer"],
        update_fields=columns,
    )
