"""Customers and promotions as people look for them in the simulator."""

import uuid
from collections.abc import Collection

from django.db.models import Q, QuerySet

from campaigns.catalogue_search import SEPARATOR, Named
from campaigns.models import PromotionTier
from customers.models import Customer
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project

FOUND = 8


def named_promotions(project: Project, refs: Collection[str]) -> dict[str, Named]:
    """Return those of the project's promotions, by their public ids, in the order in which they are asked."""
    keys = [key for ref in refs if (key := parse_public_id(PromotionTier.prefix, ref))]
    rows = {row.public_id: row for row in present_promotions(project).filter(pk__in=keys)} if keys else {}
    return {ref: promotion_named(rows[ref]) for ref in refs if ref in rows}


def present_promotions(project: Project) -> QuerySet[PromotionTier]:
    """Return the promotions that have not been deleted with their campaign."""
    rows = PromotionTier.objects.filter(project=project, campaign__deleted_at=None)
    return rows.select_related("campaign")


def promotion_named(tier: PromotionTier) -> Named:
    return Named(tier.public_id, "promotion_tier", f"{tier.name} ({tier.campaign.name})")


def search_promotions(project: Project, text: str) -> list[Named]:
    """Return promotions with `text` in their name or their campaign's, the newest first."""
    meant = Q(name__icontains=text) | Q(campaign__name__icontains=text)
    rows = present_promotions(project).filter(meant).order_by("-pk")[:FOUND]
    return [promotion_named(tier) for tier in rows]


def search_customers(project: Project, text: str) -> list[Customer]:
    """Return customers whose name, e-mail or own id has `text` in it, the newest first."""
    meant = Q(name__icontains=text) | Q(email__icontains=text) | Q(source_id__icontains=text)
    return list(Customer.objects.filter(project=project).present().filter(meant).order_by("-pk")[:FOUND])


def typed_customer(customer: Customer) -> str:
    """Return what stands in the field once a customer is picked."""
    return f"{customer}{SEPARATOR}{customer.source_id or customer.public_id}"


def customer_by_text(project: Project, text: str) -> Customer | None:
    """Return whom people mean by what they typed: picked, an id, an e-mail or a whole name; else None."""
    ref = text.rpartition(SEPARATOR)[2].strip()
    if not ref:
        return None
    key: uuid.UUID | None = parse_public_id(Customer.prefix, ref)
    meant = Q(source_id=ref) | Q(email__iexact=ref) | Q(name__iexact=ref) | (Q(pk=key) if key else Q())
    rows = list(Customer.objects.filter(project=project).present().filter(meant).order_by("-pk")[:FOUND])
    return next((row for row in rows if row.source_id == ref), rows[0] if rows else None)
