"""Why a decision came out as it did: each condition with what it found, what it needs and what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from campaigns.names import names_of
from campaigns.rule_sentences import Names, condition_in_words, hint_of, ids_of
from promoengine.core.models import Project
from promoengine.engine.decide import Inapplicable, Outcome, Skipped
from promoengine.engine.findings import Finding
from promoengine.engine.operators import UNKNOWN


@dataclass(frozen=True, slots=True)
class Explainer:
    """Puts findings into words, in a project's currency and with the names of what they are about."""

    currency: str
    names: Names

    def trace(self, outcome: Outcome) -> dict[str, Any]:
        """Return all that was looked at for a redeemable, its reason, and which rival took its place."""
        wire: dict[str, Any] = {"conditions": []}
        if isinstance(outcome, Skipped):
            wire["reason"] = {"key": outcome.skip.key, "message": outcome.skip.message}
            if outcome.rival is not None:
                wire["rival"] = {"id": outcome.rival.id, "object": outcome.rival.object}
            return wire
        wire["conditions"] = [self._condition(finding) for finding in outcome.findings]
        if isinstance(outcome, Inapplicable):
            refusal = outcome.refusal
            wire["reason"] = {"key": refusal.key, "message": refusal.own_message or refusal.message}
        return wire

    def hints(self, outcome: Outcome) -> list[str]:
        """Return what it takes until a redeemable applies, as far as it can be said."""
        if not isinstance(outcome, Inapplicable):
            return []
        found = [hint_of(finding, self.currency, self.names) for finding in outcome.reasons]
        if outcome.refusal.key == "missing_customer":
            found.append(str(_("sign in")))
        return [hint for hint in dict.fromkeys(found) if hint]

    def sentence(self, finding: Finding) -> str:
        """Return the condition that was looked at in words."""
        return condition_in_words(finding.node, finding.measure, self.currency, self.names)

    def _condition(self, finding: Finding) -> dict[str, Any]:
        node = finding.node
        wire: dict[str, Any] = {
            "path": node.path,
            "name": node.name,
            "text": self.sentence(finding),
            "needed": {operator: list(values) for operator, values in node.tests},
            "actual": _plain(finding.actual),
            "met": None if finding.truth is UNKNOWN else finding.truth,
        }
        if node.property_name:
            wire["property"] = node.property_name
        if finding.truth is not True and finding.missing is not None:
            wire["missing"] = {
                finding.measure: _plain(finding.missing),
                "text": hint_of(finding, self.currency, self.names),
            }
        return wire


def explainer_for(project: Project, outcomes: Iterable[Outcome]) -> Explainer:
    """Return what explains these outcomes, with all names loaded, in at most four queries."""
    findings = [finding for outcome in outcomes for finding in _findings(outcome)]
    ids = {one for finding in findings for one in ids_of(finding.node)}
    return Explainer(project.currency, names_of(project, ids))


def _findings(outcome: Outcome) -> Sequence[Finding]:
    return () if isinstance(outcome, Skipped) else outcome.findings


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value
