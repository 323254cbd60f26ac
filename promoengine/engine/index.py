"""Which of many offers a cart could qualify for at all: found by what they require, before any is judged."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from promoengine.engine.conditions import SEGMENT
from promoengine.engine.facts import Customer
from promoengine.engine.findings import Node
from promoengine.engine.items import ALL_PRODUCTS, POSITIVE
from promoengine.engine.logic import Junction, Leaf, Logic
from promoengine.engine.offers import Offer
from promoengine.engine.order import Order
from promoengine.engine.rules import Rule
from promoengine.engine.values import number_of, scalar_of

NAMING_ITEMS = ("order.items.any", "order.items.every", "product.id", "sku.id")
AMOUNT = "order.amount"
AT_LEAST = (
    "$more_than",
    "$more_than_or_equal",
    "$more_than_equal",
    "$greater_than",
    "$greater_than_or_equal",
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an offer needs to be worth judging: one of these items, one of these segments, this amount."""

    items: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    amount: Decimal | None = None


def requirement_of(rules: Iterable[Rule]) -> Requirement:
    """Return what all of the rules together require, as far as it can be told from their conjuncts."""
    items: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    amount: Decimal | None = None
    for node in (node for rule in rules for node in _conjuncts(rule)):
        if node.name in NAMING_ITEMS and not items:
            items = node.refs.wanted if ALL_PRODUCTS not in node.refs.wanted else frozenset()
        elif node.name == SEGMENT and not segments:
            segments = _named_segments(node)
        elif node.name == AMOUNT:
            least = _least_amount(node)
            amount = least if amount is None else max(amount, least or amount)
    return Requirement(items, segments, amount)


class OfferIndex:
    """Offers by what they require; the position of each in `offers` is its rank."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        self.offers = tuple(offers)
        self._by_item: dict[str, list[int]] = defaultdict(list)
        self._by_segment: dict[str, list[int]] = defaultdict(list)
        self._open: list[int] = []
        priced: list[tuple[Decimal, int]] = []
        for rank, offer in enumerate(self.offers):
            needed = requirement_of(offer.rules)
            if needed.items:
                for item in needed.items:
                    self._by_item[item].append(rank)
            elif needed.segments:
                for segment in needed.segments:
                    self._by_segment[segment].append(rank)
            elif needed.amount is not None:
                priced.append((needed.amount, rank))
            else:
                self._open.append(rank)
        priced.sort()
        self._amounts = [amount for amount, _ in priced]
        self._priced = [rank for _, rank in priced]

    def candidates(
        self,
        order: Order | None,
        customer: Customer | None,
        ignored: Callable[[str], bool] = lambda name: False,
    ) -> Iterator[Offer]:
        """Yield the offers that the cart and the customer could qualify for, in the order of their ranks.

        Conditions named in `ignored` are not looked at, as in `Facts`.
        """
        ranks = set(self._open)
        if any(ignored(name) for name in NAMING_ITEMS):
            ranks.update(*self._by_item.values())
        if ignored(SEGMENT):
            ranks.update(*self._by_segment.values())
        if ignored(AMOUNT):
            ranks.update(self._priced)
        for item in order.items if order else ():
            for key in (*item.product_ids, *item.sku_ids, *item.collections):
                ranks.update(self._by_item.get(key, ()))
        for segment in customer.segments if customer else ():
            ranks.update(self._by_segment.get(segment, ()))
        if order is not None and order.currency:
            # What is asked is an amount in another currency: judging says so.
            ranks.update(self._priced)
        elif order is not None:
            ranks.update(self._priced[: bisect_right(self._amounts, order.total)])
        return (self.offers[rank] for rank in sorted(ranks))


def _conjuncts(rule: Rule) -> Iterator[Node]:
    """Yield the conditions without which the rule can't be met."""
    if rule.logic is not None:
        for key in _needed(rule.logic):
            if not rule.nodes[key].unknown_holds:
                yield rule.nodes[key]


def _needed(logic: Logic) -> Iterator[str]:
    if isinstance(logic, Leaf):
        yield logic.key
    elif isinstance(logic, Junction) and logic.is_and:
        for part in logic.parts:
            yield from _needed(part)


def _named_segments(node: Node) -> frozenset[str]:
    for test in node.condition.tests:
        named = [scalar_of(value) for value in test.values]
        texts = frozenset(one for one in named if isinstance(one, str))
        # Numbers and dates can be written in several ways: they are compared, not looked up.
        if test.operator in POSITIVE and len(texts) == len(set(named)):
            return texts
    return frozenset()


def _least_amount(node: Node) -> Decimal | None:
    bounds = [
        number
        for test in node.condition.tests
        if test.operator in AT_LEAST and (number := number_of(test.values[0])) is not None
    ]
    return max(bounds, default=None)
