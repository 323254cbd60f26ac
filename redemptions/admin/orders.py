"""Orders in the dashboard: what was bought, by whom, what came off it, and what has become of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from campaigns.sentences import money
from customers.models import Customer
from promoengine.core.admin_project import ReadOnlyAdmin, current_project
from promoengine.core.errors import DomainError
from promoengine.core.ids import parse_public_id
from redemptions.admin.line_names import names_of_lines
from redemptions.admin.refunds import RefundableAdmin
from redemptions.models import Order, Redemption
from redemptions.order_selectors import orders_for_wire
from redemptions.orders import NO_GOODS, CheckoutOrder
from redemptions.services.upsert_order import update_order

CHANGE, VIEW_REDEMPTIONS = "redemptions.change_order", "redemptions.view_redemption"
CUSTOMERS_FOUND, REDEMPTIONS_SHOWN = 1000, 200
STATUS_LABELS = {
    Order.Status.CREATED.label: "info",
    Order.Status.PAID.label: "success",
    Order.Status.PROCESSING.label: "warning",
    Order.Status.CANCELED.label: "danger",
    Order.Status.FULFILLED.label: "success",
}
# What an order may become by a person's hand, and what the button says. Not "being processed": typed clients
# of shops that never say so don't know it.
NEXT = {
    Order.Status.CREATED: (Order.Status.PAID, Order.Status.CANCELED),
    Order.Status.PAID: (Order.Status.FULFILLED, Order.Status.CANCELED),
    Order.Status.PROCESSING: (Order.Status.FULFILLED, Order.Status.CANCELED),
    Order.Status.FULFILLED: (Order.Status.CANCELED,),
    Order.Status.CANCELED: (Order.Status.CREATED,),
}
BUTTONS = {
    Order.Status.CREATED: _("Reopen the order"),
    Order.Status.PAID: _("Mark as paid"),
    Order.Status.FULFILLED: _("Mark as fulfilled"),
    Order.Status.CANCELED: _("Cancel the order"),
}


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of an order, each amount as people write it."""

    name: str
    quantity: int
    added: int
    price: str
    amount: str
    discount: str
    subtotal: str


@admin.register(Order)
class OrderAdmin(RefundableAdmin, ReadOnlyAdmin):
    nothing_yet = _("Orders come with what a shop sends, and with the codes that are used on them.")
    list_display = ["created_at", "reference", "state", "customer", "lines", "before", "off", "to_pay"]
    list_filter = ["status"]
    search_fields = ["source_id"]
    search_help_text = _(
        "A whole order number or id, the shop's own id of a customer, or part of a customer's name or e-mail"
    )
    list_before_template = "dashboard/export_link.html"
    ordering = ["-created_at", "-id"]
    fields = [
        "reference",
        "public_id",
        "state",
        "customer_page",
        "referrer_page",
        "before",
        "off",
        "to_pay",
        "details",
        "created_at",
        "updated_at",
    ]
    readonly_fields = [
        *("reference", "public_id", "state", "customer_page", "referrer_page"),
        *("before", "off", "to_pay", "details"),
    ]
    change_form_outer_after_template = "redemptions/order.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return orders_for_wire(current_project(request)).with_totals().select_related("project")

    def get_urls(self) -> list[Any]:
        change = self.admin_site.admin_view(self.change_status)
        return [
            path("<uuid:order_id>/status/", change, name="redemptions_order_status"),
            *super().get_urls(),
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        people = Customer.objects.filter(project=current_project(request))
        people = people.filter(
            Q(source_id=term)
            | Q(name__icontains=term)
            | Q(email__icontains=term)
            | Q(pk=parse_public_id(Customer.prefix, term))
        )
        keys = list(people.values_list("pk", flat=True)[:CUSTOMERS_FOUND])
        own = Q(source_id=term) | Q(pk=parse_public_id(Order.prefix, term))
        return queryset.filter(own | Q(customer_id__in=keys)), False

    def change_status(self, request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
        """Make an order what a button of its page says."""
        order = get_object_or_404(self.get_queryset(request), pk=order_id)
        status = request.POST.get("status", "")
        if request.method != "POST" or not request.user.has_perm(CHANGE) or status not in Order.Status:
            raise PermissionDenied
        try:
            changed = update_order(
                current_project(request),
                order.public_id,
                data={"status": status},
                channel="USER_PORTAL",
                now=timezone.now(),
            )
            text = _("The order is now: %(status)s.") % {"status": changed.get_status_display()}
            self.message_user(request, text)
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:redemptions_order_change", args=[order.pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if order := context.get("original"):
            context["order_page"] = {
                "lines": _line_rows(order),
                "buttons": _buttons(order) if request.user.has_perm(CHANGE) else [],
                "may_be_canceled": order.status != Order.Status.CANCELED,
                "status_url": reverse("admin:redemptions_order_status", args=[order.pk]),
                "off_whole": money(order.discount_amount, order.currency_in_force)
                if order.discount_amount
                else "",
                "redemptions": _redemption_rows(order) if request.user.has_perm(VIEW_REDEMPTIONS) else None,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description=_("Order"))
    def reference(self, order: Order) -> str:
        return order.source_id or order.public_id

    @display(description=_("Id"))
    def public_id(self, order: Order) -> str:
        return order.public_id

    @display(description=_("Status"), ordering="status", label=STATUS_LABELS)
    def state(self, order: Order) -> str:
        return str(order.get_status_display())

    @display(description=_("Items"))
    def lines(self, order: Order) -> str:
        return str(sum(line["quantity"] for line in order.items)) if order.items else "-"

    @display(description=_("Before discounts"))
    def before(self, order: Order) -> str:
        return money(order.amount, order.currency_in_force)

    @display(description=_("Discounts"))
    def off(self, order: Order) -> str:
        return money(order.total_discount_amount, order.currency_in_force)

    @display(description=_("To pay"))
    def to_pay(self, order: Order) -> str:
        return money(order.total_amount, order.currency_in_force)

    @display(description=_("Customer"))
    def customer_page(self, order: Order) -> str:
        return _link(order.customer)

    @display(description=_("Brought by"))
    def referrer_page(self, order: Order) -> str:
        return _link(order.referrer)

    @display(description=_("Details"))
    def details(self, order: Order) -> str:
        return "\n".join(f"{name}: {_said(value)}" for name, value in order.metadata.items()) or "-"


def _link(customer: Customer | None) -> str:
    if customer is None:
        return "-"
    if customer.deleted_at is not None:
        return str(customer)
    url = reverse("admin:customers_customer_change", args=[customer.pk])
    return format_html('<a class="underline" href="{}">{}</a>', url, customer)


def _said(value: Any) -> str:
    """Return a metadata value as people read it."""
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return "-" if value is None else str(value)


def _buttons(order: Order) -> list[dict[str, Any]]:
    return [{"status": status.value, "text": BUTTONS[status]} for status in NEXT[Order.Status(order.status)]]


def _line_rows(order: Order) -> list[LineRow]:
    currency = order.currency_in_force
    names = names_of_lines(order.project, order.items)
    items = CheckoutOrder.of(order).to_engine(NO_GOODS).items
    return [
        LineRow(
            name,
            item.quantity,
            item.quantity - item.initial_quantity if item.initial_quantity is not None else 0,
            money(item.unit_price, currency),
            money(item.amount, currency),
            money(item.discount, currency) if item.discount else "",
            money(item.subtotal, currency),
        )
        for name, item in zip(names, items, strict=True)
    ]


def _redemption_rows(order: Order) -> list[dict[str, Any]]:
    rows = Redemption.objects.filter(order=order).select_related("promotion_tier")
    whole = Redemption.RelatedObject.REDEMPTION
    return [
        {
            "redemption": row,
            "what": row.promotion_tier.name if row.promotion_tier else row.voucher_code,
            "outcome": row.failure_message or row.get_status_display(),
            "taken_off": money(row.discount_amount, order.currency_in_force),
        }
        for row in rows.exclude(related_object_type=whole).order_by("pk")[:REDEMPTIONS_SHOWN]
    ]
