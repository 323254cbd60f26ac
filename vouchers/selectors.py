"""Reads that several callers need."""

from collections.abc import Sequence

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from vouchers.codes import code_key
from vouchers.models import UsageEntry, Voucher, VoucherQuerySet


def vouchers_for_wire(project: Project) -> VoucherQuerySet:
    """Return the project's vouchers with all that their published JSON needs, their uses exact."""
    entries = UsageEntry.objects.filter(voucher=OuterRef("pk")).order_by().values("voucher")
    return (
        Voucher.objects.filter(project=project)
        .present()
        .with_relations()
        .annotate(
            pending_quantity=Coalesce(Subquery(entries.annotate(sum=Sum("quantity")).values("sum")), 0),
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
    return voucher


def vouchers_by_refs(project: Project, refs: Sequence[str]) -> dict[str, Voucher]:
    """Return the vouchers behind several codes or ids, by the text they were asked with, in one query."""
    keys = {code_key(project, ref): ref for ref in refs}
    ids = {key: ref for ref in refs if (key := parse_public_id(Voucher.prefix, ref))}
    rows = vouchers_for_wire(project)
    found = (
        rows.filter(code_key__in=keys) | rows.filter(pk__in=ids) if ids else rows.filter(code_key__in=keys)
    )
    by_code = {voucher.code_key: voucher for voucher in found}
    by_id = {voucher.pk: voucher for voucher in found}
    matched = {
        ref: by_code.get(key) or by_id.get(parse_public_id(Voucher.prefix, ref)) for key, ref in keys.items()
    }
    return {ref: voucher for ref, voucher in matched.items() if voucher}
