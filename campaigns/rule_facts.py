"""Rules and discounts as the engine judges them: read from their rows once, kept in this process."""

import json
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from campaigns.models import ValidationRule
from customers.places import with_shapes
from promoengine.core.json_text import to_json
from promoengine.engine.discounts import Discount, parse_discount
from promoengine.engine.rules import Rule, parse_rule

KEPT = 50_000

_rules: OrderedDict[uuid.UUID, tuple[int, Rule]] = OrderedDict()


def compiled_rule(row: ValidationRule) -> Rule:
    """Return a rule ready to be judged; a changed row has another version and is read anew."""
    known = _rules.get(row.pk)
    if known and known[0] == row.version:
        return known[1]
    rule = parse_rule(
        {
            "rules": with_shapes(row.project_id, row.rules),
            "error": row.error,
            "applicable_to": row.applicable_to,
            "bundle_rules": row.bundle_rules,
        },
        row.public_id,
    )
    _rules[row.pk] = row.version, rule
    if len(_rules) > KEPT:
        _rules.popitem(last=False)
    return rule


def discount_of(wire: Mapping[str, Any] | None) -> Discount | None:
    """Return a stored discount ready to be applied."""
    return _discount(to_json(wire, sort_keys=True)) if wire else None


@lru_cache(maxsize=KEPT)
def _discount(text: bytes) -> Discount:
    return parse_discount(json.loads(text))
