"""Qualifications as the wire asks for them."""

from collections.abc import Mapping
from typing import Any

from promoengine.core.api.filters import as_moment
from promoengine.core.errors import InvalidPayload
from promoengine.engine.operators import Condition, InvalidCondition, parse_condition
from redemptions.qualification_filters import FIELDS, Filters
from redemptions.requests import parse_context
from redemptions.services.qualify import SCENARIOS, SORTINGS, QualificationRequest

LIMIT, LIMIT_MAX = 5, 50


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
    filters = _filters(options.get("filters") or {})
    code = filters.conditions.get("code")
    return QualificationRequest(
        parse_context(body),
        scenario=_choice(body, "scenario", SCENARIOS, ""),
        limit=_limit(options),
        starting_after=_starting_after(options),
        sorting=_choice(options, "sorting_rule", SORTINGS, ".options"),
        filters=filters,
        codes=_exact_values(code) if code and filters.junction == "and" else frozenset(),
    )


def _filters(wire: Any) -> Filters:
    where = ".options.filters"
    if not isinstance(wire, Mapping):
        raise InvalidPayload(f"Property {where} should be object")
    junction = str(wire.get("junction") or "and").lower()
    if junction not in ("and", "or"):
        raise InvalidPayload(f"Property {where}.junction should be and, or")
    conditions = {}
    for name, field in wire.items():
        if name == "junction":
            continue
        if name not in FIELDS:
            raise InvalidPayload(f"Property {where} should have only junction, {', '.join(FIELDS)}")
        given = field.get("conditions") if isinstance(field, Mapping) else None
        if not isinstance(given, Mapping):
            raise InvalidPayload(f"Property {where}.{name}.conditions should be object")
        try:
            conditions[name] = parse_condition(given)
        except InvalidCondition as error:
            raise InvalidPayload(f"Property {where}.{name}.conditions{error}") from error
    return Filters(conditions, junction)


def _exact_values(condition: Condition) -> frozenset[str]:
    """Return the only values a condition can hold for, where it lists them."""
    for test in condition.tests:
        if test.operator in ("$is", "$in"):
            return frozenset(value for value in test.values if isinstance(value, str))
    return frozenset()


def _choice(body: Mapping[str, Any], name: str, choices: tuple[str, ...], where: str) -> str:
    value = body.get(name) or choices[0]
    if value not in choices:
        raise InvalidPayload(f"Property {where}.{name} should be one of {', '.join(choices)}")
    return str(value)


def _limit(options: Mapping[str, Any]) -> int:
    limit = options.get("limit")
    if limit is None:
        return LIMIT
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
