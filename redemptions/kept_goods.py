"""The goods of an order that a customer keeps when others come back, as a basket of their own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from promoengine.engine.allocation import share_of_units
from promoengine.engine.order import Order as Amounts
from promoengine.engine.refunds import Shares
from redemptions.orders import Line, added_line, goods_of
from redemptions.refunds import SoldOrder
from redemptions.requests import AskedOrder


@dataclass(frozen=True, slots=True)
class KeptGoods:
    """What stays: `bought` units by line, `free` ones, which a discount had added, and the rest's worth.

    `shares` is what they cost and what discounts and gift credits have of it; amounts are minor units.
    """

    sold: SoldOrder
    bought: Mapping[int, int]
    free: Mapping[int, int]
    rest: int
    shares: Shares
    is_all_back: bool

    @classmethod
    def after(cls, sold: SoldOrder, counts: Mapping[int, int]) -> "KeptGoods":
        """Return what stays after so many units have come back, too: bought ones before free ones."""
        bought, free, rest, shares, is_all_back = {}, {}, 0, Shares(), True
        for number, place in enumerate(sold.places):
            left = place.left - counts.get(number, 0)
            if not left:
                continue
            is_all_back = False
            shares += place.shares(first=place.quantity - left, count=left, gifts=sold.gifts)
            if number == sold.off_lines:
                rest = place.worth
            else:
                initial = sold.lines[number].get("initial_quantity", place.quantity)
                bought[number] = max(0, initial - (place.quantity - left))
                free[number] = left - bought[number]
        return cls(sold, bought, free, rest, shares, is_all_back)

    @property
    def basket(self) -> AskedOrder:
        """The bought units as an order that is sent anew, with what is on no line as long as it stays."""
        lines = [self._line(number, count) for number, count in self.bought.items() if count]
        amount = sum(line["amount"] for line in lines) + self.rest
        order = self.sold.order
        return AskedOrder(
            amount=amount, items=tuple(lines), metadata=order.metadata, currency=order.currency or None
        )

    def unearned_worth(self, after: Amounts) -> int:
        """Return what those free units cost that discounts no longer add; `after` is the basket with them."""
        sent = [number for number, count in self.bought.items() if count]
        given: Counter[object] = Counter()
        for number, item in zip(sent, after.items, strict=False):
            given[goods_of(self.sold.lines[number])] += item.quantity - self.bought[number]
        for item in after.items[len(sent) :]:
            given[goods_of(added_line(item))] += item.quantity
        worth = 0
        for number, count in self.free.items():
            goods, place = goods_of(self.sold.lines[number]), self.sold.places[number]
            missing = max(0, count - given[goods])
            given[goods] -= count - missing
            worth += share_of_units(
                place.worth, place.quantity, first=place.quantity - missing, count=missing
            )
        return worth

    def _line(self, number: int, count: int) -> Line:
        line, place = self.sold.lines[number], self.sold.places[number]
        initial = line.get("initial_quantity", place.quantity)
        cost = share_of_units(place.worth, place.quantity, first=0, count=initial)
        plain = {name: value for name, value in line.items() if not name.startswith("initial_")}
        amount = share_of_units(cost, initial, first=initial - count, count=count)
        return plain | {"quantity": count, "amount": amount}
