"""What kind of value each condition asks about, and which operators make sense for it."""

import enum

from django.utils.translation import gettext_lazy as _

from promoengine.core.operator_words import OPERATORS
from promoengine.engine.findings import KINDS, MONEY


class Kind(enum.Enum):
    """What is compared, and so how its values are written."""

    MONEY = "money"
    NUMBER = "number"
    TEXT = "text"
    DETAIL = "detail"  # metadata, which may be anything
    DATE = "date"
    YES_NO = "yes or no"
    GOODS = "goods"
    SEGMENT = "segment"
    PLACE = "place"  # locations, in one of which it lies
    NOTHING = "nothing"  # it only marks products, or asks what no shop can say yet


AT_LEAST_FIRST = ("$more_than_or_equal", "$more_than", "$less_than_or_equal", "$less_than", "$is", "$is_not")
# Two that mean the same; only the usual one of them is offered.
TWINS = {"$is": "$in", "$in": "$is", "$is_not": "$not_in", "$not_in": "$is_not"}
TEXTS = ("$in", "$not_in", "$starts_with", "$ends_with", "$contains", "$not_contain")
IN_LOCATION = "$in_location"
PRESENCE = ("$has_value", "$is_unknown")
ON_DATES = ("$after", "$before")
DAYS = (
    "$more_than_ago",
    "$less_than_ago",
    "$is_days_ago",
    "$more_than_future",
    "$less_than_future",
    "$is_days_in_future",
)
BOUNDS = ("$more_than_or_equal", "$more_than", "$less_than_or_equal", "$less_than")
OPERATORS_OF: dict[Kind, tuple[str, ...]] = {
    Kind.MONEY: AT_LEAST_FIRST,
    Kind.NUMBER: AT_LEAST_FIRST,
    Kind.TEXT: (*TEXTS, *PRESENCE),
    Kind.DETAIL: (*TEXTS, *BOUNDS, *ON_DATES, IN_LOCATION, *PRESENCE),
    Kind.DATE: (*ON_DATES, *DAYS, *PRESENCE),
    Kind.YES_NO: ("$is",),
    Kind.GOODS: ("$is", "$is_not"),
    Kind.SEGMENT: ("$is", "$is_not"),
    Kind.NOTHING: (),
}
# A limit says how much may be used, so `at most` comes first, and nothing else is usual.
OF_LIMITS = ("$less_than_or_equal", "$less_than", "$more_than_or_equal", "$more_than", "$is", "$is_not")

GROUPS = [
    (
        _("Order"),
        [
            "order.amount",
            "order.initial_amount",
            "order.total_amount",
            "order.items.count",
            "order.metadata",
        ],
    ),
    (
        _("Products in the order"),
        [
            "order.items.any",
            "order.items.every",
            "order.items.none",
            "order.items.cheapest",
            "order.items.most_expensive",
            "order.items.price_any",
            "order.items.price_each",
            "order.items.metadata_any",
            "order.items.metadata_each",
            "product.metadata",
        ],
    ),
    (
        _("Customer"),
        [
            "customer.segment",
            "customer.metadata",
            "customer.email",
            "customer.name",
            "customer.phone",
            "customer.birthdate",
            "customer.address.city",
            "customer.address.country",
            "customer.source_id",
            "publication.redeemable_by_linked_customer",
        ],
    ),
    (
        _("Limits of the campaign"),
        [
            *(
                f"campaign.redemptions.{owner}{window}"
                for owner in ("count", "customers_count")
                for window in ("", ".daily", ".weekly", ".monthly")
            ),
            "campaign.orders.amount_discounted",
            "campaign.orders.amount",
            "redemption.gift.amount",
        ],
    ),
    (
        _("Limits of each code or promotion"),
        [
            "redemption.count.per_customer",
            *(
                f"redemption.count{owner}.{window}"
                for owner in ("", ".per_customer")
                for window in ("daily", "weekly", "monthly")
            ),
        ],
    ),
    (
        _("Redemption"),
        ["redemption.metadata", "redemption.api_key", "redemption.user.login"],
    ),
]


def kind_of(name: str) -> Kind:
    """Return what a condition of that published name compares."""
    if KINDS[name].names_items:
        return Kind.GOODS
    if name in NOTHING:
        return Kind.NOTHING
    if KINDS[name].needs_property:
        return Kind.DETAIL
    if name in MONEYS or name.rpartition(".")[2] in ("price", "price_any", "price_each", "aggregated_amount"):
        return Kind.MONEY
    if KINDS[name].counter or name in NUMBERS or name.endswith("quantity"):
        return Kind.NUMBER
    return OWN_KINDS.get(name, Kind.TEXT)


def operators_of(name: str, *, beside: str | None = None) -> tuple[str, ...]:
    """Return the operators that fit a condition, the usual one first; `beside` takes its twin's place."""
    usual = OF_LIMITS if KINDS[name].counter else OPERATORS_OF[kind_of(name)]
    return tuple(beside if beside and TWINS.get(one) == beside else one for one in usual)


def value_kind(name: str, operator: str) -> Kind:
    """Return how the values of an operator are written for a condition."""
    if operator in PRESENCE:
        return Kind.NOTHING
    if operator in ON_DATES:
        return Kind.DATE
    if operator == IN_LOCATION:
        return Kind.PLACE
    kind = kind_of(name)
    if operator in DAYS or (kind is Kind.DETAIL and operator in BOUNDS):
        return Kind.NUMBER
    return Kind.TEXT if kind is Kind.DETAIL else kind


def takes_several(name: str, operator: str) -> bool:
    """Return whether an operator may have more than one value, which commas then separate."""
    return operator in ("$in", "$not_in") or value_kind(name, operator) is Kind.TEXT


def measure_of(name: str) -> str:
    """Return in what a condition's values are counted, as sentences need it."""
    return MONEY if kind_of(name) is Kind.MONEY else ""


def operator_in_words(operator: str) -> str:
    """Return an operator without its values, as in `is at least …`."""
    return str(OPERATORS[operator]) % {"values": "…"}


OWN_KINDS = {
    "customer.segment": Kind.SEGMENT,
    "customer.birthdate": Kind.DATE,
    "publication.redeemable_by_linked_customer": Kind.YES_NO,
}
MONEYS = frozenset(
    {
        "order.amount",
        "order.total_amount",
        "order.initial_amount",
        "campaign.orders.amount",
        "campaign.orders.amount_discounted",
        "redemption.gift.amount",
    }
)
NUMBERS = frozenset({"order.items.count", "redemption.reward.pay_with_points.points_used"})
NOTHING = frozenset(
    {
        "product.discount_applicable",
        "sku.discount_applicable",
        "product.metadata.discount_applicable",
        "product.metadata.match_all",
    }
)
