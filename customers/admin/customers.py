"""Customers in the dashboard."""

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services.delete import delete_customer
from customers.services.upsert import update_customer, upsert_customer
from promoengine.core.admin_project import ProjectModelAdmin, current_project

FIELDS = ["source_id", "name", "email", "phone", "birthdate", "description"]


@admin.register(Customer)
class CustomerAdmin(ProjectModelAdmin):
    list_display = ["name", "email", "phone", "source_id", "created_at"]
    search_fields = ["name", "email", "source_id"]
    search_help_text = _("Part of a name, an e-mail address or the shop's own id")
    ordering = ["-created_at", "-id"]
    fields = FIELDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().get_queryset(request).filter(deleted_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> list[str]:
        return ["source_id"] if obj and obj.source_id else []

    def save_model(self, request: HttpRequest, obj: Customer, form: forms.ModelForm, change: bool) -> None:
        project, now = current_project(request), timezone.now()
        data = {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in form.cleaned_data.items()
        }
        if change:
            update_customer(project, obj.public_id, data=data, channel="USER_PORTAL", now=now)
        else:
            saved = upsert_customer(project, data=data, channel="USER_PORTAL", where="", now=now)
            obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: Customer) -> None:
        delete_customer(current_project(request), obj.public_id, channel="USER_PORTAL", now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        for customer in queryset:
            self.delete_model(request, customer)
