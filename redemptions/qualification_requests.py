"""Qualifications as the wire asks for them."""

import uuid
from collections.abc import Mapping
from typing import Any

from campaigns.models import Campaign
from promoengine.core.api.filters import as_moment
from promoengine.core.errors import InvalidPayload
from promoengine.core.ids import parse_public_id
from redemptions.requests import parse_context
from redemptions.services.qualify import SCENARIOS, SORTINGS, QualificationRequest

LIMIT_MAX = 50
NOBODY = uuid.UUID(int=0)  # what an id that is none stands for: it matches nothing
FILTERS = ("junction", "campaign_id", "resource_type", "code")


def parse_qualification(body: Any) -> QualificationRequest:
    """Read the body of a qualification.

    Raises:
        InvalidPayload: the shape is wrong; the details name the property.
    """
    if not isinstance(body, Mapping):
        raise InvalidPayload("Payload should be object")
    options = body.get("options") or {}
    if not isinstance(options, Mapping):
        raise InvalidPayload("Property .options should be object")
    filters = options.get("filters") or {}
    if not isinstance(filters, Mapping) or set(filters) - set(FILTERS):
        raise InvalidPayload(f"Property .options.filters should have only {', '.join(FILTERS)}")
    campaigns = _values(filters, "campaign_id")
    return QualificationRequest(
        parse_context(body),
        scenario=_choice(body, "scenario", SCENARIOS, ""),
        limit=_limit(options),
        starting_after=_starting_after(options),
        sorting=_choice(options, "sorting_rule", SORTINGS, ".options"),
        campaign_ids=frozenset(parse_public_id(Campaign.prefix, ref) or NOBODY for ref in campaigns),
        objects=frozenset(_values(filters, "resource_type")),
        codes=frozenset(_values(filters, "code")),
    )


def _choice(body: Mapping[str, Any], name: str, choices: tuple[str, ...], where: str) -> str:
    value = body.get(name) or choices[0]
    if value not in choices:
        raise InvalidPayload(f"Property {where}.{name} should be one of {', '.join(choices)}")
    return str(value)


def _limit(options: Mapping[str, Any]) -> int:
    limit = options.get("limit", 5)
    if type(limit) is not int or not 1 <= limit <= LIMIT_MAX:
        raise InvalidPayload(f"Property .options.limit should be between 1 and {LIMIT_MAX}")
    return limit


def _starting_after(options: Mapping[str, Any]) -> Any:
    text = options.get("starting_after")
    if text is None:
        return None
    try:
        return as_moment(text) if isinstance(text, str) else as_moment("")
    except ValueError as error:
        raise InvalidPayload(f"Property .options.starting_after {error}") from error


def _values(filters: Mapping[str, Any], name: str) -> list[str]:
    """Return the values of `{"conditions": {"$is": [...]}}`, the only operators that narrow to a set."""
    if name not in filters:
        return []
    conditions = filters[name].get("conditions") if isinstance(filters[name], Mapping) else None
    if not isinstance(conditions, Mapping) or set(conditions) - {"$is", "$in"}:
        raise InvalidPayload(f"Property .options.filters.{name}.conditions should have $is or $in")
    values = [
        value for given in conditions.values() for value in (given if isinstance(given, list) else [given])
    ]
    if any(not isinstance(value, str) for value in values):
        raise InvalidPayload(f"Property .options.filters.{name} should have strings")
    return values
