"""Who else is known by what a customer is known by, in words and without the keys themselves."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.selectors import sharing_customers

SHOWN = 20
NAMES = {
    "email": _("e-mail address"),
    "phone": _("phone number"),
    "card": _("payment card"),
    "device": _("device"),
    "address": _("postal address"),
}


@dataclass(frozen=True, slots=True)
class Sharing:
    """Another customer, and the names of what they have in common."""

    customer: Customer
    names: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SharedKeys:
    """What a customer is known by, in words, and the newest others who share some of it."""

    names: tuple[Any, ...]
    others: tuple[Sharing, ...]
    has_more: bool


def shared_keys(customer: Customer) -> SharedKeys:
    """Return whom the page of a customer shows beside them."""
    found = sharing_customers(customer, limit=SHOWN + 1)
    others = tuple(
        Sharing(other, _names([key for key in customer.identity_keys if key in other.identity_keys]))
        for other in found[:SHOWN]
    )
    return SharedKeys(_names(customer.identity_keys), others, len(found) > SHOWN)


def _names(keys: list[str]) -> tuple[Any, ...]:
    return tuple(NAMES[key.partition(":")[0]] for key in keys)
