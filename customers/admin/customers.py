"""Customers in the dashboard."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from unfold.decorators import display

from customers.admin.activity import activity_of
from customers.admin.sharing import shared_keys
from customers.consents import consents_of
from customers.models import Customer
from customers.personal_data import personal_data_json
from customers.services.consent import state_consents
from customers.services.delete import delete_customer, erase_customer
from customers.services.upsert import update_customer, upsert_customer
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.ids import parse_key
from promoengine.core.models import Project

FIELDS = ["source_id", "name", "email", "phone", "birthdate", "description"]
KNOWN_BY = ("source_id", "name", "email", "phone")
CHANNEL = "USER_PORTAL"


class CustomerForm(forms.ModelForm):
    """Asks for something a new customer is known by, and for an id that nobody has."""

    project: Project

    class Meta:
        model = Customer
        fields = FIELDS
        labels = {
            "source_id": _("The shop's own id"),
            "email": _("E-mail address"),
            "birthdate": _("Birthday"),
        }
        help_texts = {"source_id": _("By which the shop calls them; once set, it stays.")}

    def clean_email(self) -> str | None:
        """Refuse what no mail would reach; what the shop sent may stay as it is."""
        email: str | None = self.cleaned_data["email"]
        if email and "email" in self.changed_data:
            validate_email(email)
        return email

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance._state.adding and not any(data.get(name) for name in KNOWN_BY):
            raise forms.ValidationError(_("Fill in at least one of the id, name, e-mail address and phone."))
        return data

    def clean_source_id(self) -> str | None:
        source_id: str | None = self.cleaned_data["source_id"]
        others = Customer.objects.filter(project=self.project, source_id=source_id).exclude(
            pk=self.instance.pk
        )
        if source_id and others.exists():
            raise forms.ValidationError(_("Another customer has this id."))
        return source_id


@admin.register(Customer)
class CustomerAdmin(ProjectModelAdmin):
    deletion_says = _(
        "Orders and redemptions stay. “Erase for good” on their page erases all that is held on them."
    )
    nothing_yet = _(
        "Customers come with what a shop sends about them and their orders; they can be added here, too."
    )
    form = CustomerForm
    list_display = ["called", "email", "phone", "source_id", "created_at"]
    search_fields = ["name", "email", "source_id"]
    search_help_text = _("Part of a name, an e-mail address or the shop's own id")
    list_before_template = "dashboard/export_link.html"
    ordering = ["-created_at", "-id"]
    fields = FIELDS
    change_form_outer_after_template = "customers/of_customer.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().get_queryset(request).filter(deleted_at=None)

    def get_form(
        self, request: HttpRequest, obj: Customer | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    @display(description=_("Name"))
    def called(self, customer: Customer) -> str:
        is_known = customer.name or customer.email or customer.source_id
        return customer.name or ("" if is_known else str(_("Guest")))

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> list[str]:
        return ["source_id"] if obj and obj.source_id else []

    def get_urls(self) -> list[Any]:
        pages = (
            ("consents", require_POST(self.state_consents)),
            ("personal-data", require_GET(self.personal_data)),
            ("erase", self.erase),
            ("activity", require_GET(self.activity)),
        )
        return [
            path(
                f"<uuid:object_id>/{name}/",
                self.admin_site.admin_view(page),
                name=f"customers_customer_{name.replace('-', '_')}",
            )
            for name, page in pages
        ] + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if customer := context.get("original"):
            context |= {
                "consents": consents_of(customer),
                "may_change": self.has_change_permission(request, customer),
                "may_erase": self.has_delete_permission(request, customer),
                "sharing": shared_keys(customer),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Customer, form: forms.ModelForm, change: bool) -> None:
        project, now = current_project(request), timezone.now()
        data = {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in form.cleaned_data.items()
        }
        if change:
            update_customer(project, obj.public_id, data=data, channel=CHANNEL, now=now)
        else:
            saved = upsert_customer(project, data=data, channel=CHANNEL, where="", now=now)
            obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: Customer) -> None:
        delete_customer(current_project(request), obj.public_id, channel=CHANNEL, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        for customer in queryset:
            self.delete_model(request, customer)

    def state_consents(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Keep the ticks below the form as what the customer says now."""
        customer = self._customer(request, object_id, allowed=self.has_change_permission(request))
        ticked = request.POST.getlist("consent")
        data = {
            one.consent.public_id: one.consent.public_id in ticked
            for one in consents_of(customer)
            if one.statement or one.consent.public_id in ticked
        }
        state_consents(customer.project, customer.public_id, data=data, channel=CHANNEL, now=timezone.now())
        self.message_user(request, _("The consents are saved."))
        return HttpResponseRedirect(reverse("admin:customers_customer_change", args=[object_id]))

    def personal_data(self, request: HttpRequest, object_id: Any) -> StreamingHttpResponse:
        """Download all that is held on the customer."""
        customer = self._customer(request, object_id, allowed=self.has_change_permission(request))
        name = f"personal-data-{customer.public_id}.json"
        return StreamingHttpResponse(
            personal_data_json(customer, now=timezone.now()),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def activity(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Show the newest that happened to the customer, or the rows of what came before."""
        customer = self._customer(request, object_id, allowed=self.has_view_permission(request))
        before = parse_key(request.GET.get("before", ""))
        template = "customers/activity_rows.html" if before else "customers/activity.html"
        context = {"activity": activity_of(customer, before=before), "url": request.path}
        return render(request, template, context)

    def erase(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Ask whether to erase the customer for good, and do it."""
        customer = self._customer(request, object_id, allowed=self.has_delete_permission(request))
        if request.method == "POST":
            erase_customer(customer.project, customer.public_id, channel=CHANNEL, now=timezone.now())
            self.message_user(request, _("The customer is erased for good."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:customers_customer_changelist"))
        context = self.admin_site.each_context(request) | {
            "title": _("Erase for good"),
            "customer": customer,
        }
        return render(request, "customers/erase.html", context)

    def _customer(self, request: HttpRequest, object_id: Any, *, allowed: bool) -> Customer:
        if not allowed:
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request).select_related("project"), pk=object_id)
