"""Rows to engine values for a checkout, in a number of queries that does not depend on its size."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from campaigns.models import PromotionTier
from customers.models import Customer
from customers.selectors import find_customer
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.engine.decide import Case
from promoengine.engine.discounts import parse_discount
from promoengine.engine.offers import GiftCredits, Offer, Usage
from promoengine.engine.refusals import Refusal
from promoengine.engine.stacking import StackingRules, parse_stacking_rules
from promoengine.engine.timeframes import parse_validity
from redemptions.models import Order, Reservation
from redemptions.orders import CheckoutOrder, merge_order
from redemptions.requests import AskedOrder, AskedRedeemable, CheckoutRequest, refuse_doubles
from vouchers.codes import code_key
from vouchers.models import Voucher, VoucherQuerySet
from vouchers.selectors import vouchers_for_wire

Redeemable = Voucher | PromotionTier


@dataclass(frozen=True, slots=True)
class Gathered:
    """A case to decide, and the rows behind it; `redeemables` stands beside `case.offers`."""

    case: Case
    redeemables: tuple[Redeemable | None, ...]
    customer: Customer | None
    order: CheckoutOrder | None


def gather(
    project: Project, asked: CheckoutRequest, *, now: datetime, overwrite_order: bool = False
) -> Gathered:
    """Collect all that deciding `asked` may need, in at most four queries.

    Raises:
        DuplicatedRedeemables: one code is named twice, as by its code and by its id.
        NotFound: the customer or the order is named by an id that the project does not have.
    """
    session_key = asked.session.key if asked.session else None
    vouchers = _vouchers(project, asked.redeemables, session_key=session_key, now=now)
    tiers = _tiers(project, asked.redeemables)
    order = merge_order(asked.order, stored_order(project, asked.order), overwrite=overwrite_order)
    rows = tuple(_row_of(project, one, vouchers, tiers) for one in asked.redeemables)
    refuse_doubles(
        [row.public_id if row else one.id for one, row in zip(asked.redeemables, rows, strict=True)]
    )
    offers = tuple(_offer_of(one, row) for one, row in zip(asked.redeemables, rows, strict=True))
    engine_order = order.to_engine() if order and order.has_amount else None
    case = Case(offers, engine_order, now, ZoneInfo(project.timezone), stacking_rules(project))
    return Gathered(case, rows, find_customer(project, asked.customer), order)


def stacking_rules(project: Project) -> StackingRules:
    """Return the project's stacking rules."""
    return parse_stacking_rules(project.stacking_rules)


def stored_order(project: Project, asked: AskedOrder | None) -> Order | None:
    """Return the row of the order that was named; a source id may be new, an id may not.

    Raises:
        NotFound: the project has no order of that id.
    """
    if asked is None or not (asked.id or asked.source_id):
        return None
    orders = Order.objects.filter(project=project)
    if asked.id is None:
        return orders.filter(source_id=asked.source_id).first()
    key = parse_public_id(Order.prefix, asked.id)
    found = orders.filter(Q(pk=key) if key else Q(source_id=asked.id)).first()
    if found is None:
        raise NotFound("order", asked.id)
    return found


def voucher_offer(
    voucher: Voucher, *, object_: str = "voucher", id_: str = "", credits: int | None = None
) -> Offer:
    """Return a voucher that came from `with_reservations` as the engine sees it."""
    offer = Offer(
        object_,
        id_ or voucher.code,
        validity=parse_validity(
            voucher.validity_in_force,
            starts_at=voucher.start_date,
            expires_at=voucher.expiration_date,
            created_at=voucher.created_at,
        ),
        is_active=voucher.active,
        is_campaign_active=voucher.campaign is None or voucher.campaign.active,
        usage=Usage(
            voucher.quantity,
            voucher.redeemed_quantity + voucher.pending_quantity,
            voucher.reserved_quantity,
        ),
    )
    if voucher.type == Voucher.Type.GIFT_VOUCHER:
        return replace(offer, gift=GiftCredits(voucher.gift_balance - voucher.reserved_amount, credits))
    discount = voucher.discount_in_force
    return replace(offer, discount=parse_discount(discount) if discount else None)


def tier_offer(tier: PromotionTier, *, id_: str = "") -> Offer:
    """Return a promotion tier as the engine sees it: usable while its campaign is, too."""
    campaign = tier.campaign
    starts = [moment for moment in (tier.start_date, campaign.start_date) if moment]
    ends = [moment for moment in (tier.expiration_date, campaign.expiration_date) if moment]
    return Offer(
        "promotion_tier",
        id_ or tier.public_id,
        discount=parse_discount(tier.discount) if tier.discount else None,
        validity=parse_validity(
            tier.validity or campaign.validity,
            starts_at=max(starts, default=None),
            expires_at=min(ends, default=None),
            created_at=tier.created_at,
        ),
        is_active=tier.active,
        is_campaign_active=campaign.active and campaign.deleted_at is None,
    )


def with_reservations(
    vouchers: VoucherQuerySet, *, now: datetime, session_key: str | None = None
) -> QuerySet[Voucher]:
    """Annotate what live sessions hold of each voucher, but for the caller's own session."""
    live = Reservation.objects.filter(voucher=OuterRef("pk"), expires_at__gt=now).exclude(
        session_key=session_key or ""
    )
    held = live.order_by().values("voucher")
    return vouchers.annotate(
        reserved_quantity=Coalesce(Subquery(held.annotate(sum=Sum("quantity")).values("sum")), 0),
        reserved_amount=Coalesce(Subquery(held.annotate(sum=Sum("amount")).values("sum")), 0),
    )


def _vouchers(
    project: Project, asked: Sequence[AskedRedeemable], *, session_key: str | None, now: datetime
) -> dict[str | uuid.UUID, Voucher]:
    refs = [one.id for one in asked if one.object == "voucher"]
    if not refs:
        return {}
    wanted = Q(code_key__in=[code_key(project, ref) for ref in refs])
    if ids := [key for ref in refs if (key := parse_public_id(Voucher.prefix, ref))]:
        wanted |= Q(pk__in=ids)
    rows = with_reservations(vouchers_for_wire(project), now=now, session_key=session_key).filter(wanted)
    found: dict[str | uuid.UUID, Voucher] = {}
    for voucher in rows:
        found[voucher.code_key] = found[voucher.pk] = voucher
    return found


def _tiers(project: Project, asked: Sequence[AskedRedeemable]) -> dict[uuid.UUID, PromotionTier]:
    refs = [one.id for one in asked if one.object == "promotion_tier"]
    keys = [key for ref in refs if (key := parse_public_id(PromotionTier.prefix, ref))]
    if not keys:
        return {}
    tiers = PromotionTier.objects.filter(project=project, campaign__deleted_at=None)
    return tiers.select_related("campaign__category", "category").in_bulk(keys)


def _row_of(
    project: Project,
    asked: AskedRedeemable,
    vouchers: dict[str | uuid.UUID, Voucher],
    tiers: dict[uuid.UUID, PromotionTier],
) -> Redeemable | None:
    if asked.object == "voucher":
        by_code = vouchers.get(code_key(project, asked.id))
        key = parse_public_id(Voucher.prefix, asked.id)
        return by_code or (vouchers.get(key) if key else None)
    key = parse_public_id(PromotionTier.prefix, asked.id)
    return tiers.get(key) if key and asked.object == "promotion_tier" else None


def _offer_of(asked: AskedRedeemable, row: Redeemable | None) -> Offer:
    if isinstance(row, Voucher):
        return voucher_offer(row, id_=asked.id, credits=asked.credits)
    if isinstance(row, PromotionTier):
        return tier_offer(row, id_=asked.id)
    missing = Refusal(
        "not_found",
        f"Cannot find {asked.object} with id {asked.id}",
        resource_id=asked.id,
        resource_type=asked.object,
    )
    return Offer(asked.object, asked.id, missing=missing)
