"""Validation rules: read from the wire once, then judged over one redeemable in one situation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promoengine.engine import conditions, item_conditions
from promoengine.engine.bundles import Bundle, InvalidBundle, parse_bundle_rules
from promoengine.engine.checks import Truth
from promoengine.engine.facts import Situation
from promoengine.engine.findings import KINDS, Finding, Node, asks_money
from promoengine.engine.items import NO_REFS, InvalidItems, parse_item_refs
from promoengine.engine.limits import CounterKind
from promoengine.engine.logic import InvalidLogic, Logic, all_of, parse_logic
from promoengine.engine.operators import UNKNOWN, Condition, InvalidCondition, parse_condition
from promoengine.engine.scopes import EVERYTHING, InvalidScope, Scope, parse_scope

# Importing them is what makes their conditions known.
CONDITION_MODULES = (conditions, item_conditions)
RULES_MAX, DEPTH_MAX, MESSAGE_MAX = 200, 4, 1000
NO_CONDITION = Condition(())


class InvalidRule(ValueError):
    """A rule that can't be meant; the text names the place and says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a rule: whether it is met, what was looked at, and which conditions failed it.

    `message` is what the first of those says by itself, or the rule for all of them.
    """

    truth: Truth
    findings: tuple[Finding, ...] = ()
    reasons: tuple[Finding, ...] = ()
    message: str | None = None

    @property
    def is_met(self) -> bool:
        """Whether the redeemable may be used; what is unknown is not met."""
        return self.truth is True


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule read from the wire; `counters` are all that its conditions need counted."""

    id: str = ""
    logic: Logic | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    message: str | None = None
    scope: Scope = EVERYTHING
    bundle: Bundle | None = None
    counters: tuple[CounterKind, ...] = ()

    @property
    def asks_segments(self) -> bool:
        """Whether it matters which segments the customer is in."""
        return any(node.name == conditions.SEGMENT for node in self.nodes.values())

    def judge(self, situation: Situation) -> Verdict:
        """Return what becomes of the rule; all conditions are looked at where the facts say so."""
        if self.logic is None:
            return Verdict(True)
        ignored = situation.facts.ignored
        truths: dict[str, Truth] = {}
        found: dict[str, list[Finding]] = {}

        def truth_of(key: str, wanted: bool) -> Truth:
            node = self.nodes[key]
            if ignored is not None and ignored(node.name):
                return wanted
            if key not in truths and situation.currency and asks_money(node):
                found[key] = [Finding(node, UNKNOWN)]
                truths[key] = node.settled(UNKNOWN)
            elif key not in truths:
                truth = KINDS[node.name].judge(node, situation, found.setdefault(key, []))
                truths[key] = node.settled(truth)
            return truths[key]

        if situation.facts.is_traced:
            for key in self.nodes:
                truth_of(key, True)
        truth = self.logic.judge(truth_of)
        findings = tuple(finding for of_node in found.values() for finding in of_node)
        if truth is True:
            return Verdict(True, findings)
        failed = dict(self.logic.blamed(truth_of))
        reasons = [one for key, wanted in failed.items() for one in _against(found.get(key, []), wanted)]
        own = next((message for key in failed if (message := self._words(key, reasons))), None)
        return Verdict(truth, findings, tuple(reasons), own or self.message)

    def _words(self, key: str, reasons: Sequence[Finding]) -> str | None:
        """Return what a condition that failed says, or the one nested in it that made it fail."""
        node = self.nodes[key]
        nested = (part.message for part in node.parts.values() if any(one.node is part for one in reasons))
        return next(filter(None, nested), node.message)


def parse_rule(wire: Mapping[str, Any], id: str = "") -> Rule:
    """Read `rules`, `error`, `applicable_to` and `bundle_rules` of a validation rule; `id` is its public id.

    Raises:
        InvalidRule: something can't be meant; the text names the place.
    """
    nodes, logic = _nodes(wire.get("rules"), "rules", "", depth=0)
    try:
        scope = parse_scope(wire.get("applicable_to") or {})
        bundle = parse_bundle_rules(wire.get("bundle_rules") or {})
    except InvalidScope as error:
        raise InvalidRule(f"applicable_to{error}") from error
    except InvalidBundle as error:
        raise InvalidRule(f"bundle_rules{error}") from error
    counters = [kind for node in nodes.values() if (kind := KINDS[node.name].counter) is not None]
    return Rule(id, logic, nodes, _message(wire, ""), scope, bundle, tuple(dict.fromkeys(counters)))


def published_name(name: str) -> str:
    """Return a condition's name as it is published today; older clients write `customer_segment`."""
    if name in KINDS:
        return name
    dotted = name.replace("_", ".")
    return next((known for known in KINDS if known.replace("_", ".") == dotted), name)


def _against(findings: list[Finding], wanted: bool) -> list[Finding]:
    """Return what of a condition's findings keeps it from being what is wanted."""
    return [finding for finding in findings if finding.truth is not wanted] or findings


def _nodes(rules: Any, where: str, prefix: str, *, depth: int) -> tuple[dict[str, Node], Logic | None]:
    if not rules:
        return {}, None
    if not isinstance(rules, Mapping) or depth > DEPTH_MAX:
        raise InvalidRule(f"{where} should be an object of numbered rules, up to {DEPTH_MAX} deep")
    numbered = {str(key): rule for key, rule in rules.items() if key != "logic"}
    if len(numbered) > RULES_MAX:
        raise InvalidRule(f"{where} may have up to {RULES_MAX} rules")
    nodes = {
        key: _node(rule, f"{where}.{key}", f"{prefix}{key}", depth=depth) for key, rule in numbered.items()
    }
    text = rules.get("logic") or ""
    if not isinstance(text, str):
        raise InvalidRule(f"{where}.logic should be string")
    if not text.strip():
        return nodes, all_of(list(nodes)) if nodes else None
    try:
        return nodes, parse_logic(text, set(nodes))
    except InvalidLogic as error:
        raise InvalidRule(f"{where}.logic{error}") from error


def _node(wire: Any, where: str, path: str, *, depth: int) -> Node:
    if not isinstance(wire, Mapping):
        raise InvalidRule(f"{where} should be object")
    given = wire.get("name")
    if not isinstance(given, str) or (name := published_name(given)) not in KINDS:
        raise InvalidRule(f"{where}.name {given!r:.60} is not a known rule")
    kind = KINDS[name]
    name_of_property = wire.get("property")
    if kind.needs_property and not (isinstance(name_of_property, str) and name_of_property):
        raise InvalidRule(f"Rule '{name}' must have a 'property'")
    conditions = wire.get("conditions") or {}
    if not isinstance(conditions, Mapping):
        raise InvalidRule(f"{where}.conditions should be object")
    parts, logic = _nodes(wire.get("rules"), f"{where}.rules", f"{path}.", depth=depth + 1)
    if parts and not kind.has_parts:
        raise InvalidRule(f"{where}.rules: '{name}' can't have nested rules")
    for part in parts.values():
        if part.name not in item_conditions.PARTS:
            raise InvalidRule(f"{where}.rules: '{part.name}' can't be nested in '{name}'")
    try:
        return Node(
            path,
            name,
            name_of_property if isinstance(name_of_property, str) else None,
            condition=NO_CONDITION if kind.names_items else parse_condition(conditions),
            refs=parse_item_refs(conditions) if kind.names_items else NO_REFS,
            message=_message(wire, f"{where}."),
            unknown_holds=wire.get("unknown") is True,
            logic=logic,
            parts=parts,
        )
    except (InvalidCondition, InvalidItems) as error:
        raise InvalidRule(f"{where}.conditions{error}") from error


def _message(wire: Mapping[str, Any], where: str) -> str | None:
    error = wire.get("error")
    message = error.get("message") if isinstance(error, Mapping) else None
    if message is None or message == "":
        return None
    if not isinstance(message, str) or len(message) > MESSAGE_MAX:
        raise InvalidRule(f"{where}error.message should be a string of up to {MESSAGE_MAX} characters")
    return message
