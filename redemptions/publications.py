"""What formulas may ask about how codes were published."""

from collections.abc import Iterable
from dataclasses import replace

from campaigns.rule_facts import discount_of
from promoengine.core.models import Project
from redemptions.offers import Asking, Redeemable
from vouchers.models import Publication, Voucher


def with_publications(project: Project, asking: Asking, rows: Iterable[Redeemable | None]) -> Asking:
    """Return `asking` with the metadata of these codes' publications: to this customer, else the newest.

    One query, and only where a code that was published has a formula.
    """
    wanted = {row.pk for row in rows if isinstance(row, Voucher) and row.published_count and _is_dynamic(row)}
    if not wanted:
        return asking
    oldest_first = Publication.objects.filter(
        project=project, voucher_ids__overlap=list(wanted), result=Publication.Result.SUCCESS
    ).order_by("pk")
    customer_key = asking.customer.pk if asking.customer else None
    found = list(oldest_first.only("voucher_ids", "customer_id", "metadata"))
    found.sort(key=lambda one: customer_key is not None and one.customer_id == customer_key)
    metadata = {key: one.metadata for one in found for key in one.voucher_ids if key in wanted}
    return replace(asking, publication_metadata=metadata)


def _is_dynamic(voucher: Voucher) -> bool:
    discount = discount_of(voucher.discount_in_force)
    return discount is not None and discount.has_formula
