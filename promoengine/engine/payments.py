"""Paying for an order with what a card holds: gift credits in minor units, or loyalty points."""

from dataclasses import dataclass

from promoengine.engine.order import Order


@dataclass(frozen=True, slots=True)
class GiftCredits:
    """A gift card: `balance` is what its holder may still spend, `asked` what this cart wants of it."""

    balance: int
    asked: int | None = None
    effect: str = "APPLY_TO_ORDER"

    def refusal_key(self, order: Order | None) -> str | None:
        """Return why it can't pay, as published, or None."""
        if order is None and self.asked is None:
            return "missing_amount"
        if self.balance <= 0 or (self.asked or 0) > self.balance:
            return "gift_amount_exceeded"
        return None

    @property
    def wanted(self) -> int:
        """The credits that may be taken, as far as the order needs them."""
        return self.balance if self.asked is None else self.asked


@dataclass(frozen=True, slots=True)
class LoyaltyPoints:
    """A loyalty card that pays: every `points_ratio` points are worth `exchange_ratio` minor units.

    `balance` and `asked` are points. Source of the ratios: the published reward of type COIN.
    """

    balance: int
    exchange_ratio: int
    points_ratio: int = 1
    asked: int | None = None

    def refusal_key(self) -> str | None:
        """Return why it can't pay, as published, or None."""
        exceeded = self.balance <= 0 or (self.asked or 0) > self.balance
        return "loyalty_card_points_exceeded" if exceeded else None

    def worth(self, points: int) -> int:
        """Return what points pay, in minor units, rounded down."""
        return points * self.exchange_ratio // self.points_ratio

    def spend_on(self, amount: int) -> int:
        """Return the fewest points that pay `amount`, or all that may be taken where they pay less."""
        wanted = self.balance if self.asked is None else self.asked
        enough = -(-amount * self.points_ratio // self.exchange_ratio) if self.exchange_ratio else wanted
        return min(wanted, enough)
