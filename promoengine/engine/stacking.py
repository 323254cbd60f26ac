"""Which redeemables may meet in one checkout, and what happens when one of them fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any

# What only the management API shows: validations publish the other rules.
OF_MANAGEMENT = (
    "discount_calculation_mode",
    "initial_amount_mode_categories",
    "discounted_amount_mode_categories",
    "grouped_redeemables_sorting_rule",
)


@dataclass(frozen=True, slots=True)
class StackingRules:
    """A project's stacking rules, named and defaulted as the wire publishes them.

    Categories are public ids. A limit that is None limits nothing.
    """

    redeemables_limit: int = 30
    applicable_redeemables_limit: int = 5
    applicable_redeemables_per_category_limit: int | None = None
    applicable_redeemables_category_limits: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )
    applicable_exclusive_redeemables_limit: int = 1
    applicable_exclusive_redeemables_per_category_limit: int | None = None
    exclusive_categories: tuple[str, ...] = ()
    joint_categories: tuple[str, ...] = ()
    discount_calculation_mode: str = "DISCOUNTED_AMOUNT"
    initial_amount_mode_categories: tuple[str, ...] = ()
    discounted_amount_mode_categories: tuple[str, ...] = ()
    redeemables_application_mode: str = "ALL"
    redeemables_sorting_rule: str = "REQUESTED_ORDER"
    redeemables_products_application_mode: str = "STACK"
    redeemables_no_effect_rule: str = "REDEEM_ANYWAY"
    no_effect_skip_categories: tuple[str, ...] = ()
    no_effect_redeem_anyway_categories: tuple[str, ...] = ()
    redeemables_rollback_order_mode: str = "WITH_ORDER"
    grouped_redeemables_sorting_rule: str = "JOINT_ALWAYS_LAST"

    @property
    def is_partial(self) -> bool:
        """Whether those that apply are used even though others do not."""
        return self.redeemables_application_mode == "PARTIAL"

    def type_of(self, category_id: str) -> str | None:
        """Return `EXCLUSIVE` or `JOINT` as the rules say of the category, None for a common one."""
        if category_id in self.exclusive_categories:
            return "EXCLUSIVE"
        return "JOINT" if category_id in self.joint_categories else None

    def to_wire(self) -> dict[str, Any]:
        """Return the rules as validations, qualifications and redemptions show them."""
        return dict(_shown(self))

    def management_to_wire(self) -> dict[str, Any]:
        """Return all rules as the management API shows and takes them."""
        return {rule.name: _plain(getattr(self, rule.name)) for rule in fields(self)}


def parse_stacking_rules(wire: Mapping[str, Any]) -> StackingRules:
    """Return the rules that a project has changed, the others, and those that are null, by default."""
    known = {rule.name for rule in fields(StackingRules)}
    return StackingRules(
        **{name: _frozen(value) for name, value in wire.items() if name in known and value is not None}
    )


# Every answer shows them, and they hardly ever change.
@lru_cache(maxsize=256)
def _shown(rules: StackingRules) -> dict[str, Any]:
    return {name: value for name, value in rules.management_to_wire().items() if name not in OF_MANAGEMENT}


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType(dict(value)) if isinstance(value, Mapping) else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
