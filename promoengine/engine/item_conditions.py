"""The named conditions on the lines of an order: registered by their published name.

Conditions nested in one of them are about the lines it has matched.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from promoengine.engine.checks import Truth, negation
from promoengine.engine.facts import Situation
from promoengine.engine.findings import (
    MONEY,
    QUANTITY,
    Finding,
    Judge,
    Kind,
    Node,
    any_of,
    each_of,
    judge_value,
    lookup,
    register,
)
from promoengine.engine.items import ItemRefs
from promoengine.engine.operators import UNKNOWN
from promoengine.engine.order import Item

Lines = Sequence[Item]


def _matched(node: Node, lines: Lines) -> list[Item]:
    return [item for item in lines if node.refs.matches(item)]


def _note_lines(node: Node, truth: Truth, found: int, missing: int | None, findings: list[Finding]) -> Truth:
    gap = None if truth is True or missing is None else Decimal(missing)
    findings.append(Finding(node, truth, found, gap, QUANTITY))
    return truth


def _any_line(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
    if situation.before is None:
        return _note_lines(node, UNKNOWN, 0, None, findings)
    lines = _matched(node, situation.before.items)
    _note_lines(node, bool(lines), len(lines), 1, findings)
    return bool(lines) and judge_parts(node, lines, any_of, situation, findings)


def _every_line(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
    if situation.before is None:
        return _note_lines(node, UNKNOWN, 0, None, findings)
    lines = situation.before.items
    found = _matched(node, lines)
    holds = bool(lines) and len(found) == len(lines)
    _note_lines(node, holds, len(found), None, findings)
    return holds and judge_parts(node, found, each_of, situation, findings)


def _no_line(of: Callable[[ItemRefs, Item], bool]) -> Judge:
    def judge(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
        if situation.before is None:
            return _note_lines(node, UNKNOWN, 0, None, findings)
        lines = [item for item in situation.before.items if of(node.refs, item)]
        inner = bool(lines) and judge_parts(node, lines, any_of, situation, [])
        return _note_lines(node, negation(inner), len(lines), None, findings)

    return judge


def _extreme_line(pick: Callable[[Iterable[int]], int]) -> Judge:
    def judge(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
        if situation.before is None:
            return _note_lines(node, UNKNOWN, 0, None, findings)
        pool = [item for item in situation.before.items if node.refs.comes_from(item)]
        best = pick(item.unit_price for item in pool) if pool else None
        extreme = [item for item in pool if item.unit_price == best]
        lines = [item for item in extreme if node.refs.matches(item)]
        holds = bool(extreme) and len(lines) == len(extreme)
        _note_lines(node, holds, len(lines), None, findings)
        return holds and judge_parts(node, lines, each_of, situation, findings)

    return judge


_none_matches, _none_is_forbidden = _no_line(ItemRefs.matches), _no_line(ItemRefs.forbids)


def _named_item(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
    """Judge `product.id`: without `$is`, that no line is what `$is_not` names."""
    return (_none_is_forbidden if node.refs.is_negative else _any_line)(node, situation, findings)


for _name, _judge in (
    ("order.items.any", _any_line),
    ("order.items.every", _every_line),
    ("order.items.none", _none_matches),
    ("order.items.cheapest", _extreme_line(min)),
    ("order.items.most_expensive", _extreme_line(max)),
    ("product.id", _named_item),
    ("sku.id", _named_item),
):
    register(_name, Kind(_judge, names_items=True, has_parts=True))


LINE_PARTS: dict[str, tuple[Callable[[Node, Item], Any], str]] = {}
SUM_PARTS: dict[str, tuple[Callable[[Lines], int], str]] = {}
# It marks the lines that a discount is meant for and asks nothing; the rule's scope says the same.
MARKERS = (
    "product.discount_applicable",
    "sku.discount_applicable",
    "product.metadata.discount_applicable",
    "product.metadata.match_all",
)


def judge_parts(
    node: Node,
    lines: Lines,
    quantify: Callable[[Iterable[Truth]], Truth],
    situation: Situation,
    findings: list[Finding],
) -> Truth:
    """Return whether the nested conditions hold for the lines that the node has matched."""
    if node.logic is None:
        return True

    def truth_of(key: str, wanted: bool) -> Truth:
        part = node.parts[key]
        if part.name in MARKERS:
            return True
        if part.name in SUM_PARTS:
            add_up, measure = SUM_PARTS[part.name]
            return part.settled(judge_value(part, add_up(lines), situation, findings, measure))
        read, measure = LINE_PARTS[part.name]
        return part.settled(judge_lines(part, lines, read, quantify, situation, findings, measure))

    return node.logic.judge(truth_of)


def of_lines(
    name: str,
    read: Callable[[Node, Item], Any],
    quantify: Callable[[Iterable[Truth]], Truth],
    *,
    needs_property: bool = False,
    measure: str = "",
) -> None:
    """Register a condition on one value of each line of the order."""

    def judge(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
        items = situation.before.items if situation.before else ()
        return judge_lines(node, items, read, quantify, situation, findings, measure)

    is_money = measure == MONEY
    register(name, Kind(judge, needs_property=needs_property, has_parts=True, is_money=is_money))


def judge_lines(
    node: Node,
    items: Lines,
    read: Callable[[Node, Item], Any],
    quantify: Callable[[Iterable[Truth]], Truth],
    situation: Situation,
    findings: list[Finding],
    measure: str,
) -> Truth:
    """Return whether the node's operators hold for any or for each of the lines, and note what was found.

    What is nested in it is judged over those lines that fulfil its operators.
    """
    values = [read(node, item) for item in items]
    moment = situation.facts.moment
    truth = quantify(node.condition.holds(value, moment) for value in values) if values else UNKNOWN
    is_short = measure and truth is not True
    gaps = [gap for value in values if (gap := node.condition.gap(value)) is not None] if is_short else []
    missing = min(gaps, key=abs, default=None)
    actual = values[0] if len(values) == 1 else values
    findings.append(Finding(node, truth, actual, missing, measure))
    if truth is not True or node.logic is None:
        return truth
    matched = [
        item for item, value in zip(items, values, strict=True) if node.condition.holds(value, moment) is True
    ]
    return judge_parts(node, matched, quantify, situation, findings)


def of_all_lines(name: str, read: Callable[[Lines], int], measure: str) -> None:
    """Register a condition on what lines add up to."""

    def judge(node: Node, situation: Situation, findings: list[Finding]) -> Truth:
        lines = situation.before.items if situation.before else None
        return judge_value(node, None if lines is None else read(lines), situation, findings, measure)

    register(name, Kind(judge, is_money=measure == MONEY))


def quantity_of(lines: Lines) -> int:
    return sum(item.quantity for item in lines)


def amount_of(lines: Lines) -> int:
    return sum(item.amount for item in lines)


def price_of(node: Node, item: Item) -> int:
    return item.unit_price


def line_quantity(node: Node, item: Item) -> int:
    return item.quantity


def line_metadata(node: Node, item: Item) -> Any:
    return lookup(item.metadata, node.property_name)


def product_metadata(node: Node, item: Item) -> Any:
    return lookup(item.product_metadata, node.property_name)


LINE_PARTS |= {
    "order.items.price": (price_of, MONEY),
    "order.items.quantity": (line_quantity, QUANTITY),
    "order.items.metadata": (line_metadata, ""),
    "product.price": (price_of, MONEY),
    "product.quantity": (line_quantity, QUANTITY),
    "product.metadata": (product_metadata, ""),
    "sku.price": (price_of, MONEY),
    "sku.quantity": (line_quantity, QUANTITY),
}
SUM_PARTS |= {
    "order.items.aggregated_quantity": (quantity_of, QUANTITY),
    "order.items.aggregated_amount": (amount_of, MONEY),
    "product.metadata.aggregated_quantity": (quantity_of, QUANTITY),
    "product.metadata.aggregated_amount": (amount_of, MONEY),
}
for _name, (_read, _measure) in LINE_PARTS.items():
    of_lines(_name, _read, any_of, needs_property=_name.endswith(".metadata"), measure=_measure)
for _name, (_add_up, _measure) in SUM_PARTS.items():
    of_all_lines(_name, _add_up, _measure)
of_lines("order.items.price_any", price_of, any_of, measure=MONEY)
of_lines("order.items.price_each", price_of, each_of, measure=MONEY)
of_lines("order.items.metadata_any", line_metadata, any_of, needs_property=True)
of_lines("order.items.metadata_each", line_metadata, each_of, needs_property=True)
for _name in MARKERS:
    register(_name, Kind(lambda node, situation, findings: True))
PARTS = frozenset({*LINE_PARTS, *SUM_PARTS, *MARKERS})
