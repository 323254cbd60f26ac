"""Categories in the dashboard, each with how it meets the others."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from campaigns.models import Category
from campaigns.selectors import stacking_project
from campaigns.services.categories import create_category, delete_category, update_category
from campaigns.services.stacking import CATEGORY_LIMIT_MAX, set_category_stacking
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.models import Project
from promoengine.engine.stacking import StackingRules, parse_stacking_rules

# Each choice is the list of the stacking rules that a category is put on; none is the default.
MEETING = [
    ("", _("With other ordinary offers")),
    ("exclusive_categories", _("Alone: not with ordinary offers")),
    ("joint_categories", _("With every offer, even with one that stands alone")),
]
NO_EFFECT = [
    ("", _("As the stacking rules say")),
    ("no_effect_skip_categories", _("Leave the offer out, so that it can be used another time")),
    ("no_effect_redeem_anyway_categories", _("Use the offer up all the same")),
]
CALCULATION = [
    ("", _("As the stacking rules say")),
    ("initial_amount_mode_categories", _("Of the original price")),
    ("discounted_amount_mode_categories", _("Of what is left to pay after the offers before")),
]
CHOICES = {"meeting": MEETING, "no_effect": NO_EFFECT, "calculation": CALCULATION}


class CategoryForm(forms.ModelForm):
    """Makes and changes a category, and says how its offers meet others."""

    meeting = forms.ChoiceField(
        choices=MEETING,
        required=False,
        label=_("Its offers can be used"),
        help_text=_("Whether a cart may hold an offer of this category beside others."),
        widget=UnfoldAdminSelectWidget(choices=MEETING),
    )
    no_effect = forms.ChoiceField(
        choices=NO_EFFECT,
        required=False,
        label=_("Where an offer changes nothing"),
        help_text=_("As when the order is free already through the offers before it."),
        widget=UnfoldAdminSelectWidget(choices=NO_EFFECT),
    )
    calculation = forms.ChoiceField(
        choices=CALCULATION,
        required=False,
        label=_("Percentages are taken"),
        widget=UnfoldAdminSelectWidget(choices=CALCULATION),
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=CATEGORY_LIMIT_MAX,
        label=_("At most in one order"),
        help_text=_(
            "How many offers of this category one order may use; empty is as the stacking rules say."
        ),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = Category
        fields = ["name", "hierarchy"]
        help_texts = {
            "hierarchy": _("The lower, the earlier, where the stacking rules go by category. 0 comes first.")
        }

    project: Project

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            return
        rules, own = project_rules(self.project), self.instance.public_id
        for field, choices in CHOICES.items():
            self.initial[field] = next(
                (name for name, _ in choices if name and own in getattr(rules, name)), ""
            )
        self.initial["limit"] = rules.applicable_redeemables_category_limits.get(own)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Category.objects.filter(project=self.project, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(_("Another category has this name."))
        return name

    def lists(self) -> dict[str, bool]:
        """Return for each list of the stacking rules whether the category is on it."""
        return {
            name: name == self.cleaned_data[field]
            for field, choices in CHOICES.items()
            for name, _ in choices
            if name
        }


@admin.register(Category)
class CategoryAdmin(ProjectModelAdmin):
    nothing_yet = _("A category is a group of offers, and says whether they go with others.")
    form = CategoryForm
    list_display = ["name", "hierarchy", "meeting"]
    search_fields = ["name"]
    ordering = ["hierarchy", "name"]
    fieldsets = [
        (None, {"fields": ["name", "hierarchy"]}),
        (_("Beside other offers"), {"fields": ["meeting", "no_effect", "calculation", "limit"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Category | None = None) -> Any:
        return self.in_words(request, obj, super().get_fieldsets(request, obj))

    def get_form(
        self, request: HttpRequest, obj: Category | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = CategoryForm.Meta.fields
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        self.rules = project_rules(current_project(request))
        return super().get_queryset(request)

    @display(description=_("Its offers can be used"))
    def meeting(self, category: Category) -> Any:
        own = category.public_id
        return next(
            (text for name, text in MEETING if name and own in getattr(self.rules, name)), MEETING[0][1]
        )

    def save_model(self, request: HttpRequest, obj: Category, form: CategoryForm, change: bool) -> None:
        project, now = current_project(request), timezone.now()
        data = {"name": form.cleaned_data["name"], "hierarchy": form.cleaned_data["hierarchy"]}
        if change:
            saved = update_category(project, obj.public_id, data=data, now=now)
        else:
            saved = create_category(project, data=data, now=now)
            obj.pk, obj.project = saved.pk, project
        set_category_stacking(project, saved, lists=form.lists(), limit=form.cleaned_data["limit"], now=now)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        delete_category(current_project(request), obj.public_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        for category in queryset:
            self.delete_model(request, category)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the categories: what carries one stays."""
        return [str(category) for category in objs], {_("categories"): len(objs)}, set(), []


def project_rules(project: Project) -> StackingRules:
    """Return the project's stacking rules as they are now."""
    return parse_stacking_rules(stacking_project(project).stacking_rules)
