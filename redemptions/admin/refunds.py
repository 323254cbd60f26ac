"""Refunds in the dashboard: what units of an order would bring, paying it back, and what was paid back."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from campaigns.sentences import money
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.errors import DomainError
from redemptions.admin.line_names import names_of_lines
from redemptions.admin.refund_forms import RefundForm
from redemptions.channel import Channel
from redemptions.models import Order, Redemption, Refund, RefundedUnits
from redemptions.refund_selectors import refunds_of
from redemptions.refunds import SoldOrder, sold_order
from redemptions.services.refund import (
    UNPAID,
    RefundAmountChanged,
    calculate_refund,
    refund_order,
)

VIEW, ADD = "redemptions.view_order", "redemptions.add_refund"
CALCULATE, REFUND = "calculate", "refund"
SHOWN = 50


@dataclass(frozen=True, slots=True)
class UnitsRow:
    """Units of one line that come back: what they cost, each discount on them, and what they bring."""

    name: str
    quantity: int
    cost: str
    discounts: tuple[str, ...]
    gift: str
    held_back: str
    paid: str


@dataclass(frozen=True, slots=True)
class RefundTable:
    """A refund, made or calculated, in words; what is nothing is empty."""

    refund: Refund
    rows: tuple[UnitsRow, ...]
    cards: tuple[str, ...]
    held_back: str
    released: str
    paid: str
    mode: Any


@dataclass(frozen=True, slots=True)
class SoldRow:
    """A line of the order as it was sold, and the field for the units that come back."""

    name: str
    price: str
    quantity: int
    left: int
    field: Any


class RefundableAdmin(ProjectModelAdmin):
    """The part of orders' pages that refunds them."""

    actions_detail = ["refund"]

    def get_urls(self) -> list[Any]:
        page, panel = (self.admin_site.admin_view(view) for view in (self.refund_page, self.refunds_panel))
        return [
            path("<uuid:order_id>/refund-units/", page, name="redemptions_refund"),
            path("<uuid:order_id>/refunds/", panel, name="redemptions_refunds_of_order"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if order := context.get("original"):
            context["refunds_url"] = reverse("admin:redemptions_refunds_of_order", args=[order.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    @action(description=gettext_lazy("Refund"), url_path="refund", permissions=[ADD])
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:redemptions_refund", args=[object_id]))

    def refunds_panel(self, request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
        """Show what was refunded of an order, for its own page."""
        order = self._order(request, order_id, VIEW)
        sold, names = sold_order(order.project, order), names_of_lines(order.project, order.items)
        found = list(refunds_of(order).order_by("-id")[: SHOWN + 1])
        tables = [_table(refund, list(refund.units.all()), sold, names) for refund in found[:SHOWN]]
        paid = refunds_of(order).aggregate(sum=Sum("refund_amount"))["sum"]
        currency = order.currency_in_force
        context = {
            "tables": tables,
            "has_more": len(found) > SHOWN,
            "paid": money(paid or 0, currency),
            "due": money(order.total_amount, currency),
            "is_all": not any(place.left for place in sold.places),
        }
        return render(request, "redemptions/refunds_of_order.html", context)

    def refund_page(self, request: HttpRequest, order_id: uuid.UUID) -> HttpResponse:
        """Show what can be refunded, what it would bring, and pay it back once that has been seen."""
        order = self._order(request, order_id, ADD)
        sold, names = sold_order(order.project, order), names_of_lines(order.project, order.items)
        asked = request.POST.get("do") if request.method == "POST" else None
        form = RefundForm(sold, names, request.POST if asked in (CALCULATE, REFUND) else None)
        context = admin.site.each_context(request) | {
            "title": _("Refund"),
            "order": order,
            "order_url": reverse("admin:redemptions_order_change", args=[order.pk]),
            "form": form,
            "rows": _sold_rows(sold, names, form),
            "is_paid": order.status not in UNPAID,
            "is_left": any(place.left for place in sold.places),
        }
        if form.is_bound and form.is_valid():
            try:
                if asked == REFUND and form.cleaned_data["source_id"]:
                    return self._refunded(request, order, form)
                context |= _calculated(order, sold, names, form)
            except RefundAmountChanged:
                form.add_error(None, _("In the meantime something changed: look at the new calculation."))
                context |= _calculated(order, sold, names, form)
            except DomainError as refusal:
                form.add_error(None, str(refusal))
        return render(request, "redemptions/refund.html", context)

    def _refunded(self, request: HttpRequest, order: Order, form: RefundForm) -> HttpResponse:
        channel = Channel(str(request.user.pk), "USER", "USER_PORTAL")
        made = refund_order(
            order.project, order.public_id, form.to_request(), channel=channel, now=timezone.now()
        )
        currency = order.currency_in_force
        text = _("Refunded: pay back %(amount)s.") % {"amount": money(made.refund.refund_amount, currency)}
        if made.refund.gift_amount:
            credits = money(made.refund.gift_amount, currency)
            text += " " + _("%(credits)s went back to gift cards.") % {"credits": credits}
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:redemptions_order_change", args=[order.pk]))

    def _order(self, request: HttpRequest, order_id: uuid.UUID, permission: str) -> Order:
        if not (request.user.has_perm(VIEW) and request.user.has_perm(permission)):
            raise PermissionDenied
        orders = Order.objects.with_totals().filter(project=current_project(request))
        return get_object_or_404(orders.select_related("customer", "project"), pk=order_id)


def _calculated(order: Order, sold: SoldOrder, names: list[str], form: RefundForm) -> dict[str, Any]:
    """Return the calculation of what the form says, and what repeats it for the refund itself."""
    made = calculate_refund(order.project, order.public_id, form.to_request(), now=timezone.now())
    said = {name: value for name, value in form.data.items() if name in form.fields}
    said |= {"expected_amount": made.refund.refund_amount, "source_id": f"dashboard-{uuid.uuid4()}"}
    return {"table": _table(made.refund, made.units, sold, names), "repeated": said.items()}


def _sold_rows(sold: SoldOrder, names: list[str], form: RefundForm) -> list[SoldRow]:
    currency = sold.order.currency_in_force
    return [
        SoldRow(
            name,
            money(sold.places[number].worth, currency),
            sold.places[number].quantity,
            sold.places[number].left,
            field,
        )
        for number, (name, field) in enumerate(zip(names, form.units, strict=True))
    ]


def _table(refund: Refund, units: Any, sold: SoldOrder, names: list[str]) -> RefundTable:
    currency = sold.order.currency_in_force
    offers = {use.public_id: _use_name(use) for use in sold.uses}
    held = refund.held_back_amount
    return RefundTable(
        refund,
        tuple(_units_row(one, names, offers, currency) for one in units),
        tuple(_share(row, offers, currency) for row in refund.gift_credits),
        money(held, currency) if held > 0 else "",
        money(-held, currency) if held < 0 else "",
        money(refund.refund_amount, currency),
        refund.get_mode_display(),
    )


def _units_row(units: RefundedUnits, names: list[str], offers: dict[str, str], currency: str) -> UnitsRow:
    held = units.held_back_amount
    return UnitsRow(
        names[units.line] if 0 <= units.line < len(names) else _("What is on no line, such as shipping"),
        units.quantity,
        money(units.units_amount, currency),
        tuple(_share(row, offers, currency) for row in units.discounts),
        money(units.gift_amount, currency) if units.gift_amount else "",
        money(held, currency) if held else "",
        money(units.refund_amount, currency),
    )


def _share(row: dict[str, Any], offers: dict[str, str], currency: str) -> str:
    name = offers.get(row["redemption_id"]) or row["related_object_id"]
    return f"{name}: {money(row['amount'], currency)}"


def _use_name(use: Redemption) -> str:
    return use.promotion_tier.name if use.promotion_tier else use.voucher_code
