"""Keeping summaries of customers and promotions: counted anew from the ledger, so that counting twice does
no harm.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import Coalesce

from campaigns.services.promotions import store_tier_summaries
from customers.services.summaries import lock_summaries, store_summaries
from promoengine.core.partitions import partition_start
from redemptions.models import Order, Redemption, RefundedUnits
from vouchers.models import Voucher

USE = Q(kind=Redemption.Kind.REDEMPTION) & ~Q(related_object_type=Redemption.RelatedObject.REDEMPTION)
UNDO = Q(kind=Redemption.Kind.ROLLBACK) & ~Q(related_object_type=Redemption.RelatedObject.REDEMPTION)
PAID = (Order.Status.PAID, Order.Status.FULFILLED)
PRODUCTS = f"""
    SELECT customer_id, array_agg(DISTINCT name)
    FROM {Order._meta.db_table} AS bought,
    jsonb_array_elements(items) WITH ORDINALITY AS lines (line, place),
    unnest(ARRAY[
        line->>'product_id', line->>'sku_id', line->>'source_id',
        line#>>'{{product,id}}', line#>>'{{product,source_id}}',
        line#>>'{{sku,id}}', line#>>'{{sku,source_id}}'
    ]) AS name
    WHERE customer_id = ANY(%s) AND status = ANY(%s) AND name IS NOT NULL
        AND is_refunded IS NOT TRUE AND NOT EXISTS (
            SELECT FROM {RefundedUnits._meta.db_table} AS back
            WHERE back.order_id = bought.id AND back.line = lines.place - 1
            HAVING sum(back.quantity) >= max(back.sold_quantity)
        )
    GROUP BY customer_id
"""


@transaction.atomic
def refresh_summaries(customer_ids: Collection[uuid.UUID], *, now: datetime) -> None:
    """Count these customers' redemptions and orders anew, in a constant number of queries."""
    lock_summaries(customer_ids)
    values: dict[uuid.UUID, dict[str, Any]] = {key: {} for key in customer_ids}
    for row in _redemptions(customer_ids):
        values[row.pop("customer_id")] |= row
    for row in _orders(customer_ids):
        values[row.pop("customer_id")] |= row
    for row in _last_orders(customer_ids):
        values[row.customer_id] |= {"last_order_amount": row.total_amount - (row.refunded_amount or 0)}
    for customer_id, products in _products(customer_ids):
        values[customer_id] |= {"products": products}
    for row in _cards(customer_ids):
        values[row.pop("holder_id")] |= row
    store_summaries(values, now=now)


def refresh_promotions(*, since: datetime) -> None:
    """Count anew what became of the promotion tiers that were redeemed or rolled back from then on."""
    touched = Redemption.objects.filter(pk__gte=partition_start(since), promotion_tier_id__isnull=False)
    pairs = set(touched.order_by().values_list("promotion_tier_id", "campaign_id").distinct())
    none: dict[str, int] = dict.fromkeys(
        ("redeemed_count", "redeemed_orders_amount", "redeemed_discount_amount"), 0
    )
    values = {tier_id: none for tier_id, _ in pairs}
    used = Redemption.objects.filter(
        USE,
        campaign_id__in={campaign_id for _, campaign_id in pairs},
        promotion_tier_id__in=values,
        status=Redemption.Status.SUCCEEDED,
    )
    counted: Any = (
        used.order_by()
        .values("promotion_tier_id")
        .annotate(
            redeemed_count=Count("id"),
            redeemed_orders_amount=Coalesce(Sum("order_amount", filter=Q(currency="")), 0),
            redeemed_discount_amount=Coalesce(Sum("discount_amount", filter=Q(currency="")), 0),
        )
    )
    for row in counted:
        values[row["promotion_tier_id"]] = {name: row[name] for name in none}
    store_tier_summaries(values)


def _redemptions(customer_ids: Collection[uuid.UUID]) -> Any:
    used = USE & Q(result=Redemption.Result.SUCCESS)
    return (
        Redemption.objects.filter(customer_id__in=customer_ids)
        .order_by()
        .values("customer_id")
        .annotate(
            redeemed=Count("id", filter=USE),
            failed=Count("id", filter=USE & Q(result=Redemption.Result.FAILURE)),
            succeeded=Count("id", filter=used),
            rolled_back=Count("id", filter=USE & Q(status=Redemption.Status.ROLLED_BACK)),
            rollback_failed=Count("id", filter=UNDO & Q(result=Redemption.Result.FAILURE)),
            rollback_succeeded=Count("id", filter=UNDO & Q(result=Redemption.Result.SUCCESS)),
            gift_redeemed_amount=Coalesce(
                Sum(
                    F("amount") - Coalesce("refunded_credits", 0),
                    filter=Q(result=Redemption.Result.SUCCESS),
                ),
                0,
            ),
        )
    )


def _orders(customer_ids: Collection[uuid.UUID]) -> Any:
    return (
        _paid_orders(customer_ids)
        .order_by()
        .values("customer_id")
        .annotate(
            orders_amount=Coalesce(
                Sum(F("total_amount") - Coalesce("refunded_amount", 0), filter=Q(currency="")), 0
            ),
            orders_count=Count("id"),
            last_order_at=Max("created_at"),
        )
    )


def _last_orders(customer_ids: Collection[uuid.UUID]) -> Any:
    newest_first = (
        _paid_orders(customer_ids).filter(currency="").order_by("customer_id", "-created_at", "-id")
    )
    return newest_first.distinct("customer_id")


def _paid_orders(customer_ids: Collection[uuid.UUID]) -> Any:
    """Return the orders that count for these customers: paid, and not all of it paid back since."""
    paid = Order.objects.filter(customer_id__in=customer_ids, status__in=PAID).with_totals()
    return paid.exclude(is_refunded=True)


def _products(customer_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, list[str]]]:
    """Return all names that paid orders give the products and SKUs on them, but for what came back."""
    with connection.cursor() as cursor:
        cursor.execute(PRODUCTS, [list(customer_ids), list(PAID)])
        return list(cursor.fetchall())


def _cards(customer_ids: Collection[uuid.UUID]) -> Any:
    cards = Voucher.objects.filter(holder_id__in=customer_ids, gift_balance__isnull=False, deleted_at=None)
    return cards.order_by().values("holder_id").annotate(gift_amount_to_go=Sum("gift_balance"))
