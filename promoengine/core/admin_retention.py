"""How long a project keeps its data, in the dashboard."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.models import RetentionPeriod
from promoengine.core.privacy import retained_models
from promoengine.core.services.retention import add_retention, set_retention


class RetentionForm(forms.ModelForm):
    class Meta:
        model = RetentionPeriod
        fields = ["table", "days"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "table" in self.fields:
            choices = sorted((_words(label), label) for label in retained_models())
            self.fields["table"] = forms.ChoiceField(
                label=_("What"),
                choices=[(label, words) for words, label in choices],
                widget=UnfoldAdminSelectWidget,
                help_text=_(
                    "Orders, redemptions and publications keep their amounts and lose what is personal;"
                    " customers are erased; the rest is deleted."
                ),
            )


@admin.register(RetentionPeriod)
class RetentionPeriodAdmin(ProjectModelAdmin):
    nothing_yet = _("All is kept for ever. Say of what, and after how many days, old data are to be deleted.")
    form = RetentionForm
    paginator = Paginator  # there are few
    list_display = ["what", "days", "then"]
    ordering = ["table"]
    fields = ["table", "days"]

    def get_readonly_fields(self, request: HttpRequest, obj: RetentionPeriod | None = None) -> list[str]:
        return ["what", "then"] if obj else []

    def get_fields(self, request: HttpRequest, obj: RetentionPeriod | None = None) -> list[str]:
        return ["what", "days", "then"] if obj else ["table", "days"]

    def save_model(
        self, request: HttpRequest, obj: RetentionPeriod, form: forms.ModelForm, change: bool
    ) -> None:
        save = set_retention if change else add_retention
        saved = save(current_project(request), table=obj.table, days=obj.days, now=timezone.now())
        obj.pk = saved.pk

    @display(description=_("What"), ordering="table")
    def what(self, period: RetentionPeriod) -> str:
        return _words(period.table)

    @display(description=_("What happens then"))
    def then(self, period: RetentionPeriod) -> Any:
        found = retained_models().get(period.table)
        if found is None:
            return _("Nothing: there is no such data any more")
        _model, privacy = found
        if privacy.forgotten_by:
            return _("They are erased for good, in every table")
        return _("Deleted") if privacy.is_deleted else _("What is personal is blanked, amounts stay")


def _words(label: str) -> str:
    found = retained_models().get(label)
    return found[1].retention if found else label
