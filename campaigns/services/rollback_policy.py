"""Whether uses of a campaign may be taken back, which lets an order be canceled and made anew for free."""

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware

from campaigns.models import Campaign
from promoengine.core.errors import InvalidPayload

FIELD = "rollback_policy"


def rollback_columns(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a campaign's columns that `data` sets by `rollback_policy`, our own property, or nothing.

    It is `{"allowed": "ALWAYS" | "UNLESS_PAID" | "NEVER", "until": instant | null}`; null is always, forever.

    Raises:
        InvalidPayload: it can't be meant; the details name it.
    """
    if FIELD not in data:
        return {}
    policy = data[FIELD] if data[FIELD] is not None else {}
    if not isinstance(policy, Mapping):
        raise InvalidPayload(f"Property .{FIELD} should be object")
    allowed = policy.get("allowed") or Campaign.Rollbacks.ALWAYS
    if allowed not in Campaign.Rollbacks.values:
        words = ", ".join(Campaign.Rollbacks.values)
        raise InvalidPayload(f"Property .{FIELD}.allowed should be one of {words}")
    return {"rollbacks": allowed, "rollbacks_until": _until(policy.get("until"))}


def _until(said: Any) -> Any:
    if not said or hasattr(said, "tzinfo"):
        return said or None
    until = parse_datetime(said) if isinstance(said, str) else None
    if until is None or not is_aware(until):
        raise InvalidPayload(f"Property .{FIELD}.until should be an instant, as in 2026-01-31T12:00:00Z")
    return until
