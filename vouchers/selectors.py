"""Reads that several callers need."""

import uuid

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from campaigns.rule_selectors import load_assignments
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from vouchers.codes import code_key
from vouchers.models import UsageEntry, Voucher, VoucherQuerySet


def vouchers_for_wire(project: Project) -> VoucherQuerySet:
    """Return the project's vouchers with all that their published JSON needs but rules, their uses exact."""
    entries = UsageEntry.objects.filter(voucher=OuterRef("pk")).order_by().values("voucher")
    return (
        Voucher.objects.filter(project=project)
        .present()
        .with_relations()
        .annotate(
            pending_quantity=Coalesce(Subquery(entries.annotate(sum=Sum("quantity")).values("sum")), 0),
            locked_until=F("batch__locked_until"),
        )
    )


def voucher_by_ref(project: Project, ref: str) -> Voucher:
    """Return the voucher with that code or id, ready for the wire.

    Raises:
        NotFound: the project has none.
    """
    rows = vouchers_for_wire(project)
    voucher = rows.filter(code_key=code_key(project, ref)).first()
    if voucher is None and (key := parse_public_id(Voucher.prefix, ref)):
        voucher = rows.filter(pk=key).first()
    if voucher is None:
        raise NotFound("voucher", ref)
    load_assignments([voucher])
    return voucher


def voucher_for_wire(project: Project, key: uuid.UUID) -> Voucher:
    """Return the voucher with that key, which the project has, with the rules on it and on its campaign."""
    voucher = vouchers_for_wire(project).get(pk=key)
    load_assignments([voucher])
    return voucher
