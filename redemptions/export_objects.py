"""What may be exported: of each kind of rows its fields, its default fields, and which rows are meant."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from campaigns.models import Campaign, PromotionTier
from campaigns.rule_selectors import load_assignments
from customers.filters import customer_export_condition
from customers.models import Customer
from customers.selectors import customers_for_wire
from promoengine.core.api.lists import order_of
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.currencies import EXPONENTS
from promoengine.core.errors import DomainError
from promoengine.core.ids import public_id
from promoengine.core.models import Project
from redemptions import filters, order_filters
from redemptions.models import Order, Redemption
from redemptions.order_selectors import orders_for_wire
from vouchers.filters import (
    PUBLICATION_ORDERS,
    VOUCHER_ORDERS,
    publication_condition,
    voucher_condition,
)
from vouchers.models import Publication, Voucher
from vouchers.selectors import vouchers_for_wire

# What a spreadsheet would take for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
VALUES = {"AMOUNT": "amount_off", "PERCENT": "percent_off", "FIXED": "fixed_amount", "UNIT": "unit_off"}
FORMULAS = {
    "AMOUNT": "amount_off_formula",
    "PERCENT": "percent_off_formula",
    "FIXED": "fixed_amount_formula",
    "UNIT": "unit_off_formula",
}

METADATA = "metadata."

Rows = QuerySet[Any]
Read = Callable[[Any], Any]


class InvalidExportFields(DomainError):
    key = "invalid_export_fields"
    message = "Invalid Export"


@dataclass(frozen=True, slots=True)
class Exported:
    """One kind of rows. `rows` returns those that a query asks for, in its order."""

    fields: Mapping[str, Read]
    default_fields: tuple[str, ...]
    rows: Callable[[Project, QueryDict], Rows]
    prepare: Callable[[Sequence[Any]], None] = lambda rows: None

    def read(self, fields: Sequence[str], row: Any) -> list[str]:
        """Return a row's cells."""
        return [cell(read(row)) for name in fields if (read := self.field(name))]

    def field(self, name: str) -> Read | None:
        """Return how a field is read, None where it is not there; `metadata.X` is the metadata's key X."""
        if name in self.fields:
            return self.fields[name]
        whole, key = self.fields.get("metadata"), name.removeprefix(METADATA)
        if whole is None or not name.startswith(METADATA) or not key:
            return None
        return lambda row: (whole(row) or {}).get(key)


def check_fields(exported: Exported, fields: Sequence[str]) -> None:
    """Raise InvalidExportFields where one of the fields is not there to export."""
    if not all(exported.field(name) for name in fields):
        raise InvalidExportFields(f"Unsupported field used. Allowed fields: {', '.join(exported.fields)}")


def title(field: str) -> str:
    """Return a field's name as the file's first line has it; a key of metadata stays as it is spelled."""
    if field.startswith(METADATA):
        return field
    return " ".join("ID" if word == "id" else word.capitalize() for word in field.split("_"))


def cell(value: Any) -> str:
    """Return a value as a file has it; text that a spreadsheet would compute is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return wire_datetime(value) or ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return str(value)


def column(name: str) -> Read:
    """Return a reader of an attribute, also of a related row that may not be there."""

    def read(row: Any) -> Any:
        for part in name.split("."):
            row = getattr(row, part, None)
        return row

    return read


def key_of(prefix: str, name: str) -> Read:
    return lambda row: public_id(prefix, key) if (key := getattr(row, name)) else ""


def _discount(name: str) -> Read:
    return lambda voucher: (voucher.discount_in_force or {}).get(name)


def _value(voucher: Voucher) -> Any:
    if voucher.gift_amount is not None:
        return _major(voucher, voucher.gift_amount)
    discount = voucher.discount_in_force or {}
    amount = discount.get(VALUES.get(discount.get("type", ""), ""))
    return _major(voucher, amount) if discount.get("type") in ("AMOUNT", "FIXED") else amount


def _formula(voucher: Voucher) -> Any:
    discount = voucher.discount_in_force or {}
    return discount.get(FORMULAS.get(discount.get("type", ""), ""))


def _major(voucher: Voucher, amount: int | None) -> str | None:
    if amount is None:
        return None
    exponent = EXPONENTS.get(voucher.project.currency, 2)
    return f"{amount / 10**exponent:.{exponent}f}"


def _validity(*path: str) -> Read:
    def read(voucher: Voucher) -> Any:
        value: Any = voucher.validity_in_force or {}
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    return read


def _rules(voucher: Voucher) -> str:
    return ", ".join(str(one.rule.public_id) for one in voucher.rule_assignments)


VOUCHER = {
    "code": column("code"),
    "voucher_type": column("type"),
    "value": _value,
    "formula": _formula,
    "discount_type": _discount("type"),
    "campaign": column("campaign.name"),
    "category": column("category_in_force.name"),
    "start_date": column("start_date"),
    "expiration_date": column("expiration_date"),
    "gift_balance": lambda voucher: _major(voucher, voucher.gift_balance),
    "loyalty_balance": lambda _: None,
    "redemption_quantity": column("quantity"),
    "redemption_count": lambda voucher: voucher.redeemed_quantity + voucher.pending_quantity,
    "active": column("active"),
    "metadata": column("metadata"),
    "id": column("public_id"),
    "is_referral_code": column("is_referral_code"),
    "created_at": column("created_at"),
    "updated_at": column("updated_at"),
    "validity_timeframe_interval": _validity("timeframe", "interval"),
    "validity_timeframe_duration": _validity("timeframe", "duration"),
    "validity_day_of_week": _validity("day_of_week"),
    "discount_amount_limit": _discount("amount_limit"),
    "campaign_id": key_of(Campaign.prefix, "campaign_id"),
    "additional_info": column("additional_info"),
    "customer_id": key_of(Customer.prefix, "holder_id"),
    "discount_effect": _discount("effect"),
    "discount_unit_type": _discount("unit_type"),
    "discount_unit_effect": _discount("effect"),
    "validation_rules_id": _rules,
    "customer_source_id": column("holder.source_id"),
}
REDEMPTION = {
    "id": column("public_id"),
    "object": column("kind"),
    "date": column("created_at"),
    "voucher_code": column("voucher_code"),
    "campaign": column("campaign.name"),
    "promotion_tier_id": key_of(PromotionTier.prefix, "promotion_tier_id"),
    "customer_id": key_of(Customer.prefix, "customer_id"),
    "customer_source_id": column("customer.source_id"),
    "customer_name": column("customer.name"),
    "tracking_id": column("tracking_id"),
    "order_id": key_of(Order.prefix, "order_id"),
    "order_amount": column("order_amount"),
    "gift_amount": column("amount"),
    "loyalty_points": lambda _: None,
    "result": column("result"),
    "failure_code": column("failure_code"),
    "failure_message": column("failure_message"),
    "metadata": column("metadata"),
}
CUSTOMER = {
    "name": column("name"),
    "id": column("public_id"),
    "description": column("description"),
    "email": column("email"),
    "source_id": column("source_id"),
    "created_at": column("created_at"),
    **{
        f"address_{part}": lambda customer, part=part: (customer.address or {}).get(part)
        for part in ("city", "state", "line_1", "line_2", "country", "postal_code")
    },
    "redemptions_total_redeemed": column("summary.redeemed"),
    "redemptions_total_failed": column("summary.failed"),
    "redemptions_total_succeeded": column("summary.succeeded"),
    "redemptions_total_rolled_back": column("summary.rolled_back"),
    "redemptions_total_rollback_failed": column("summary.rollback_failed"),
    "redemptions_total_rollback_succeeded": column("summary.rollback_succeeded"),
    "orders_total_amount": column("summary.orders_amount"),
    "orders_total_count": column("summary.orders_count"),
    "orders_average_amount": lambda customer: _average(customer),
    "orders_last_order_amount": column("summary.last_order_amount"),
    "orders_last_order_date": column("summary.last_order_at"),
    "loyalty_points": lambda _: None,
    "loyalty_referred_customers": lambda _: None,
    "updated_at": column("updated_at"),
    "phone": column("phone"),
    "birthday": column("birthdate"),
    "metadata": column("metadata"),
    "birthdate": column("birthdate"),
}
PUBLICATION = {
    "voucher_code": column("voucher_code"),
    "customer_id": key_of(Customer.prefix, "customer_id"),
    "customer_source_id": column("customer.source_id"),
    "date": column("created_at"),
    "channel": column("channel"),
    "campaign": column("campaign.name"),
    "is_winner": lambda _: None,
    "metadata": column("metadata"),
}
ORDER = {
    "id": column("public_id"),
    "source_id": column("source_id"),
    "created_at": column("created_at"),
    "updated_at": column("updated_at"),
    "status": column("status"),
    "amount": column("amount"),
    "discount_amount": column("discount_amount"),
    "items_discount_amount": column("items_discount_amount"),
    "total_discount_amount": column("total_discount_amount"),
    "total_amount": column("total_amount"),
    "customer_id": key_of(Customer.prefix, "customer_id"),
    "referrer_id": key_of(Customer.prefix, "referrer_id"),
    "metadata": column("metadata"),
}
CUSTOMER_ORDERS = {
    "id": "created_at",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "source_id": "source_id",
    "name": "name",
    "email": "email",
}


def _average(customer: Customer) -> int:
    summary = getattr(customer, "summary", None)
    return summary.orders_amount // summary.orders_count if summary and summary.orders_count else 0


def _ordered(rows: Rows, query: QueryDict, orders: Mapping[str, str]) -> Rows:
    return rows.order_by(*order_of(rows.model, query, orders, "-created_at"))


def _vouchers(project: Project, query: QueryDict) -> Rows:
    rows = vouchers_for_wire(project).filter(voucher_condition(project, query))
    return _ordered(rows.select_related("holder", "campaign__category", "category"), query, VOUCHER_ORDERS)


def _customers(project: Project, query: QueryDict) -> Rows:
    rows = customers_for_wire(project).filter(customer_export_condition(query))
    return _ordered(rows, query, CUSTOMER_ORDERS)


def _redemptions(project: Project, query: QueryDict) -> Rows:
    rows = Redemption.objects.filter(filters.redemption_condition(project, query), project=project)
    return _ordered(rows.select_related("customer", "campaign"), query, filters.ORDERS)


def _publications(project: Project, query: QueryDict) -> Rows:
    rows = Publication.objects.filter(publication_condition(project, query), project=project)
    return _ordered(rows.select_related("customer", "campaign"), query, PUBLICATION_ORDERS)


def _orders(project: Project, query: QueryDict) -> Rows:
    rows = orders_for_wire(project).with_totals().filter(order_filters.order_condition(query))
    return _ordered(rows, query, order_filters.ORDERS | {"status": "status"})


EXPORTED = {
    "voucher": Exported(
        VOUCHER, ("code", "voucher_type", "value", "discount_type"), _vouchers, load_assignments
    ),
    "redemption": Exported(
        REDEMPTION, ("id", "object", "voucher_code", "customer_id", "date", "result"), _redemptions
    ),
    "customer": Exported(CUSTOMER, ("name", "source_id"), _customers),
    "publication": Exported(PUBLICATION, ("voucher_code", "customer_id", "date", "channel"), _publications),
    "order": Exported(ORDER, ("id", "source_id", "status"), _orders),
}
