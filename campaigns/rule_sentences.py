"""Conditions of validation rules in plain words, and what is missing until they are met."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.sentences import money
from promoengine.core.operator_words import operator_in_words
from promoengine.engine.findings import COUNT, MONEY, QUANTITY, Finding, Node

SUBJECTS = {
    "customer.segment": gettext_lazy("Customer segment"),
    "customer.metadata": gettext_lazy("Customer's %(property)s"),
    "customer.loyalty.tier": gettext_lazy("Customer's loyalty tier"),
    "customer.name": gettext_lazy("Customer's name"),
    "customer.email": gettext_lazy("Customer's e-mail"),
    "customer.phone": gettext_lazy("Customer's phone"),
    "customer.birthdate": gettext_lazy("Customer's birthday"),
    "customer.address.city": gettext_lazy("Customer's city"),
    "customer.address.country": gettext_lazy("Customer's country"),
    "customer.source_id": gettext_lazy("Customer's id"),
    "order.amount": gettext_lazy("Order amount"),
    "order.total_amount": gettext_lazy("Order amount after the discount"),
    "order.initial_amount": gettext_lazy("Order amount before discounts"),
    "order.items.count": gettext_lazy("Number of units in the order"),
    "order.metadata": gettext_lazy("Order's %(property)s"),
    "redemption.metadata": gettext_lazy("Redemption's %(property)s"),
    "redemption.api_key": gettext_lazy("Redeeming API key"),
    "redemption.user.login": gettext_lazy("Redeeming user"),
    "publication.redeemable_by_linked_customer": gettext_lazy("Used by the customer it was given to"),
    "custom_event.metadata": gettext_lazy("Event's %(property)s"),
    "redemption.reward.pay_with_points.points_used": gettext_lazy("Number of points used"),
    "campaign.orders.amount": gettext_lazy("Value of all orders of the campaign"),
    "campaign.orders.amount_discounted": gettext_lazy("Sum of the campaign's discounts"),
    "redemption.gift.amount": gettext_lazy("Gift credits used in the campaign"),
    "order.items.any": gettext_lazy("Any item"),
    "order.items.every": gettext_lazy("Every item"),
    "order.items.none": gettext_lazy("None of the items"),
    "order.items.cheapest": gettext_lazy("The cheapest item"),
    "order.items.most_expensive": gettext_lazy("The most expensive item"),
    "product.id": gettext_lazy("Product"),
    "sku.id": gettext_lazy("SKU"),
    "order.items.price": gettext_lazy("Price of a unit"),
    "order.items.quantity": gettext_lazy("Number of units of an item"),
    "order.items.metadata": gettext_lazy("Item's %(property)s"),
    "order.items.price_any": gettext_lazy("Price of any item"),
    "order.items.price_each": gettext_lazy("Price of each item"),
    "order.items.metadata_any": gettext_lazy("Any item's %(property)s"),
    "order.items.metadata_each": gettext_lazy("Each item's %(property)s"),
    "order.items.aggregated_quantity": gettext_lazy("Number of units of these items together"),
    "order.items.aggregated_amount": gettext_lazy("Amount of these items together"),
    "product.price": gettext_lazy("Price of a unit"),
    "product.quantity": gettext_lazy("Number of units of an item"),
    "product.metadata": gettext_lazy("Product's %(property)s"),
    "product.metadata.aggregated_quantity": gettext_lazy("Number of units of these products together"),
    "product.metadata.aggregated_amount": gettext_lazy("Amount of these products together"),
    "product.discount_applicable": gettext_lazy("The discount is for these products"),
    "product.metadata.discount_applicable": gettext_lazy("The discount is for these products"),
    "product.metadata.match_all": gettext_lazy("All of these products"),
    "sku.price": gettext_lazy("Price of a unit"),
    "sku.quantity": gettext_lazy("Number of units of an item"),
    "sku.discount_applicable": gettext_lazy("The discount is for these SKUs"),
}
COUNTED = {
    "campaign.redemptions.count": gettext_lazy("Number of redemptions in the campaign"),
    "campaign.redemptions.customers_count": gettext_lazy(
        "Number of the customer's redemptions in the campaign"
    ),
    "redemption.count": gettext_lazy("Number of redemptions of this offer"),
    "redemption.count.per_customer": gettext_lazy("Number of the customer's redemptions of this offer"),
    "redemption.count.per_api_key": gettext_lazy("Number of redemptions of this offer by the API key"),
    "redemption.count.per_user": gettext_lazy("Number of redemptions of this offer by the user"),
}
WINDOWS = {
    "daily": gettext_lazy("a day"),
    "weekly": gettext_lazy("a week"),
    "monthly": gettext_lazy("a month"),
}
Names = Mapping[str, str]


def condition_in_words(node: Node, measure: str, currency: str, names: Names) -> str:
    """Return a condition as people say it, as in `Order amount is at least 100.00 EUR`.

    `names` are those of products, SKUs, collections and segments by their ids.
    """
    words = [_subject(node)]
    for operator, values in node.tests:
        said = ", ".join(_value(value, measure, currency, names) for value in values)
        words.append(operator_in_words(operator, said))
    return _(" and ").join([f"{words[0]} {words[1]}", *words[2:]]) if len(words) > 1 else words[0]


def hint_of(finding: Finding, currency: str, names: Names) -> str | None:
    """Return what it takes until a condition is met, as in `12.40 EUR more`; None where nobody can say."""
    if finding.truth is True or finding.missing is None:
        return None
    missing = finding.missing
    if finding.measure == MONEY:
        amount = money(int(abs(missing)), currency)
        return (_("%(amount)s more") if missing > 0 else _("%(amount)s less")) % {"amount": amount}
    if finding.measure == COUNT:
        return _("the limit is reached")
    if finding.measure == QUANTITY:
        return _units(missing, _named(finding.node, names))
    return None


def ids_of(node: Node) -> set[str]:
    """Return the ids whose names a sentence about the condition needs."""
    values = [value for _operator, given in node.tests for value in given]
    found = {value.get("id") if isinstance(value, Mapping) else value for value in values}
    return {one for one in found if isinstance(one, str)}


def _subject(node: Node) -> str:
    if node.name in SUBJECTS:
        return SUBJECTS[node.name] % {"property": node.property_name or ""}
    head, _dot, window = node.name.rpartition(".")
    if window in WINDOWS:
        return f"{COUNTED[head]} {WINDOWS[window]}"
    return str(COUNTED[node.name])


def _value(value: Any, measure: str, currency: str, names: Names) -> str:
    if isinstance(value, Mapping):
        key = value.get("id")
        return names.get(str(key)) or str(value.get("source_id") or key)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if measure == MONEY and isinstance(value, int | float | Decimal):
        return money(int(value), currency)
    return names.get(value, value) if isinstance(value, str) else str(value)


def _named(node: Node, names: Names) -> str:
    ids = [*sorted(node.refs.wanted), *sorted(node.refs.pool)]
    return ", ".join(names.get(key, key) for key in ids)


def _units(missing: Decimal, named: str) -> str:
    count = int(abs(missing))
    if missing < 0:
        text = ngettext("%(count)d item less", "%(count)d items less", count)
    else:
        text = ngettext("%(count)d more item", "%(count)d more items", count)
    said = text % {"count": count}
    return _("%(items)s of %(names)s") % {"items": said, "names": named} if named else said
