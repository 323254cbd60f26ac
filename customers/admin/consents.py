"""Consents in the dashboard."""

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from customers.models import Consent, ConsentStatement
from customers.services.consent import save_consent
from promoengine.core.admin_project import ProjectModelAdmin, current_project


@admin.register(Consent)
class ConsentAdmin(ProjectModelAdmin):
    paginator = Paginator  # there are few
    list_display = ["name", "category", "given", "created_at"]
    search_fields = ["name"]
    search_help_text = _("Part of a name")
    ordering = ["name"]
    fields = ["name", "category", "description"]

    def save_model(self, request: HttpRequest, obj: Consent, form: forms.ModelForm, change: bool) -> None:
        project = current_project(request)
        earlier = Consent.objects.get(project=project, pk=obj.pk) if change else None
        obj.pk = save_consent(project, earlier, **form.cleaned_data, now=timezone.now()).pk

    @display(description=_("Given by"))
    def given(self, consent: Consent) -> int:
        newest = ConsentStatement.objects.filter(consent=consent).order_by("customer", "-id")
        rows = ConsentStatement.objects.filter(pk__in=newest.distinct("customer").values("pk"))
        counted: int = rows.aggregate(count=Count("pk", filter=Q(is_given=True)))["count"]
        return counted
