"""What customers have agreed to: of each consent, the newest thing they said."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import Consent, ConsentQuerySet, ConsentStatement, Customer
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.models import Project
from promoengine.core.selectors import row_by_id

WAYS = {"USER_PORTAL": _("the dashboard"), "CLIENT_API": _("the storefront"), "API": _("the API")}


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent and what a customer last said of it; None where they were never asked."""

    consent: Consent
    statement: ConsentStatement | None

    @property
    def is_given(self) -> bool:
        return self.statement is not None and self.statement.is_given

    @property
    def way(self) -> str:
        """By which way it was said, in words where it is one of ours."""
        source = self.statement.source if self.statement else ""
        return str(WAYS.get(source, source))


def consents_of(customer: Customer) -> list[GivenConsent]:
    """Return all consents the project asks for in the order of their names; two queries."""
    newest = _newest([customer.pk])
    rows = Consent.objects.present().filter(project_id=customer.project_id).order_by("name")
    return [GivenConsent(consent, newest.get((customer.pk, consent.pk))) for consent in rows]


def refused_categories(customer_ids: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, str]]:
    """Return pairs of a customer and a category in which the newest thing they said of a consent is no.

    What was refused of a consent that is deleted since holds until they agree to another of its category.
    """
    said = sorted(_newest(customer_ids).values(), key=lambda one: one.pk)
    agreed = {(one.customer_id, one.consent.category): one.pk for one in said if one.is_given}
    return {
        pair
        for one in said
        if not one.is_given
        and (pair := (one.customer_id, one.consent.category))
        and (one.consent.deleted_at is None or pair not in agreed or agreed[pair] < one.pk)
    }


def consent_by_id(project: Project, ref: str, rows: ConsentQuerySet | None = None) -> Consent:
    """Return the consent of that id, or the one of `rows`, which may be locked.

    Raises:
        NotFound: the project has none.
    """
    rows = Consent.objects.all() if rows is None else rows
    return row_by_id(rows.present().filter(project=project), ref, "consent")


def consent_list_to_wire(project: Project) -> dict[str, Any]:
    """Return the project's consents as the official SDK expects them; there are no groups of them."""
    rows = Consent.objects.present().filter(project=project).order_by("name")
    return {"groups": _list([]), "consents": _list([consent_to_wire(row) for row in rows])}


def consent_to_wire(consent: Consent) -> dict[str, Any]:
    wire = {
        "id": consent.public_id,
        "name": consent.name,
        "description": consent.description,
        "category": consent.category,
        "created_at": wire_datetime(consent.created_at),
        "object": "consent",
    }
    if consent.updated_at:
        wire["updated_at"] = wire_datetime(consent.updated_at)
    return wire


def given_consents_to_wire(customer: Customer) -> dict[str, Any]:
    """Return what a customer said of each consent, with the way and the time."""
    return _list(
        [
            {
                "id": one.consent.public_id,
                "name": one.consent.name,
                "category": one.consent.category,
                "given": one.is_given,
                "source": one.statement.source if one.statement else None,
                "date": wire_datetime(one.statement.created_at) if one.statement else None,
                "object": "customer_consent",
            }
            for one in consents_of(customer)
        ]
    )


def _newest(customer_ids: Collection[uuid.UUID]) -> dict[tuple[uuid.UUID, uuid.UUID], ConsentStatement]:
    rows = ConsentStatement.objects.filter(customer_id__in=customer_ids).select_related("consent")
    newest = rows.order_by("customer", "consent", "-id").distinct("customer", "consent")
    return {(row.customer_id, row.consent_id): row for row in newest}


def _list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "total": len(rows), "data_ref": "data", "data": rows}
