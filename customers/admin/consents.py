"""Consents in the dashboard."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from customers.admin.customers import CHANNEL
from customers.models import Consent, ConsentStatement
from customers.services.consent import delete_consent, save_consent
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.models import Project


class ConsentForm(forms.ModelForm):
    """Makes and changes a consent, whose name no other has."""

    project: Project

    class Meta:
        model = Consent
        fields = ["name", "category", "description"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = (
            Consent.objects.present().filter(project=self.project, name=name).exclude(pk=self.instance.pk)
        )
        if others.exists():
            raise forms.ValidationError(_("Another consent has this name."))
        return name


@admin.register(Consent)
class ConsentAdmin(ProjectModelAdmin):
    form = ConsentForm
    deletion_says = _(
        "Customers are not asked for it any more. What they said stays as evidence, and who refused stays"
        " refused."
    )
    nothing_yet = _("A consent is what customers are asked to agree to, as a newsletter by e-mail.")
    paginator = Paginator  # there are few
    list_display = ["name", "category", "given", "created_at"]
    search_fields = ["name"]
    search_help_text = _("Part of a name")
    ordering = ["name"]
    fields = ["name", "category", "description"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consent]:
        return super().get_queryset(request).filter(deleted_at=None)

    def get_form(
        self, request: HttpRequest, obj: Consent | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def save_model(self, request: HttpRequest, obj: Consent, form: forms.ModelForm, change: bool) -> None:
        project = current_project(request)
        earlier = Consent.objects.get(project=project, pk=obj.pk) if change else None
        obj.pk = save_consent(project, earlier, **form.cleaned_data, channel=CHANNEL, now=timezone.now()).pk

    def delete_model(self, request: HttpRequest, obj: Consent) -> None:
        delete_consent(current_project(request), obj.public_id, channel=CHANNEL, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Consent]) -> None:
        for consent in queryset:
            self.delete_model(request, consent)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the consents themselves: what customers said stays."""
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    @display(description=_("Given by"))
    def given(self, consent: Consent) -> int:
        newest = ConsentStatement.objects.filter(consent=consent).order_by("customer", "-id")
        rows = ConsentStatement.objects.filter(pk__in=newest.distinct("customer").values("pk"))
        counted: int = rows.aggregate(count=Count("pk", filter=Q(is_given=True)))["count"]
        return counted
