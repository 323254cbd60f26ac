"""What a checkout names: offers with all that deciding them needs, as values."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from promoengine.engine.bundles import Bundle
from promoengine.engine.discounts import Discount
from promoengine.engine.limits import (
    GUEST_KEYS,
    GUESTS_COUNTED,
    GUESTS_UNLESS_LIMITED,
    Counter,
    CounterKind,
)
from promoengine.engine.operands import FormulaFacts
from promoengine.engine.order import Order
from promoengine.engine.payments import GiftCredits, LoyaltyPoints
from promoengine.engine.refusals import Refusal
from promoengine.engine.rules import Rule
from promoengine.engine.scopes import EVERYTHING, Scope, UnitLimit
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
class Category:
    """A stacking category by its public id; the lower its hierarchy, the earlier its offers apply."""

    id: str
    hierarchy: int = 1


@dataclass(frozen=True, slots=True)
class Offer:
    """One redeemable of a checkout.

    `object` and `id` are as the caller named it; `key` and `campaign_key` are what its limits are counted
    by. An offer carries a discount, gift credits, points, or none of them; one that could not be found has
    the refusal that says so. All of its `rules` must be met. Limits by customer count each record and, too,
    all who share an identity key named in `one_customer_by`; `guests` says whether people may use it of whom
    nothing is known.
    """

    object: str
    id: str
    key: Hashable = None
    campaign_key: Hashable = None
    discount: Discount | None = None
    gift: GiftCredits | None = None
    points: LoyaltyPoints | None = None
    validity: Validity = Validity()
    is_active: bool = True
    is_campaign_active: bool = True
    usage: Usage = Usage()
    rules: tuple[Rule, ...] = ()
    holder_id: str | None = None
    category: Category | None = None
    formula_facts: FormulaFacts = field(default_factory=FormulaFacts)
    missing: Refusal | None = None
    one_customer_by: tuple[str, ...] = ()
    guests: str = GUESTS_UNLESS_LIMITED

    @property
    def scope(self) -> Scope:
        """What its discount may reach: the scope of its first rule that has one."""
        return next((rule.scope for rule in self.rules if rule.scope.has_entries), EVERYTHING)

    @property
    def bundle(self) -> Bundle | None:
        """The bundle its discount is for, of its first rule that has one."""
        return next((rule.bundle for rule in self.rules if rule.bundle is not None), None)

    @property
    def asks_segments(self) -> bool:
        """Whether its rules ask which segments the customer is in."""
        return any(rule.asks_segments for rule in self.rules)

    @property
    def is_dynamic(self) -> bool:
        """Whether formulas, which may ask who uses it, say what it takes off."""
        scoped = any(entry.has_price_formula for entry in self.scope.included)
        return scoped or (self.discount is not None and self.discount.has_formula)

    def unit_limits(self, order: Order | None) -> tuple[UnitLimit, ...]:
        """Return how many units its campaign or promotion may discount, over all orders."""
        return self.discount.unit_limits(self.scope, order) if self.discount else ()

    def counters(self, order: Order | None) -> tuple[Counter, ...]:
        """Return what must be counted to judge it on this order, and counted up when it is used."""
        kinds = [kind for rule in self.rules for kind in rule.counters]
        kinds += [counter_kind_of(limit) for limit in self.unit_limits(order)]
        return tuple(dict.fromkeys(counter for kind in kinds for counter in self.counters_of(kind)))

    def counters_of(self, kind: CounterKind, *, of_guest: bool = True) -> tuple[Counter, ...]:
        """Return the counters of a kind: by customer there is one for each key that may count them.

        Where guests are counted, those of them who have no record go by their device and address.
        """
        counter = self.counter(kind)
        if kind.subject != "customer":
            return (counter,)
        keys = self.one_customer_by
        if of_guest and self.guests == GUESTS_COUNTED:
            keys = (*keys, *(key for key in GUEST_KEYS if key not in keys))
        return (counter, *(replace(counter, subject=key) for key in keys))

    def counter(self, kind: CounterKind) -> Counter:
        """Return the counter of a kind; a code without a campaign stands in for one."""
        own = kind.owner == "redeemable" or self.campaign_key is None
        return Counter(
            self.key if own else self.campaign_key, kind.measure, kind.window, kind.subject, kind.entry
        )

    def refusal(self, order: Order | None, now: datetime, zone: ZoneInfo) -> Refusal | None:
        """Return why this offer does not apply at this moment, whatever its rules say, or None."""
        if self.missing:
            return self.missing
        return self._refused_by_state(now, zone) or self._refused_by_balance(order)

    def can_be_used(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether it may be used at this moment at all, whatever the order is and its rules say."""
        is_empty = self.gift is not None and self.gift.balance <= 0
        return not (self.missing or is_empty or self._refused_by_state(now, zone))

    def refused(self, key: str, details: str | None = None, message: str | None = None) -> Refusal:
        """Return the refusal of this offer for a reason; `message` is a rule's own words."""
        return Refusal(
            key,
            details=self.id if details is None else details,
            resource_id=self.id,
            resource_type=self.object,
            own_message=message,
        )

    def _refused_by_state(self, now: datetime, zone: ZoneInfo) -> Refusal | None:
        if not (self.is_active and self.is_campaign_active):
            return self.refused("voucher_disabled" if self._is_code else "promotion_inactive")
        if not self.validity.has_started(now):
            return self.refused("voucher_not_active" if self._is_code else "promotion_not_active_now")
        if self.validity.has_expired(now):
            return self.refused("voucher_expired" if self._is_code else "promotion_not_active_now")
        if not self.validity.is_open(now, zone):
            return self.refused("voucher_not_active_now" if self._is_code else "promotion_not_active_now")
        if self.usage.is_exhausted:
            return self.refused("quantity_exceeded")
        return None

    def _refused_by_balance(self, order: Order | None) -> Refusal | None:
        key = self.gift.refusal_key(order) if self.gift else None
        if self.points is not None:
            key = self.points.refusal_key()
        return self.refused(key) if key else None

    @property
    def _is_code(self) -> bool:
        return self.object == "voucher"


def counter_kind_of(limit: UnitLimit) -> CounterKind:
    """Return what counts the units that a limit of a scope's entry allows."""
    owner = "campaign" if limit.of == "campaign" else "redeemable"
    return CounterKind(owner, "units", "ever", "customer" if limit.per_customer else "", limit.key)
