"""A project's stacking rules: one set of them, or the defaults."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import Category
from campaigns.selectors import stacking_project
from campaigns.wire import stacking_rules_id
from promoengine.core.errors import DomainError, InvalidPayload, NotFound
from promoengine.core.ids import parse_public_id, public_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.engine.stacking import parse_stacking_rules

# The highest each limit may be, and the limit that it may not pass.
LIMITS = {
    "redeemables_limit": (30, None),
    "applicable_redeemables_limit": (30, "redeemables_limit"),
    "applicable_redeemables_per_category_limit": (30, "applicable_redeemables_limit"),
    "applicable_exclusive_redeemables_limit": (5, None),
    "applicable_exclusive_redeemables_per_category_limit": (30, "applicable_exclusive_redeemables_limit"),
}
UNLIMITED = {
    "applicable_redeemables_per_category_limit",
    "applicable_exclusive_redeemables_per_category_limit",
}
CATEGORY_LIMIT_MAX = 10
WORDS = {
    "redeemables_application_mode": ("ALL", "PARTIAL"),
    "redeemables_sorting_rule": ("REQUESTED_ORDER", "CATEGORY_HIERARCHY"),
    "redeemables_products_application_mode": ("STACK", "ONCE"),
    "redeemables_no_effect_rule": ("REDEEM_ANYWAY", "SKIP"),
    "redeemables_rollback_order_mode": ("WITH_ORDER", "WITHOUT_ORDER"),
    "discount_calculation_mode": ("INITIAL_AMOUNT", "DISCOUNTED_AMOUNT"),
    # The second word is ours: only the first is published.
    "grouped_redeemables_sorting_rule": ("JOINT_ALWAYS_LAST", "SORTING_RULE"),
}
# Lists of categories, in pairs that may not share one.
PAIRS = (
    ("exclusive_categories", "joint_categories"),
    ("no_effect_skip_categories", "no_effect_redeem_anyway_categories"),
    ("initial_amount_mode_categories", "discounted_amount_mode_categories"),
)
LISTS = [name for pair in PAIRS for name in pair]
CATEGORY_LIMITS = "applicable_redeemables_category_limits"


class StackingRulesExist(DomainError):
    key = "stacking_rules_exist"
    status = 409
    message = "Stacking rules exist"


@transaction.atomic
def create_stacking_rules(project: Project, *, data: Mapping[str, Any], now: datetime) -> Project:
    """Give the project stacking rules of its own, what `data` does not name by default; return its row.

    Raises:
        StackingRulesExist: it has some.
        InvalidPayload: a rule is wrong; the details name the property.
    """
    definitions_changed(project)
    row = stacking_project(project)
    if row.stacking_rules_created_at is not None:
        raise StackingRulesExist("Cannot exist more stacking rules for given project")
    return _store(row, _checked(row, {}, data), created_at=now)


@transaction.atomic
def update_stacking_rules(
    project: Project, rules_id: str, *, data: Mapping[str, Any], now: datetime
) -> Project:
    """Change the rules that `data` names, lists as a whole, and return the project's row.

    Raises:
        NotFound: the project has no stacking rules of that id.
        InvalidPayload: a rule is wrong; the details name the property.
    """
    definitions_changed(project)
    row = _with_rules(project, rules_id)
    rules = _checked(row, row.stacking_rules, data)
    if rules == row.stacking_rules:
        return row
    return _store(row, rules, created_at=row.stacking_rules_created_at, updated_at=now)


@transaction.atomic
def save_stacking_rules(project: Project, *, data: Mapping[str, Any], now: datetime) -> Project:
    """Change the rules that `data` names, making the project's set of rules where there is none yet.

    Raises:
        InvalidPayload: a rule is wrong; the details name the property.
    """
    rules_id = stacking_rules_id(stacking_project(project))
    if rules_id is None:
        return create_stacking_rules(project, data=data, now=now)
    return update_stacking_rules(project, rules_id, data=data, now=now)


@transaction.atomic
def set_category_stacking(
    project: Project,
    category: Category,
    *,
    lists: Mapping[str, bool],
    limit: int | None,
    now: datetime,
) -> None:
    """Put a category on each of the named lists of the rules or take it off, and limit how many of it apply.

    Nothing happens where the rules say so already, so that a project keeps the defaults while it can.

    Raises:
        InvalidPayload: the limit is out of range, or two of the lists exclude each other.
    """
    rules, own = parse_stacking_rules(stacking_project(project).stacking_rules), category.public_id
    data: dict[str, Any] = {}
    for name, is_on in lists.items():
        before = getattr(rules, name)
        if is_on != (own in before):
            data[name] = [*before, own] if is_on else [one for one in before if one != own]
    limits = dict(rules.applicable_redeemables_category_limits)
    if limit != limits.pop(own, None):
        data[CATEGORY_LIMITS] = limits if limit is None else limits | {own: limit}
    if data:
        save_stacking_rules(project, data=data, now=now)


@transaction.atomic
def delete_stacking_rules(project: Project, rules_id: str) -> None:
    """Put the project back to the default stacking rules.

    Raises:
        NotFound: the project has no stacking rules of that id.
    """
    definitions_changed(project)
    _store(_with_rules(project, rules_id), {}, created_at=None)


def forget_category(project: Project, category: Category) -> None:
    """Take a category that is being deleted out of the rules, in the caller's transaction."""
    row, gone = stacking_project(project), category.public_id
    rules = dict(row.stacking_rules)
    for name in LISTS:
        if gone in rules.get(name, ()):
            rules[name] = [one for one in rules[name] if one != gone]
    if gone in rules.get(CATEGORY_LIMITS, {}):
        rules[CATEGORY_LIMITS] = {one: limit for one, limit in rules[CATEGORY_LIMITS].items() if one != gone}
    if rules != row.stacking_rules:
        Project.objects.filter(pk=row.pk).update(stacking_rules=rules)


def _with_rules(project: Project, rules_id: str) -> Project:
    row = stacking_project(project)
    if stacking_rules_id(row) != rules_id:
        raise NotFound("stacking_rules", rules_id)
    return row


def _store(
    row: Project, rules: dict[str, Any], *, created_at: datetime | None, updated_at: datetime | None = None
) -> Project:
    row.stacking_rules = rules
    row.stacking_rules_created_at, row.stacking_rules_updated_at = created_at, updated_at
    row.save(update_fields=["stacking_rules", "stacking_rules_created_at", "stacking_rules_updated_at"])
    return row


def _checked(project: Project, before: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """Return the rules `before` with what `data` changes, after checking that they make sense together."""
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    changed = {name: _read(name, data[name]) for name in (*LIMITS, *WORDS, *LISTS) if name in data}
    if CATEGORY_LIMITS in data:
        changed[CATEGORY_LIMITS] = _category_limits(data[CATEGORY_LIMITS])
    _check_categories(project, changed)
    rules = {**before, **changed}
    whole = parse_stacking_rules(rules).management_to_wire()
    for name, (_, ceiling) in LIMITS.items():
        if ceiling and whole[name] is not None and whole[name] > whole[ceiling]:
            raise InvalidPayload(f"Property .{name} must be <= .{ceiling}, which is {whole[ceiling]}")
    for one, other in PAIRS:
        if shared := sorted(set(whole[one]) & set(whole[other])):
            raise InvalidPayload(f"Properties .{one} and .{other} can't both have {', '.join(shared)}")
    return rules


def _read(name: str, value: Any) -> Any:
    if name in LIMITS:
        return None if value is None and name in UNLIMITED else _whole(name, value, LIMITS[name][0])
    if name in WORDS:
        if value not in WORDS[name]:
            raise InvalidPayload(f"Property .{name} must be one of {', '.join(WORDS[name])}")
        return value
    if not isinstance(value, list) or any(not isinstance(one, str) for one in value):
        raise InvalidPayload(f"Property .{name} must be an array of category ids")
    return list(dict.fromkeys(value))


def _whole(name: str, value: Any, maximum: int) -> int:
    if type(value) is not int:
        raise InvalidPayload(f"Property .{name} must be integer")
    if value < 1:
        raise InvalidPayload(f"Property .{name} must be >= 1")
    if value > maximum:
        raise InvalidPayload(f"Property .{name} must be <= {maximum}")
    return value


def _category_limits(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise InvalidPayload(f"Property .{CATEGORY_LIMITS} must be object")
    return {
        one: _whole(f"{CATEGORY_LIMITS}.{one}", limit, CATEGORY_LIMIT_MAX) for one, limit in value.items()
    }


def _check_categories(project: Project, changed: Mapping[str, Any]) -> None:
    named: list[tuple[str, Iterable[str]]] = [
        (name, changed[name]) for name in (*LISTS, CATEGORY_LIMITS) if changed.get(name)
    ]
    keys = {key for _, ids in named for one in ids if (key := parse_public_id(Category.prefix, one))}
    found = Category.objects.filter(project=project, pk__in=keys).values_list("pk", flat=True)
    known = {public_id(Category.prefix, key) for key in found} if keys else set()
    for name, ids in named:
        for one in ids:
            if one not in known:
                raise InvalidPayload(f"Property .{name} names {one}, but there is no such category")
