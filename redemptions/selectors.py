"""Reads of redemptions, with all that their published JSON needs in a constant number of queries."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from campaigns.models import PromotionTier
from campaigns.rule_selectors import load_assignments
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from redemptions.models import Redemption
from redemptions.wire import redemption_to_wire
from vouchers.selectors import vouchers_for_wire

PREFIXES = ("r", "rf", "rr", "rrf")


def redemptions_for_wire(project: Project) -> QuerySet[Redemption]:
    """Return the project's redemptions, failures and rollbacks, ready for the wire."""
    tiers = PromotionTier.objects.select_related("campaign__category", "category")
    return (
        Redemption.objects.filter(project=project)
        .select_related("customer")
        .prefetch_related(
            Prefetch("voucher", queryset=vouchers_for_wire(project)),
            Prefetch("promotion_tier", queryset=tiers),
        )
    )


def redemption_by_id(project: Project, redemption_id: str) -> Redemption:
    """Return the redemption, failure or rollback of that id.

    Raises:
        NotFound: the project has none.
    """
    prefix = redemption_id.partition("_")[0]
    key = parse_public_id(prefix, redemption_id) if prefix in PREFIXES else None
    found = redemptions_for_wire(project).filter(pk=key).first()
    if found is None or found.public_id != redemption_id:
        raise NotFound("redemption", redemption_id)
    return found


def redemption_list_to_wire(project: Project, rows: Sequence[Redemption]) -> list[dict[str, Any]]:
    """Return several redemptions, each with its rollbacks and its parts, in two more queries."""
    keys = [row.pk for row in rows]
    load_assignments([found for row in rows for found in (row.voucher, row.promotion_tier) if found])
    related = Redemption.objects.filter(
        Q(redemption_id__in=keys, result=Redemption.Result.SUCCESS) | Q(parent_id__in=keys), project=project
    ).order_by("pk")
    rollbacks, children = defaultdict(list), defaultdict(list)
    for one in related:
        if one.kind == Redemption.Kind.ROLLBACK and one.redemption_id in keys:
            rollbacks[one.redemption_id].append(one)
        elif one.kind == Redemption.Kind.REDEMPTION and one.parent_id in keys:
            children[one.parent_id].append(one)
    return [
        redemption_to_wire(
            row,
            customer=row.customer,
            voucher=row.voucher,
            tier=row.promotion_tier,
            rollbacks=rollbacks[row.pk],
            children=children[row.pk],
        )
        for row in rows
    ]
