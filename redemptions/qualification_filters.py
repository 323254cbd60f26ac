"""What the answer of a qualification may be narrowed by: published fields of redeemables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.models import Campaign, PromotionStack, PromotionTier
from promoengine.engine.operators import Condition, Moment
from vouchers.models import Voucher

Candidate = Voucher | PromotionTier | Campaign | PromotionStack


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions by field, all or any of which must hold; none let everything through."""

    conditions: Mapping[str, Condition] = field(default_factory=dict)
    junction: str = "and"

    def let_through(self, row: Candidate, at: Moment) -> bool:
        """Return whether a redeemable is wanted; what it has no value for does not hold."""
        if not self.conditions:
            return True
        holds = (
            condition.holds(FIELDS[name](row), at) is True for name, condition in self.conditions.items()
        )
        return any(holds) if self.junction == "or" else all(holds)


def _campaign_of(row: Candidate) -> Campaign | None:
    return row if isinstance(row, Campaign) else row.campaign


def _campaign_id(row: Candidate) -> Any:
    campaign = _campaign_of(row)
    return campaign.public_id if campaign else None


def _campaign_type(row: Candidate) -> Any:
    campaign = _campaign_of(row)
    return campaign.campaign_type if campaign else None


def _category_id(row: Candidate) -> Any:
    category = row.category_in_force if isinstance(row, Voucher) else row.category
    return category.public_id if category else None


def _resource_type(row: Candidate) -> Any:
    return {
        Voucher: "voucher",
        PromotionTier: "promotion_tier",
        PromotionStack: "promotion_stack",
        Campaign: "campaign",
    }[type(row)]


def _voucher_type(row: Candidate) -> Any:
    if isinstance(row, Voucher):
        return row.type
    return row.voucher_type if isinstance(row, Campaign) else None


def _code(row: Candidate) -> Any:
    return row.code if isinstance(row, Voucher) else None


def _holder_role(row: Candidate) -> Any:
    return "OWNER" if isinstance(row, Voucher) and row.holder_id else None


FIELDS: dict[str, Callable[[Candidate], Any]] = {
    "campaign_id": _campaign_id,
    "campaign_type": _campaign_type,
    "category_id": _category_id,
    "resource_id": lambda row: row.public_id,
    "resource_type": _resource_type,
    "voucher_type": _voucher_type,
    "code": _code,
    "holder_role": _holder_role,
}
