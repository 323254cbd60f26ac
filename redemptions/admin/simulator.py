"""The page to try offers out: what a storefront would be answered, without using anything up."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.admin.picker import picked_in, picker_options, searched_in
from campaigns.catalogue_search import search_lines, typed_name
from campaigns.models import Product, Sku
from campaigns.sentences import money
from promoengine.core.admin_project import current_project
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from redemptions.admin.simulator_answer import Suggestion, answer_of, suggestions_of
from redemptions.admin.simulator_choices import (
    named_promotions,
    search_customers,
    search_promotions,
    typed_customer,
)
from redemptions.admin.simulator_forms import SimulatorForm
from redemptions.channel import Channel
from redemptions.services.qualify import QualificationRequest, qualify
from redemptions.services.validate import validate

PERMISSION = "redemptions.view_redemption"
SUGGESTED = 20
TRY, QUALIFY = "try", "qualify"


def simulator(request: HttpRequest) -> HttpResponse:
    """Show the form, and below it what would become of what it says."""
    project, asked = _project(request), request.GET.get("ask")
    form = SimulatorForm(project, request.GET, is_asked=asked in (TRY, QUALIFY))
    context = admin.site.each_context(request) | {
        "title": _("Try it out"),
        "project": project,
        "form": form,
        "lines_url": reverse("admin:redemptions_simulator_goods"),
        "customers_url": reverse("admin:redemptions_simulator_customers"),
    }
    if asked in (TRY, QUALIFY) and form.is_valid():
        context |= _found(request, project, form, wants_suggestions=asked == QUALIFY)
    return render(request, "redemptions/simulator.html", context)


def simulator_goods(request: HttpRequest) -> HttpResponse:
    """Offer products and SKUs for what is being typed in a line."""
    project = _project(request)
    field = next((name for name in request.GET if name.endswith("-what")), "")
    products, skus = search_lines(project, searched_in(request, field))
    goods: list[Product | Sku] = [*products, *skus]
    rows = [(typed_name(good), _price(good, project)) for good in goods]
    return render(request, "redemptions/simulator_choices.html", {"rows": rows})


def simulator_customers(request: HttpRequest) -> HttpResponse:
    """Offer customers for what is being typed."""
    found = search_customers(_project(request), searched_in(request, "customer"))
    rows = [(typed_customer(customer), customer.email or "") for customer in found]
    return render(request, "redemptions/simulator_choices.html", {"rows": rows})


def simulator_promotions(request: HttpRequest) -> HttpResponse:
    """Offer promotions to tick."""
    project = _project(request)
    picked = named_promotions(project, picked_in(request))
    return picker_options(request, picked, search_promotions(project, searched_in(request)))


def _price(good: Product | Sku, project: Project) -> str:
    price = good.product.price if isinstance(good, Sku) and good.price is None else good.price
    return "" if price is None else money(price, project.currency)


def _project(request: HttpRequest) -> Project:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    return current_project(request)


def _found(
    request: HttpRequest, project: Project, form: SimulatorForm, *, wants_suggestions: bool
) -> dict[str, Any]:
    now = form.cleaned_data["at"] or timezone.now()
    found: dict[str, Any] = {
        "at": now,
        "customer": form.customer_found,
        "stranger": form.cleaned_data["customer"] if form.customer_found is None else "",
        "is_tried": not wants_suggestions,
    }
    try:
        checkout = form.to_checkout()
        if wants_suggestions:
            asked = QualificationRequest(checkout, limit=SUGGESTED, sorting="BEST_DEAL")
            qualification = qualify(project, asked, channel=Channel(), now=now)
            rows = suggestions_of(qualification, project.currency)
            return found | {
                "suggestions": [(row, _with(request.GET, row)) for row in rows],
                "has_more": qualification.has_more,
            }
        if checkout.redeemables:
            validation = validate(project, checkout, channel=Channel(), now=now)
            names = [line.name for line in form.used_lines]
            found["answer"] = answer_of(validation, names)
    except DomainError as refusal:
        form.add_error(None, f"{refusal.message}: {refusal.details}")
    return found


def _with(query: QueryDict, suggestion: Suggestion) -> str:
    """Return the page's address with a suggestion among the codes or promotions, or nothing."""
    if not suggestion.field:
        return ""
    more = query.copy()
    more["ask"] = TRY
    if suggestion.field == "codes":
        more["codes"] = "\n".join([*filter(None, [query.get("codes", "")]), *suggestion.values])
    else:
        more.setlist("promotions", [*query.getlist("promotions"), *suggestion.values])
    return f"?{urlencode(list(_pairs(more)))}"


def _pairs(query: QueryDict) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, values in query.lists() for value in values if value]
