"""What the page of the simulator shows: each offer with its reasons, and the order before and after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import PromotionStack, PromotionTier
from campaigns.sentences import money
from promoengine.engine.decide import Applicable, Inapplicable, Outcome, Skipped
from promoengine.engine.findings import MONEY, Finding
from promoengine.engine.operators import UNKNOWN
from promoengine.engine.order import Item
from promoengine.engine.order import Order as Amounts
from redemptions.facts import Gathered
from redemptions.orders import CheckoutOrder, Line, added_line
from redemptions.qualification_filters import Candidate
from redemptions.reasons import reason_in_words
from redemptions.services.qualify import Qualification, Qualified
from redemptions.services.validate import Validation
from redemptions.trace import Explainer, explainer_for
from vouchers.models import Voucher

VERDICTS = {
    Applicable: (gettext_lazy("Applied"), "success"),
    Inapplicable: (gettext_lazy("Does not apply"), "danger"),
    Skipped: (gettext_lazy("Left out"), "warning"),
}
WOULD_APPLY = (gettext_lazy("Would apply"), "info")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition in words, and what it found; `met` is None where nobody can know."""

    text: str
    actual: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What became of one code or promotion."""

    name: str
    verdict: Any
    tone: str
    saving: str = ""
    reason: str = ""
    hints: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of the order before and after, each amount as people write it."""

    name: str
    quantity: int
    before: str
    discounts: tuple[str, ...]
    after: str
    is_added: bool = False


@dataclass(frozen=True, slots=True)
class OrderTable:
    """The whole order; `off_whole` are the discounts that no line has."""

    lines: tuple[LineRow, ...]
    off_whole: tuple[str, ...]
    before: str
    discount: str
    total: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the storefront would be told."""

    is_valid: bool
    offers: tuple[OfferRow, ...]
    order: OrderTable | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something the cart could use: `field` and `values` are what the form takes it by, if it can."""

    name: str
    saving: str
    total: str
    field: str = ""
    values: tuple[str, ...] = ()


def answer_of(validation: Validation, line_names: Sequence[str]) -> Answer:
    """Return what a validation with a trace found; `line_names` are what the cart's lines are called."""
    decision, gathered = validation.decision, validation.gathered
    explainer = explainer_for(validation.project, decision.outcomes)
    names = {id(offer): name_of(offer.id, row) for offer, row in _offers(gathered)}
    offers = tuple(
        _offer_row(outcome, explainer, names, is_used=decision.is_valid) for outcome in decision.outcomes
    )
    used = decision.applicable if decision.is_valid else ()
    table = None
    if gathered.order is not None and decision.initial_order is not None:
        after = decision.order if decision.is_valid else decision.initial_order
        table = _table(
            gathered.order, decision.initial_order, after, used, names, line_names, explainer.currency
        )
    return Answer(decision.is_valid, offers, table)


def suggestions_of(qualification: Qualification, currency: str) -> list[Suggestion]:
    """Return what a qualification found."""
    return [_suggestion(one, currency) for one in qualification.found]


def name_of(asked: str, row: Candidate | None) -> str:
    """Return what marketers call a redeemable: a code by itself, all else by its name."""
    if row is None:
        return asked
    return row.code if isinstance(row, Voucher) else str(row.name)


def _offers(gathered: Gathered) -> Iterator[tuple[Any, Candidate | None]]:
    return zip(gathered.case.offers, gathered.redeemables, strict=True)


def _offer_row(
    outcome: Outcome, explainer: Explainer, names: Mapping[int, str], *, is_used: bool
) -> OfferRow:
    name = names[id(outcome.offer)]
    verdict, tone = VERDICTS[type(outcome)]
    if isinstance(outcome, Skipped):
        reason = reason_in_words(outcome.skip.key, outcome.skip.message)
        if outcome.rival is not None:
            rival = names.get(id(outcome.rival), outcome.rival.id)
            reason = _("%(reason)s %(rival)s was chosen instead.") % {"reason": reason, "rival": rival}
        return OfferRow(name, verdict, tone, reason=reason)
    conditions = tuple(_condition(finding, explainer) for finding in outcome.findings)
    if isinstance(outcome, Applicable):
        verdict, tone = (verdict, tone) if is_used else WOULD_APPLY
        saving = money(outcome.saving, explainer.currency) if outcome.before else ""
        return OfferRow(name, verdict, tone, saving, conditions=conditions)
    refusal = outcome.refusal
    reason = refusal.own_message or reason_in_words(refusal.key, refusal.message)
    return OfferRow(
        name, verdict, tone, reason=reason, hints=tuple(explainer.hints(outcome)), conditions=conditions
    )


def _condition(finding: Finding, explainer: Explainer) -> Condition:
    met = None if finding.truth is UNKNOWN else bool(finding.truth)
    actual = actual_in_words(finding.actual, finding.measure, explainer.currency)
    return Condition(explainer.sentence(finding), actual, met)


def actual_in_words(actual: Any, measure: str, currency: str) -> str:
    """Return what a condition found, as in `87.60 EUR`, `gold` or `nothing`."""
    if actual is None or actual in ("", [], ()):
        return _("nothing")
    if isinstance(actual, bool):
        return _("yes") if actual else _("no")
    if isinstance(actual, list | tuple | set | frozenset):
        return ", ".join(actual_in_words(one, measure, currency) for one in actual)
    if measure == MONEY and isinstance(actual, int | float | Decimal):
        return money(int(actual), currency)
    return str(actual)


def _table(
    order: CheckoutOrder,
    before: Amounts,
    after: Amounts | None,
    used: Sequence[Applicable],
    names: Mapping[int, str],
    line_names: Sequence[str],
    currency: str,
) -> OrderTable | None:
    if after is None:
        return None
    lines = tuple(
        LineRow(
            _line_name(index, item, line_names),
            item.quantity,
            money(before.items[index].amount if index < len(before.items) else 0, currency),
            tuple(_off_line(index, used, names, currency)),
            money(item.subtotal, currency),
            is_added=index >= len(order.lines),
        )
        for index, item in enumerate(after.items)
    )
    return OrderTable(
        lines,
        tuple(_off_whole(used, names, currency)),
        money(before.total, currency),
        money(before.total - after.total, currency),
        money(after.total, currency),
    )


def _off_line(
    index: int, used: Sequence[Applicable], names: Mapping[int, str], currency: str
) -> Iterator[str]:
    for outcome in used:
        was, now = _discount_of(outcome.before, index), _discount_of(outcome.after, index)
        if now > was:
            yield f"−{money(now - was, currency)} {names[id(outcome.offer)]}"  # noqa: RUF001 - a minus sign


def _discount_of(order: Amounts | None, index: int) -> int:
    return order.items[index].discount if order is not None and index < len(order.items) else 0


def _off_whole(used: Sequence[Applicable], names: Mapping[int, str], currency: str) -> Iterator[str]:
    for outcome in used:
        if outcome.before is None or outcome.after is None:
            continue
        off = outcome.after.discount - outcome.before.discount
        if off > 0:
            yield f"−{money(off, currency)} {names[id(outcome.offer)]}"  # noqa: RUF001 - a minus sign


def _line_name(index: int, item: Item, line_names: Sequence[str]) -> str:
    if index < len(line_names):
        return line_names[index]
    line: Line = added_line(item)
    good = line.get("product") or line.get("sku") or {}
    return str(good.get("name") or line.get("source_id") or "")


def _suggestion(one: Qualified, currency: str) -> Suggestion:
    last = one.outcomes[-1].after
    saving, total = money(one.saving, currency), money(last.total, currency) if last else ""
    name = name_of("", one.row)
    if isinstance(one.row, Voucher):
        return Suggestion(name, saving, total, "codes", (one.row.code,))
    if isinstance(one.row, PromotionTier):
        return Suggestion(name, saving, total, "promotions", (one.row.public_id,))
    if isinstance(one.row, PromotionStack):
        return Suggestion(name, saving, total, "promotions", tuple(tier.public_id for tier in one.tiers))
    return Suggestion(_("A code of %(campaign)s") % {"campaign": name}, saving, total)
