"""Which redeemables may meet in one checkout, and what happens when one of them fails."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class StackingRules:
    """A project's stacking rules, named and defaulted as the wire publishes them."""

    redeemables_limit: int = 30
    applicable_redeemables_limit: int = 5
    applicable_redeemables_per_category_limit: int = 30
    applicable_exclusive_redeemables_limit: int = 1
    applicable_exclusive_redeemables_per_category_limit: int = 1
    exclusive_categories: tuple[str, ...] = ()
    joint_categories: tuple[str, ...] = ()
    no_effect_skip_categories: tuple[str, ...] = ()
    no_effect_redeem_anyway_categories: tuple[str, ...] = ()
    redeemables_application_mode: str = "ALL"
    redeemables_sorting_rule: str = "REQUESTED_ORDER"
    redeemables_products_application_mode: str = "STACK"
    redeemables_no_effect_rule: str = "REDEEM_ANYWAY"
    redeemables_rollback_order_mode: str = "WITH_ORDER"

    @property
    def is_partial(self) -> bool:
        """Whether those that apply are used even though others do not."""
        return self.redeemables_application_mode == "PARTIAL"

    def to_wire(self) -> dict[str, Any]:
        wire: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        return wire | {"applicable_redeemables_category_limits": {}}


def parse_stacking_rules(wire: Mapping[str, Any]) -> StackingRules:
    """Return the rules that a project has changed, the others by default."""
    known = {field.name for field in fields(StackingRules)}
    changed: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in wire.items()
        if name in known
    }
    return StackingRules(**changed)
