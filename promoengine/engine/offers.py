"""What a checkout names: offers with all that deciding them needs, as values."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from promoengine.engine.discounts import Discount
from promoengine.engine.order import Order
from promoengine.engine.refusals import Refusal
from promoengine.engine.timeframes import Validity


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is gone: `used` for good, `reserved` by other people's sessions."""

    quantity: int | None = None
    used: int = 0
    reserved: int = 0

    @property
    def is_exhausted(self) -> bool:
        return self.quantity is not None and self.used + self.reserved >= self.quantity


@dataclass(frozen=True, slots=True)
class GiftCredits:
    """A gift card: `balance` is what its holder may still spend, `asked` what this cart wants of it."""

    balance: int
    asked: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One redeemable of a checkout.

    `object` and `id` are as the caller named it. An offer carries a discount, gift credits, or neither;
    one that could not be found carries the refusal that says so.
    """

    object: str
    id: str
    discount: Discount | None = None
    gift: GiftCredits | None = None
    validity: Validity = Validity()
    is_active: bool = True
    is_campaign_active: bool = True
    usage: Usage = Usage()
    missing: Refusal | None = None

    def refusal(self, order: Order | None, now: datetime, zone: ZoneInfo) -> Refusal | None:
        """Return why this offer does not apply to the order at this moment, or None."""
        if self.missing:
            return self.missing
        return self._refused_by_state(now, zone) or self._refused_by_order(order)

    def apply(self, order: Order) -> tuple[Order, int]:
        """Return the order with this offer applied, and the gift credits that takes, in minor units."""
        if self.gift is not None:
            credits = min(self.gift.balance if self.gift.asked is None else self.gift.asked, order.total)
            return order.discount_order(credits), credits
        if self.discount is not None:
            return self.discount.apply(order).order, 0
        return order, 0

    def _refused_by_state(self, now: datetime, zone: ZoneInfo) -> Refusal | None:
        subject = self._subject()
        if not (self.is_active and self.is_campaign_active):
            return replace(subject, key="voucher_disabled" if self._is_code else "promotion_inactive")
        if not self.validity.has_started(now):
            return replace(subject, key="voucher_not_active" if self._is_code else "promotion_not_active_now")
        if self.validity.has_expired(now):
            return replace(subject, key="voucher_expired" if self._is_code else "promotion_not_active_now")
        if not self.validity.is_open(now, zone):
            return replace(
                subject, key="voucher_not_active_now" if self._is_code else "promotion_not_active_now"
            )
        if self.usage.is_exhausted:
            return replace(subject, key="quantity_exceeded")
        return None

    def _refused_by_order(self, order: Order | None) -> Refusal | None:
        subject = self._subject()
        if self.gift is not None:
            if order is None and self.gift.asked is None:
                return replace(subject, key="missing_amount")
            if self.gift.balance <= 0 or (self.gift.asked or 0) > self.gift.balance:
                return replace(subject, key="gift_amount_exceeded")
        works_on_items = self.discount is not None and self.discount.effect != "APPLY_TO_ORDER"
        if works_on_items and order is not None and not order.items:
            return replace(subject, key="missing_order_items")
        return None

    def _subject(self) -> Refusal:
        return Refusal("invalid_payload", details=self.id, resource_id=self.id, resource_type=self.object)

    @property
    def _is_code(self) -> bool:
        return self.object == "voucher"
