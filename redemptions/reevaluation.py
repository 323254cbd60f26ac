"""What the goods that a customer keeps would have cost alone, under the redeemables used on the order."""

from collections.abc import Mapping
from dataclasses import replace

from campaigns.definitions import tiers_at
from promoengine.core.models import Project
from promoengine.engine.decide import Case, decide
from promoengine.engine.limits import GUESTS_ALLOWED
from promoengine.engine.offers import Offer, Usage
from promoengine.engine.payments import GiftCredits
from promoengine.engine.stacking import StackingRules
from promoengine.engine.timeframes import Validity
from redemptions.channel import Channel
from redemptions.facts import gather_context
from redemptions.kept_goods import KeptGoods
from redemptions.models import Redemption
from redemptions.offers import Asking, Redeemable, good_refs, tier_offer, voucher_offer
from redemptions.publications import with_publications
from redemptions.refunds import SoldOrder
from redemptions.requests import CheckoutRequest
from redemptions.voucher_rows import Settings, settings_and_vouchers
from vouchers.models import Voucher

# Conditions on what is bought; the others, such as on who buys and when, were met and stay so.
ABOUT_GOODS = ("order.", "product.", "sku.")


def kept_worth(project: Project, sold: SoldOrder, counts: Mapping[int, int]) -> int:
    """Return what the units that stay after `counts` came back would have cost, money and gift credits.

    The redeemables are judged as they are defined now, in the order and at the moment of their redemption,
    by what is bought alone. One that is gone keeps the share it had.
    """
    kept = KeptGoods.after(sold, counts)
    if kept.is_all_back:
        return 0
    uses = {
        number: use
        for number, use in enumerate(sold.uses)
        if any(place.parts[number] for place in sold.places)
    }
    if not uses:
        return kept.shares.worth
    settings, rows = _rows(project, sold, uses)
    decision = decide(_case(project, kept, uses, settings, rows))
    saved = sum(outcome.saving for outcome in decision.applicable if outcome.offer.gift is None)
    gone = sum(kept.shares.discounts.get(number, 0) for number in uses if number not in rows)
    if decision.order is None:
        return kept.shares.worth - gone
    return max(0, decision.order.amount - saved - gone) + kept.unearned_worth(decision.order)


def _rows(
    project: Project, sold: SoldOrder, uses: Mapping[int, Redemption]
) -> tuple[Settings, dict[int, Redeemable]]:
    """Return the codes and tiers that were used and are still there, by the numbers of their uses."""
    settings, vouchers = settings_and_vouchers(
        project,
        code_keys=[],
        voucher_ids=[use.voucher_id for use in uses.values() if use.voucher_id],
        session_key="",
        now=next(iter(uses.values())).created_at,
    )
    tier_ids = [use.promotion_tier_id for use in uses.values() if use.promotion_tier_id]
    by_key: dict[object, Redeemable] = {voucher.pk: voucher for voucher in vouchers}
    by_key |= tiers_at(project, settings.version, tier_ids)
    found = {number: by_key.get(use.voucher_id or use.promotion_tier_id) for number, use in uses.items()}
    return settings, {
        number: row for number, row in found.items() if row and _is_gift(row) == (number in sold.gifts)
    }


def _case(
    project: Project,
    kept: KeptGoods,
    uses: Mapping[int, Redemption],
    settings: Settings,
    rows: Mapping[int, Redeemable],
) -> Case:
    first, customer = next(iter(uses.values())), kept.sold.order.customer
    context = gather_context(
        project,
        CheckoutRequest(
            (),
            kept.basket,
            {"id": customer.public_id} if customer and customer.deleted_at is None else None,
            metadata=first.metadata,
        ),
        settings,
        good_refs=set().union(*(good_refs(row) for row in rows.values())),
        channel=Channel(first.channel_id, first.channel_type),
        now=first.created_at,
    )
    asking = with_publications(project, context.asking, rows.values())
    credits = kept.shares.credits
    offers = tuple(
        _offer(row, asking, credits.get(number, 0))
        for number, row in rows.items()
        if not _is_gift(row) or credits.get(number)
    )
    facts = replace(context.facts, ignored=lambda name: not name.startswith(ABOUT_GOODS))
    return Case(offers, context.amounts, facts, _stacking(settings, len(offers)))


def _offer(row: Redeemable, asking: Asking, credits: int) -> Offer:
    """Return what was redeemed as it was then: in force, within its limits, and with these gift credits."""
    offer = voucher_offer(row, asking=asking) if isinstance(row, Voucher) else tier_offer(row, asking=asking)
    gift = offer.gift and GiftCredits(credits, credits, offer.gift.effect)
    return replace(
        offer,
        gift=gift,
        validity=Validity(),
        usage=Usage(),
        is_active=True,
        is_campaign_active=True,
        guests=GUESTS_ALLOWED,
    )


def _stacking(settings: Settings, count: int) -> StackingRules:
    """Return rules under which `count` redeemables meet as they did: which may was settled then."""
    return replace(
        settings.stacking,
        redeemables_application_mode="PARTIAL",
        redeemables_sorting_rule="REQUESTED_ORDER",
        applicable_redeemables_limit=count,
        applicable_redeemables_per_category_limit=None,
        applicable_redeemables_category_limits={},
        exclusive_categories=(),
    )


def _is_gift(row: Redeemable) -> bool:
    return isinstance(row, Voucher) and row.type == Voucher.Type.GIFT_VOUCHER
