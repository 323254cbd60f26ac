"""The form of a validation rule: conditions in rows, the products of the discount, and what is told."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns.admin.picker import PickField
from campaigns.admin.rule_conditions import FIELDS, PICKED, ConditionForm, id_in, shown_condition
from campaigns.catalogue_search import Named, named_things, object_of
from campaigns.models import ValidationRule
from promoengine.core.admin_conditions import JUNCTIONS
from promoengine.core.models import Project
from promoengine.engine.logic import Junction, Leaf, parse_logic
from promoengine.engine.rules import MESSAGE_MAX

ROWS = 12
# What an entry of `applicable_to` may say and still be no more than a product that was picked.
PLAIN_ENTRY = {"object", "id", "source_id", "product_id", "product_source_id", "strict", "effect"}


class RuleForm(forms.ModelForm):
    """Makes and changes a rule; what its fields can't show stays as it is."""

    junction = forms.ChoiceField(
        choices=[*JUNCTIONS.items()],
        required=False,
        label=_("Which of these must hold"),
        widget=UnfoldAdminSelectWidget(choices=[*JUNCTIONS.items()]),
    )
    included = PickField(
        required=False,
        url_name="admin:campaigns_rule_goods",
        search_label=_("Find products, SKUs and collections"),
        label=_("Only for these"),
        help_text=_("Nothing ticked means all products."),
    )
    excluded = PickField(
        required=False,
        url_name="admin:campaigns_rule_goods",
        search_label=_("Find products, SKUs and collections"),
        label=_("Never for these"),
    )
    message = forms.CharField(
        required=False,
        max_length=MESSAGE_MAX,
        label=_("Told to customers who may not use the offer"),
        help_text=_("As in: Only for orders over 100 EUR. A condition may have a message of its own."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = ValidationRule
        fields = ["name"]

    project: Project

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        self.stored_goods = stored_goods(rule)
        shown = shown_rules(rule.rules, self.project)
        self.has_conditions = shown is not None
        self.has_products = has_plain_products(rule.applicable_to)
        values = self._posted_rows() if self.is_bound else (shown[1] if shown else [])
        picked = [ref for name in ("included", "excluded") for ref in self._picked(name)]
        known = known_things(self.project, [*picked, *picked_in_rows(values)], self.stored_goods)
        self.conditions = [
            ConditionForm(
                self.project,
                row,
                values=values[row] if row < len(values) else {},
                known=known,
                stored=self.stored_goods,
                is_bound=self.is_bound,
            )
            for row in range(ROWS if self.is_bound else min(len(values) + 1, ROWS))
        ]
        for name in ("included", "excluded"):
            cast(PickField, self.fields[name]).show(known)
            self.initial[name] = self._picked(name)
        self.initial |= {
            "junction": shown[0] if shown else "and",
            "message": (rule.error or {}).get("message") or "",
        }
        self._drop_what_can_not_be_shown()

    def is_valid(self) -> bool:
        return super().is_valid() and all(row.is_valid() for row in self._used())

    @property
    def errors(self) -> Any:
        found = super().errors
        if self.has_conditions and any(row.errors for row in self._used()):
            found.setdefault(
                "__all__", self.error_class([str(_("Please mend the conditions that are marked."))])
            )
        return found

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the services take it; what could not be shown is not in it."""
        cleaned, rule = self.cleaned_data, self.instance
        error = {**(rule.error or {}), "message": cleaned["message"]} if cleaned["message"] else None
        data: dict[str, Any] = {"name": cleaned["name"], "error": error}
        if self.has_conditions:
            data["rules"] = joined([row.to_wire() for row in self._used()], cleaned.get("junction") or "and")
        if self.has_products:
            picked = {name: self._entries(name) for name in ("included", "excluded")}
            said = {name: rows for name, rows in picked.items() if rows or name in rule.applicable_to}
            data["applicable_to"] = {**rule.applicable_to, **said}
        return data

    @property
    def shown_conditions(self) -> list[ConditionForm]:
        """The rows that say something, and an empty one where there is none."""
        return self._used() or self.conditions[:1]

    @property
    def next_row(self) -> int | None:
        """The number of the next row that can be added."""
        last = self.shown_conditions[-1].row
        return last + 1 if last + 1 < ROWS else None

    def _used(self) -> list[ConditionForm]:
        return [row for row in self.conditions if row.is_used] if self.has_conditions else []

    def _posted_rows(self) -> list[dict[str, Any]]:
        return [posted_row(self.data, row) for row in range(ROWS)]

    def _picked(self, name: str) -> list[str]:
        if self.is_bound:
            return list(self.data.getlist(name))
        return [id_in(entry) for entry in self.instance.applicable_to.get(name) or []]

    def _entries(self, name: str) -> list[dict[str, Any]]:
        stored = {id_in(entry): entry for entry in self.instance.applicable_to.get(name) or []}
        return [stored.get(ref) or entry_of(ref) for ref in self.cleaned_data[name]]

    def _drop_what_can_not_be_shown(self) -> None:
        if not self.has_conditions:
            del self.fields["junction"]
        if not self.has_products:
            del self.fields["included"]
            del self.fields["excluded"]


def posted_row(data: MultiValueDict[str, Any], row: int) -> dict[str, Any]:
    """Return what a request says in row number `row`."""
    values: dict[str, Any] = {name: data.get(f"conditions-{row}-{name}") or "" for name in FIELDS}
    return values | {name: data.getlist(f"conditions-{row}-{name}") for name in PICKED.values()}


def picked_in_rows(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of the goods, segments and locations that rows name."""
    return [ref for values in rows for name in PICKED.values() for ref in values.get(name) or []]


def stored_goods(rule: ValidationRule) -> dict[str, Any]:
    """Return how a rule names each of its goods, so that those that stay keep their form."""
    conditions = (one.get("conditions") for number, one in rule.rules.items() if number != "logic")
    values = (value for one in conditions for given in (one or {}).values() for value in _as_list(given))
    entries = [entry for name in ("included", "excluded") for entry in rule.applicable_to.get(name) or []]
    named = {id_in(value): value for value in values if is_picked(value)}
    return {id_in(entry): {"id": id_in(entry)} for entry in entries} | named


def is_picked(value: Any) -> bool:
    """Return whether a value of a condition names a good, a segment or a location."""
    ref = id_in(value)
    return isinstance(value, dict) or bool(object_of(ref)) or ref.startswith(("seg_", "loc_"))


def known_things(project: Project, ids: Iterable[str], stored: Mapping[str, Any]) -> dict[str, Named]:
    """Return what may be picked: goods the project has, and what the rule names already, gone or not."""
    gone = {ref: Named(ref, object_of(ref) or "product", ref) for ref in stored}
    return gone | named_things(project, {*ids, *stored})


def shown_rules(rules: Mapping[str, Any], project: Project) -> tuple[str, list[dict[str, Any]]] | None:
    """Return how conditions are joined and the rows that show them, or None where that would lose some."""
    numbered = {key: one for key, one in rules.items() if key != "logic"}
    junction = _junction(rules.get("logic") or "", list(numbered))
    rows = [shown_condition(one, project.currency) for one in numbered.values()]
    if junction is None or len(rows) > ROWS:
        return None
    shown: list[dict[str, Any]] = []
    for stored, values in zip(numbered.values(), rows, strict=True):
        if values is None or _saved(values, stored, project) != _plain(stored):
            return None
        shown.append(values)
    return junction, shown


def has_plain_products(applicable_to: Mapping[str, Any]) -> bool:
    """Return whether the products of a discount are no more than a list."""
    entries = [entry for name in ("included", "excluded") for entry in applicable_to.get(name) or []]
    return not applicable_to.get("included_all") and all(
        {name for name, value in entry.items() if value is not None} <= PLAIN_ENTRY
        and entry.get("effect", "APPLY_TO_EVERY") == "APPLY_TO_EVERY"
        for entry in entries
    )


def joined(conditions: list[dict[str, Any]], junction: str) -> dict[str, Any]:
    """Return conditions numbered from 1, with their logic, as the wire has them."""
    if not conditions:
        return {}
    numbered: dict[str, Any] = {str(number): one for number, one in enumerate(conditions, 1)}
    return numbered | {"logic": f" {junction} ".join(numbered)}


def entry_of(ref: str) -> dict[str, Any]:
    """Return a good that a discount is for as the wire has it."""
    return {"object": object_of(ref) or "product", "id": ref, "effect": "APPLY_TO_EVERY"}


def _saved(values: Mapping[str, Any], stored: Mapping[str, Any], project: Project) -> dict[str, Any] | None:
    """Return what a row of these values would save."""
    operators = stored["conditions"].values()
    named = {id_in(value): value for given in operators for value in _as_list(given)}
    known = {ref: Named(ref, "product", ref) for ref in named}
    form = ConditionForm(project, 0, values=values, known=known, stored=named, is_bound=True)
    return _plain(form.to_wire()) if form.is_valid() else None


def _plain(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in condition.items() if value or name == "conditions"}


def _as_list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _junction(logic: str, keys: list[str]) -> str | None:
    """Return `and` or `or` where that joins all conditions, each once, and None where logic says more."""
    if not logic:
        return "and"
    tree = parse_logic(logic, set(keys))
    parts = tree.parts if isinstance(tree, Junction) else (tree,)
    named = [part.key for part in parts if isinstance(part, Leaf)]
    if len(named) != len(parts) or sorted(named) != sorted(keys):
        return None
    return "and" if not isinstance(tree, Junction) or tree.is_and else "or"
