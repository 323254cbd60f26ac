"""What may be exported: of each kind of rows its fields, its default fields, and which rows are meant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import (
    Case,
    CharField,
    DecimalField,
    F,
    Field,
    Func,
    JSONField,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, NullIf
from django.http import QueryDict

from campaigns.models import Campaign, PromotionTier, ValidationRule, ValidationRuleAssignment
from customers.filters import customer_export_condition
from customers.models import Customer
from customers.selectors import customers_for_wire
from promoengine.core.api.lists import order_of
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from redemptions import filters, order_filters
from redemptions.export_columns import (
    Chosen,
    Column,
    Major,
    NumberOf,
    OwnText,
    PublicId,
    first_of,
    member,
    nothing,
    text_of,
)
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

METADATA = "metadata."

Rows = QuerySet[Any]


class InvalidExportFields(DomainError):
    key = "invalid_export_fields"
    message = "Invalid Export"


@dataclass(frozen=True, slots=True)
class Exported:
    """One kind of rows. `rows` returns those that a query asks for, in its order.

    A field is a column, an expression, or a function that returns one for a project.
    """

    model: type[Model]
    name: str
    fields: Mapping[str, Column]
    default_fields: tuple[str, ...]
    rows: Callable[[Project, QueryDict], Rows]

    def field(self, name: str, project: Project) -> Column | None:
        """Return a field's expression, None where it is not there; `metadata.X` is the metadata's key X."""
        found = self.fields.get(name)
        if found is None and "metadata" in self.fields and name.startswith(METADATA) and name != METADATA:
            return member("metadata", name.removeprefix(METADATA))
        if isinstance(found, str):
            return F(found)
        return found(project) if isinstance(found, FunctionType) else found

    def check(self, fields: Sequence[str], project: Project) -> None:
        """Raise InvalidExportFields where one of the fields is not there to export."""
        if not all(self.field(name, project) for name in fields):
            raise InvalidExportFields(f"Unsupported field used. Allowed fields: {', '.join(self.fields)}")


def title(field: str) -> str:
    """Return a field's name as the file's first line has it; a key of metadata stays as it is spelled."""
    if field.startswith(METADATA):
        return field
    return " ".join("ID" if word == "id" else word.capitalize() for word in field.split("_"))


DISCOUNT = first_of(
    "discount",
    Case(When(type=Voucher.Type.DISCOUNT_VOUCHER, then=F("campaign__discount")), output_field=JSONField()),
)
VALIDITY = first_of("validity", "campaign__validity")
TIMEFRAME = member(VALIDITY, "timeframe")


def _by_type(output_field: Field, **columns: Column) -> Chosen:
    """Return what a voucher's discount has by its type."""
    return Chosen(text_of(DISCOUNT, "type"), output_field, **columns)


def _value(project: Project) -> Case:
    def figure(key: str) -> NumberOf:
        return NumberOf(member(DISCOUNT, key))

    return Case(
        When(gift_amount__isnull=False, then=Major("gift_amount", project)),
        default=_by_type(
            DecimalField(),
            PERCENT=figure("percent_off"),
            AMOUNT=Major(figure("amount_off"), project),
            FIXED=Major(figure("fixed_amount"), project),
            UNIT=figure("unit_off"),
        ),
    )


def _formula() -> Chosen:
    return _by_type(
        TextField(),
        PERCENT=text_of(DISCOUNT, "percent_off_formula"),
        AMOUNT=text_of(DISCOUNT, "amount_off_formula"),
        FIXED=text_of(DISCOUNT, "fixed_amount_formula"),
        UNIT=text_of(DISCOUNT, "unit_off_formula"),
    )


def _rules_on(key: str) -> Subquery:
    found = ValidationRuleAssignment.objects.filter(related_object_id=OuterRef(key)).order_by()
    ids = StringAgg(PublicId(ValidationRule.prefix, "rule_id"), ", ", order_by="pk")
    return Subquery(found.values("related_object_id").annotate(ids=ids).values("ids"))


def _rules() -> NullIf:
    """Return the ids of the rules on a code and on its campaign."""
    ids = Func(
        Value(", "), _rules_on("pk"), _rules_on("campaign_id"), function="concat_ws", output_field=OwnText()
    )
    return NullIf(ids, Value("", OwnText()))


VOUCHER = {
    "code": "code",
    "voucher_type": "type",
    "value": _value,
    "formula": _formula(),
    "discount_type": text_of(DISCOUNT, "type"),
    "campaign": "campaign__name",
    "category": first_of("category__name", "campaign__category__name"),
    "start_date": "start_date",
    "expiration_date": "expiration_date",
    "gift_balance": lambda project: Major("gift_balance", project),
    "loyalty_balance": nothing(),
    "redemption_quantity": "quantity",
    "redemption_count": F("redeemed_quantity") + F("pending_quantity"),
    "active": "active",
    "metadata": "metadata",
    "id": PublicId(Voucher.prefix, "pk"),
    "is_referral_code": "is_referral_code",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "validity_timeframe_interval": text_of(TIMEFRAME, "interval"),
    "validity_timeframe_duration": text_of(TIMEFRAME, "duration"),
    "validity_day_of_week": member(VALIDITY, "day_of_week"),
    "discount_amount_limit": NumberOf(member(DISCOUNT, "amount_limit")),
    "campaign_id": PublicId(Campaign.prefix, "campaign_id"),
    "additional_info": "additional_info",
    "customer_id": PublicId(Customer.prefix, "holder_id"),
    "discount_effect": text_of(DISCOUNT, "effect"),
    "discount_unit_type": text_of(DISCOUNT, "unit_type"),
    "discount_unit_effect": text_of(DISCOUNT, "effect"),
    "validation_rules_id": _rules(),
    "customer_source_id": "holder__source_id",
}
# As the ids of redemptions start with what they are.
PREFIXES = Case(
    *(
        When(kind=kind, result=result, then=Value(Redemption(kind=kind, result=result).prefix))
        for kind in Redemption.Kind
        for result in Redemption.Result
    ),
    output_field=CharField(),
)
REDEMPTION = {
    "id": PublicId(PREFIXES, "pk"),
    "object": "kind",
    "date": "created_at",
    "voucher_code": "voucher_code",
    "campaign": "campaign__name",
    "promotion_tier_id": PublicId(PromotionTier.prefix, "promotion_tier_id"),
    "customer_id": PublicId(Customer.prefix, "customer_id"),
    "customer_source_id": "customer__source_id",
    "customer_name": "customer__name",
    "tracking_id": "tracking_id",
    "order_id": PublicId(Order.prefix, "order_id"),
    "order_amount": "order_amount",
    "gift_amount": "amount",
    "loyalty_points": nothing(),
    "result": "result",
    "failure_code": "failure_code",
    "failure_message": "failure_message",
    "metadata": "metadata",
}
CUSTOMER = {
    "name": "name",
    "id": PublicId(Customer.prefix, "pk"),
    "description": "description",
    "email": "email",
    "source_id": "source_id",
    "created_at": "created_at",
    **{
        f"address_{part}": text_of("address", part)
        for part in ("city", "state", "line_1", "line_2", "country", "postal_code")
    },
    "redemptions_total_redeemed": "summary__redeemed",
    "redemptions_total_failed": "summary__failed",
    "redemptions_total_succeeded": "summary__succeeded",
    "redemptions_total_rolled_back": "summary__rolled_back",
    "redemptions_total_rollback_failed": "summary__rollback_failed",
    "redemptions_total_rollback_succeeded": "summary__rollback_succeeded",
    "orders_total_amount": "summary__orders_amount",
    "orders_total_count": "summary__orders_count",
    "orders_average_amount": Coalesce(F("summary__orders_amount") / NullIf(F("summary__orders_count"), 0), 0),
    "orders_last_order_amount": "summary__last_order_amount",
    "orders_last_order_date": "summary__last_order_at",
    "loyalty_points": nothing(),
    "loyalty_referred_customers": nothing(),
    "updated_at": "updated_at",
    "phone": "phone",
    "birthday": "birthdate",
    "metadata": "metadata",
    "birthdate": "birthdate",
}
PUBLICATION = {
    "voucher_code": "voucher_code",
    "customer_id": PublicId(Customer.prefix, "customer_id"),
    "customer_source_id": "customer__source_id",
    "date": "created_at",
    "channel": "channel",
    "campaign": "campaign__name",
    "is_winner": nothing(),
    "metadata": "metadata",
}
ORDER = {
    "id": PublicId(Order.prefix, "pk"),
    "source_id": "source_id",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "status": "status",
    "amount": "amount",
    "discount_amount": "discount_amount",
    "items_discount_amount": "items_discount_amount",
    "total_discount_amount": "total_discount_amount",
    "total_amount": "total_amount",
    "customer_id": PublicId(Customer.prefix, "customer_id"),
    "referrer_id": PublicId(Customer.prefix, "referrer_id"),
    "metadata": "metadata",
}
CUSTOMER_ORDERS = {
    "id": "created_at",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "source_id": "source_id",
    "name": "name",
    "email": "email",
}


def _ordered(rows: Rows, query: QueryDict, orders: Mapping[str, str]) -> Rows:
    return rows.order_by(*order_of(rows.model, query, orders, "-created_at"))


def _vouchers(project: Project, query: QueryDict) -> Rows:
    rows = vouchers_for_wire(project).filter(voucher_condition(project, query))
    return _ordered(rows, query, VOUCHER_ORDERS)


def _customers(project: Project, query: QueryDict) -> Rows:
    rows = customers_for_wire(project).filter(customer_export_condition(query))
    return _ordered(rows, query, CUSTOMER_ORDERS)


def _redemptions(project: Project, query: QueryDict) -> Rows:
    rows = Redemption.objects.filter(filters.redemption_condition(project, query), project=project)
    return _ordered(rows, query, filters.ORDERS)


def _publications(project: Project, query: QueryDict) -> Rows:
    rows = Publication.objects.filter(publication_condition(project, query), project=project)
    return _ordered(rows, query, PUBLICATION_ORDERS)


def _orders(project: Project, query: QueryDict) -> Rows:
    rows = orders_for_wire(project).with_totals().filter(order_filters.order_condition(query))
    return _ordered(rows, query, order_filters.ORDERS | {"status": "status"})


EXPORTED = {
    "voucher": Exported(
        Voucher, "Codes", VOUCHER, ("code", "voucher_type", "value", "discount_type"), _vouchers
    ),
    "redemption": Exported(
        Redemption,
        "Redemptions",
        REDEMPTION,
        ("id", "object", "voucher_code", "customer_id", "date", "result"),
        _redemptions,
    ),
    "customer": Exported(Customer, "Customers", CUSTOMER, ("name", "source_id"), _customers),
    "publication": Exported(
        Publication,
        "Publications",
        PUBLICATION,
        ("voucher_code", "customer_id", "date", "channel"),
        _publications,
    ),
    "order": Exported(Order, "Orders", ORDER, ("id", "source_id", "status"), _orders),
}
