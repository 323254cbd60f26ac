"""Rows to what a refund is worked out from: an order as it was sold, and what has come back of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.models import Project
from promoengine.engine.allocation import attribute, fitted, worths
from promoengine.engine.refunds import PaidBack, Sold
from redemptions.models import Order, Redemption, RefundedUnits
from redemptions.orders import NO_GOODS, CheckoutOrder, Line
from redemptions.refund_requests import AskedUnits, RefundRequest


class RefundQuantityExceeded(DomainError):
    """More units are to come back than the customer still has."""

    key = "refund_quantity_exceeded"
    message = "Refund quantity exceeded"


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """An order with its places, lines first, as they were sold, and the redemptions used on it.

    What a use took off each place stands in `Sold.parts` under the use's number; the last part is nobody's.
    `gifts` has what gift cards paid, by the numbers of their uses.
    """

    order: Order
    uses: tuple[Redemption, ...]
    places: tuple[Sold, ...]
    gifts: Mapping[int, int]
    paid_back: PaidBack

    @property
    def lines(self) -> list[Line]:
        return self.order.items

    @property
    def off_lines(self) -> int:
        """The number of the place of what is on no line."""
        return len(self.places) - 1


def sold_order(project: Project, order: Order) -> SoldOrder:
    """Return an order as it was sold and what has come back of it, in two queries."""
    uses = tuple(
        Redemption.objects.filter(
            project=project,
            order_id=order.pk,
            kind=Redemption.Kind.REDEMPTION,
            result=Redemption.Result.SUCCESS,
        )
        .exclude(related_object_type=Redemption.RelatedObject.REDEMPTION)
        .select_related("voucher", "promotion_tier")
        .order_by("pk")
    )
    gifts = {
        number: use.amount
        for number, use in enumerate(uses)
        if use.amount is not None and use.status == Redemption.Status.SUCCEEDED
    }
    back = list(RefundedUnits.objects.filter(order=order))
    paid_back = PaidBack(
        sum(units.refund_amount for units in back),
        {number: uses[number].refunded_credits or 0 for number in gifts},
    )
    return SoldOrder(order, uses, tuple(_places(order, uses, back)), gifts, paid_back)


def asked_units(sold: SoldOrder, asked: RefundRequest) -> dict[int, int]:
    """Return how many units of which place come back: those asked for, or all that is left.

    Raises:
        InvalidPayload: what is asked for is no line of the order, or could be several, or stands there twice.
        RefundQuantityExceeded: so many units are not left.
    """
    if asked.items is None:
        counts = {number: place.left for number, place in enumerate(sold.places) if place.left}
        if not counts:
            raise RefundQuantityExceeded("All of the order has been refunded")
        return counts
    counts = {}
    for row, units in enumerate(asked.items):
        line = _line_of(sold.lines, units, f".items[{row}]")
        if line in counts:
            raise InvalidPayload(f"Property .items[{row}] names item {line} of the order once more")
        left = sold.places[line].left
        if units.quantity > left:
            raise RefundQuantityExceeded(f"Item {line} of the order has {left} left to refund")
        counts[line] = units.quantity
    return counts


def _places(order: Order, uses: Sequence[Redemption], back: Sequence[RefundedUnits]) -> list[Sold]:
    whole = CheckoutOrder.of(order)
    amounts = whole.to_engine(NO_GOODS)
    costs = worths(amounts)
    shares = fitted(whole.shared(amounts), costs, amounts.total_discount)
    parts = attribute(shares, [_said(use) for use in uses], [use.discount_amount for use in uses])
    quantities = [*(line["quantity"] for line in order.items), 1 if costs[-1] else 0]
    returned: dict[int, int] = {}
    for units in back:
        place = units.line if units.line != RefundedUnits.OFF_LINES else len(order.items)
        returned[place] = returned.get(place, 0) + units.quantity
    return [
        Sold(cost, quantity, of_uses, min(quantity, returned.get(number, 0)))
        for number, (cost, quantity, of_uses) in enumerate(
            zip(costs, quantities, zip(*parts, strict=True), strict=True)
        )
    ]


def _said(use: Redemption) -> Sequence[int] | None:
    """Return what a redemption was said to take off each place, nothing where it took nothing."""
    return use.allocation if use.discount_amount else ()


def _line_of(lines: Sequence[Line], units: AskedUnits, where: str) -> int:
    if units.index is not None:
        if units.index >= len(lines) or not _is_named(lines[units.index], units.names):
            raise InvalidPayload(f"Property {where} is no item of the order")
        return units.index
    found = [number for number, line in enumerate(lines) if _is_named(line, units.names)]
    if not found:
        raise InvalidPayload(f"Property {where} is no item of the order")
    if len(found) > 1:
        numbers = ", ".join(str(number) for number in found)
        raise InvalidPayload(
            f"Property {where} could be each of the items {numbers}; say 'order_item_index' as well"
        )
    return found[0]


def _is_named(line: Line, names: Mapping[str, str]) -> bool:
    """Return whether a line has these ids, on itself or on its product or SKU."""
    return all(name in _ids(line)[kind] for kind, name in names.items())


def _ids(line: Line) -> dict[str, set[Any]]:
    product, sku = line.get("product") or {}, line.get("sku") or {}
    return {
        "id": {line.get("id")},
        "source_id": {line.get("source_id"), product.get("source_id"), sku.get("source_id")},
        "product_id": {line.get("product_id"), product.get("id")},
        "sku_id": {line.get("sku_id"), sku.get("id")},
    }
