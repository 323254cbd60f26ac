"""The page of a project's stacking rules."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from campaigns.models import ProjectStacking
from campaigns.services.stacking import LIMITS, UNLIMITED, save_stacking_rules
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.engine.stacking import parse_stacking_rules


def choice(label: Any, choices: list[tuple[str, Any]], help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=choices, label=label, help_text=help_text, widget=UnfoldAdminSelectWidget(choices=choices)
    )


def limit(name: str, label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        min_value=1,
        max_value=LIMITS[name][0],
        required=name not in UNLIMITED,
        label=label,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class StackingForm(forms.ModelForm):
    """Changes how the offers of one order meet."""

    redeemables_application_mode = choice(
        _("When one of several offers does not apply"),
        [
            ("ALL", _("None is used: all or nothing")),
            ("PARTIAL", _("The others are used, it is left out")),
        ],
    )
    redeemables_sorting_rule = choice(
        _("Offers apply"),
        [
            ("REQUESTED_ORDER", _("In the order in which the shop sends them")),
            ("CATEGORY_HIERARCHY", _("By category, the lowest number first")),
        ],
        _("Each offer sees the order as those before it left it."),
    )
    grouped_redeemables_sorting_rule = choice(
        _("Offers that go with every other"),
        [
            ("JOINT_ALWAYS_LAST", _("Apply after those that stand alone")),
            ("SORTING_RULE", _("Take their turn like all others")),
        ],
        _("Whether an offer stands alone or goes with every other is set on its category."),
    )
    discount_calculation_mode = choice(
        _("Percentages are taken"),
        [
            ("DISCOUNTED_AMOUNT", _("Of what is left to pay after the offers before")),
            ("INITIAL_AMOUNT", _("Of the original price")),
        ],
    )
    redeemables_products_application_mode = choice(
        _("One product can be reduced"),
        [
            ("STACK", _("By several offers")),
            ("ONCE", _("By one offer, the first that reaches it")),
        ],
    )
    redeemables_no_effect_rule = choice(
        _("Where an offer changes nothing"),
        [
            ("REDEEM_ANYWAY", _("Use it up all the same")),
            ("SKIP", _("Leave it out, so that it can be used another time")),
        ],
        _("As when the order is free already through the offers before it."),
    )
    redeemables_rollback_order_mode = choice(
        _("When a redemption is rolled back"),
        [
            ("WITH_ORDER", _("Take its discount off the order and cancel the order")),
            ("WITHOUT_ORDER", _("Leave the order as it was, as for refunds")),
        ],
    )
    redeemables_limit = limit(
        "redeemables_limit", _("Offers in one request"), _("How many offers the shop may send at once.")
    )
    applicable_redeemables_limit = limit(
        "applicable_redeemables_limit", _("Offers used in one order"), _("Those beyond it are left out.")
    )
    applicable_redeemables_per_category_limit = limit(
        "applicable_redeemables_per_category_limit",
        _("Of them, of the same category"),
        _("Empty is without limit; a category may have a limit of its own."),
    )
    applicable_exclusive_redeemables_limit = limit(
        "applicable_exclusive_redeemables_limit", _("Of them, offers that stand alone")
    )
    applicable_exclusive_redeemables_per_category_limit = limit(
        "applicable_exclusive_redeemables_per_category_limit",
        _("Of those, of the same category"),
        _("Empty is without limit."),
    )

    class Meta:
        model = ProjectStacking
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial |= parse_stacking_rules(self.instance.stacking_rules).management_to_wire()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, (_maximum, ceiling) in LIMITS.items():
            most = cleaned.get(ceiling) if ceiling else None
            if most is not None and (cleaned.get(name) or 0) > most:
                self.add_error(
                    name,
                    _("It may not be more than “%(limit)s”, which is %(most)d.")
                    % {"limit": self.fields[str(ceiling)].label, "most": most},
                )
        return cleaned


@admin.register(ProjectStacking)
class StackingAdmin(ProjectModelAdmin):
    form = StackingForm
    fieldsets = [
        (
            _("When several offers meet"),
            {
                "fields": [
                    "redeemables_application_mode",
                    "redeemables_sorting_rule",
                    "grouped_redeemables_sorting_rule",
                    "discount_calculation_mode",
                ]
            },
        ),
        (
            _("Products and orders"),
            {
                "fields": [
                    "redeemables_products_application_mode",
                    "redeemables_no_effect_rule",
                    "redeemables_rollback_order_mode",
                ]
            },
        ),
        (_("At most"), {"fields": list(LIMITS)}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProjectStacking]:
        return ProjectStacking.objects.filter(pk=current_project(request).pk)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.in_words(request, obj, super().get_fieldsets(request, obj))

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = StackingForm.Meta.fields
        return super().get_form(request, obj, change=change, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(page_url(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ProjectStacking, form: StackingForm, change: bool
    ) -> None:
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        if changed:
            save_stacking_rules(current_project(request), data=changed, now=timezone.now())


def page_url(request: HttpRequest) -> str:
    """Return the page of the current project's stacking rules."""
    return reverse("admin:campaigns_projectstacking_change", args=[current_project(request).pk])
