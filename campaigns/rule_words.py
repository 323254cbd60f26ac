"""Whole validation rules in plain words: what must hold, and what the discount is for."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from campaigns.catalogue_search import named_things
from campaigns.models import ValidationRule
from campaigns.rule_facts import compiled_rule
from campaigns.rule_sentences import Names, condition_in_words, ids_of
from campaigns.rule_subjects import measure_of
from promoengine.core.models import Project
from promoengine.engine.findings import Node
from promoengine.engine.logic import Leaf, Logic, Negation
from promoengine.engine.rules import Rule
from promoengine.engine.scopes import Entry


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, and what belongs under it."""

    text: str
    parts: "tuple[Said, ...]" = ()

    def __str__(self) -> str:
        if not self.parts:
            return self.text
        return f"{self.text} {'; '.join(str(part) for part in self.parts)}"


def rules_in_words(project: Project, rows: Collection[ValidationRule]) -> dict[ValidationRule, list[Said]]:
    """Return what each of several rules says, with the names of what they name, in at most three queries."""
    rules = {row: compiled_rule(row) for row in rows}
    ids = {one for rule in rules.values() for one in ids_in(rule)}
    names = {one.id: one.name for one in named_things(project, ids).values()}
    return {row: rule_in_words(rule, project.currency, names) for row, rule in rules.items()}


def rule_in_words(rule: Rule, currency: str, names: Names) -> list[Said]:
    """Return what a rule says: its conditions, and where they are limited, the discount's products."""
    found = [_logic(rule.logic, rule.nodes, currency, names)] if rule.logic else []
    scope = rule.scope
    if scope.included:
        products = _listed(scope.included, names)
        text = _("The discount is for %(products)s.")
        if scope.included_all:
            text = _("The discount is for all products, with limits of their own for %(products)s.")
        found.append(Said(text % {"products": products}))
    if scope.excluded:
        found.append(Said(_("It is never for %(products)s.") % {"products": _listed(scope.excluded, names)}))
    if rule.bundle is not None:
        found.append(Said(_("It asks for a bundle of products.")))
    return found or [Said(_("Everybody may use it."))]


def ids_in(rule: Rule) -> set[str]:
    """Return the ids whose names it takes to say the rule."""
    entries = (*rule.scope.included, *rule.scope.excluded)
    return {one for node in _nodes(rule.nodes) for one in ids_of(node)} | {
        one for entry in entries for one in entry.ids
    }


def _nodes(nodes: Mapping[str, Node]) -> Iterator[Node]:
    for node in nodes.values():
        yield node
        yield from _nodes(node.parts)


def _logic(logic: Logic, nodes: Mapping[str, Node], currency: str, names: Names) -> Said:
    if isinstance(logic, Leaf):
        return _node(nodes[logic.key], currency, names)
    if isinstance(logic, Negation):
        return Said(_("This must not hold:"), (_logic(logic.part, nodes, currency, names),))
    if len(logic.parts) == 1:
        return _logic(logic.parts[0], nodes, currency, names)
    heading = _("All of these must hold:") if logic.is_and else _("One of these must hold:")
    return Said(heading, tuple(_logic(part, nodes, currency, names) for part in logic.parts))


def _node(node: Node, currency: str, names: Names) -> Said:
    text = condition_in_words(node, measure_of(node.name), currency, names)
    if node.logic is None:
        return Said(text)
    inner = _logic(node.logic, node.parts, currency, names)
    return Said(_("%(condition)s, and of these:") % {"condition": text}, (inner,))


def _listed(entries: Iterable[Entry], names: Names) -> str:
    return ", ".join(_entry(entry, names) for entry in entries)


def _entry(entry: Entry, names: Names) -> str:
    name = next((names[one] for one in entry.ids if one in names), None)
    return name or _any_of(entry.wire, sorted(entry.ids))


def _any_of(wire: Mapping[str, Any], ids: list[str]) -> str:
    return str(wire.get("source_id") or ids[0])
