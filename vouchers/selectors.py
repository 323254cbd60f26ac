"""Reads that several callers need."""

import uuid

from django.db.models import BigIntegerField, F, Func

from campaigns.rule_selectors import load_assignments
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from vouchers.codes import code_key
from vouchers.models import UsageEntry, Voucher, VoucherQuerySet


class PendingQuantity(Func):
    """The uses of a code, by its key, that its row does not count yet.

    Written out: every answer with a code in it asks for it, and Django takes longer to put a subquery
    together than Postgres to answer it.
    """

    template = (
        f"COALESCE((SELECT SUM(quantity) FROM {UsageEntry._meta.db_table}"
        " WHERE voucher_id = %(expressions)s), 0)"
    )
    output_field = BigIntegerField()


def vouchers_for_wire(project: Project) -> VoucherQuerySet:
    """Return the project's vouchers with all that their published JSON needs but rules, their uses exact."""
    return (
        Voucher.objects.filter(project=project)
        .present()
        .with_relations()
        .annotate(pending_quantity=PendingQuantity("pk"), locked_until=F("batch__locked_until"))
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
