"""Forgetting customers of whom nothing was heard for long."""

import uuid
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, UUIDField

from customers.models import Customer, CustomerQuerySet
from customers.services.delete import erase_customer
from promoengine.core.models import Project
from promoengine.core.partitions import partition_start
from promoengine.core.privacy import models_about_people

BATCH = 200


def forget_silent_customers(project: Project, *, before: datetime, now: datetime) -> int:
    """Erase the customers who were last heard of before a moment, each in a transaction; return how many.

    Heard of is whoever was made, changed or spoken of since, or has any row about them, in whatever table,
    that is younger.
    """
    count, last = 0, uuid.UUID(int=0)
    while keys := list(_silent(project, before).filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        for key in keys:
            erase_customer(project, Customer(pk=key).public_id, channel="INTERNAL", now=now)
        count, last = count + len(keys), keys[-1]
    return count


def _silent(project: Project, before: datetime) -> CustomerQuerySet:
    edge = partition_start(before)
    rows = Customer.objects.filter(project=project, created_at__lt=before).present().order_by("pk")
    for column in ("updated_at", "stated_at"):
        rows = rows.filter(Q(**{column: None}) | Q(**{f"{column}__lt": before}))
    for model, privacy in models_about_people():
        key = model._meta.pk
        if isinstance(key, UUIDField) and isinstance(privacy.person, str) and model is not Customer:
            about = model._base_manager.filter(**{privacy.person: OuterRef("pk")}, pk__gte=edge)
            rows = rows.exclude(Exists(about))
    return rows
