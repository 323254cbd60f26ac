"""Validation rules in the dashboard: conditions in words, built without JSON."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from campaigns.admin.picker import picked_in, picker_options, searched_in
from campaigns.admin.rule_conditions import ConditionForm
from campaigns.admin.rule_forms import (
    ROWS,
    RuleForm,
    entry_of,
    joined,
    known_things,
    picked_in_rows,
    posted_row,
)
from campaigns.catalogue_search import named_things, search_goods, search_locations, search_segments
from campaigns.models import Campaign, PromotionTier, ValidationRule, ValidationRuleAssignment
from campaigns.rule_selectors import rules_for_wire
from campaigns.rule_words import Said, ids_in, rule_in_words, rules_in_words
from campaigns.services.rules import create_validation_rule, delete_validation_rule, update_validation_rule
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.models import Project
from promoengine.engine.rules import InvalidRule, parse_rule

CHANNEL = "USER_PORTAL"
SHOWN = 50


@admin.register(ValidationRule)
class RuleAdmin(ProjectModelAdmin):
    nothing_yet = _("A rule says who may use an offer, and on which orders.")
    form = RuleForm
    list_display = ["name", "in_words", "guards", "created_at"]
    search_fields = ["name"]
    search_help_text = _("Part of a name")
    ordering = ["-id"]
    fields = ["name"]
    change_form_after_template = "campaigns/rule_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ValidationRule]:
        return rules_for_wire(current_project(request))

    def get_urls(self) -> list[Any]:
        pages = [
            ("condition/", self.condition, "campaigns_rule_condition"),
            ("goods/", self.goods, "campaigns_rule_goods"),
            ("segments/", self.segments, "campaigns_rule_segments"),
            ("locations/", self.locations, "campaigns_rule_locations"),
            ("preview/", self.preview, "campaigns_rule_preview"),
        ]
        return [
            *(path(route, self.admin_site.admin_view(page), name=name) for route, page, name in pages),
            *super().get_urls(),
        ]

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = RuleForm.Meta.fields
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Load what the rules of the page say, all at once."""
        changelist = super().get_changelist_instance(request)
        rows: list[Any] = list(changelist.result_list)
        said = rules_in_words(current_project(request), rows)
        for rule in rows:
            rule.said = said[rule]
        return changelist

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        context["rows_url"] = reverse("admin:campaigns_rule_condition")
        context["preview_url"] = reverse("admin:campaigns_rule_preview")
        if rule := context.get("original"):
            context["said"] = rules_in_words(current_project(request), [rule])[rule]
            context["guarded"], context["codes_count"] = guarded_by(rule)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: ValidationRule, form: RuleForm, change: bool) -> None:
        project, now, data = current_project(request), timezone.now(), form.to_wire()
        if change:
            update_validation_rule(project, obj.public_id, data=data, channel=CHANNEL, now=now)
        else:
            obj.pk = create_validation_rule(project, data=data, channel=CHANNEL, now=now).pk

    def response_post_save_add(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Go back to the page of the offer that the rule was made for, where there is one."""
        back = request.GET.get("back", "")
        is_ours = back.startswith(reverse("admin:index")) and url_has_allowed_host_and_scheme(back, None)
        return HttpResponseRedirect(back) if is_ours else super().response_post_save_add(request, obj)

    def delete_model(self, request: HttpRequest, obj: ValidationRule) -> None:
        delete_validation_rule(current_project(request), obj.public_id, channel=CHANNEL, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ValidationRule]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the rules: what they guarded stays, and they guard it no longer."""
        return [str(rule) for rule in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    @display(description=_("What it says"))
    def in_words(self, rule: Any) -> str:
        return format_html_join(mark_safe("<br>"), "{}", ((str(said),) for said in rule.said))

    @display(description=_("Offers it guards"))
    def guards(self, rule: ValidationRule) -> int:
        return rule.assignments_count

    def condition(self, request: HttpRequest) -> HttpResponse:
        """Return a row with the operators and values that fit what was chosen in it, or an empty one."""
        project = self._project(request)
        number = request.GET.get("row", "")
        row = int(number) if number.isdecimal() and int(number) < ROWS else ROWS - 1
        values = {} if "empty" in request.GET else posted_row(request.GET, row)
        known = known_things(project, picked_in_rows([values]), {})
        shown = ConditionForm(project, row, values=values, known=known)
        context = {"condition": shown, "rows_url": reverse("admin:campaigns_rule_condition")}
        if "add" in request.GET and row + 1 < ROWS:
            context["next_row"] = row + 1
        return render(request, "campaigns/rule_condition.html", context)

    def goods(self, request: HttpRequest) -> HttpResponse:
        """Offer products, SKUs and collections to tick."""
        project = self._project(request)
        picked = named_things(project, picked_in(request))
        return picker_options(request, picked, search_goods(project, searched_in(request)))

    def segments(self, request: HttpRequest) -> HttpResponse:
        """Offer segments to tick."""
        project = self._project(request)
        picked = named_things(project, picked_in(request))
        return picker_options(request, picked, search_segments(project, searched_in(request)))

    def locations(self, request: HttpRequest) -> HttpResponse:
        """Offer locations to tick."""
        project = self._project(request)
        picked = named_things(project, picked_in(request))
        return picker_options(request, picked, search_locations(project, searched_in(request)))

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Say what the rule would say if it were saved as it stands in the form."""
        project = self._project(request)
        said = preview_in_words(project, request)
        return render(request, "campaigns/rule_said.html", {"said": said})

    def _project(self, request: HttpRequest) -> Project:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return current_project(request)


def guarded_by(rule: ValidationRule) -> tuple[list[tuple[str, str]], int]:
    """Return the names and pages of the campaigns and promotions a rule guards, and how many codes."""
    rows = ValidationRuleAssignment.objects.filter(rule=rule).order_by("-pk")
    keys: dict[str, list[Any]] = {}
    for kind, key in rows.values_list("related_object_type", "related_object_id"):
        keys.setdefault(kind, []).append(key)
    campaigns = Campaign.objects.present().filter(pk__in=keys.get("campaign", [])[:SHOWN])
    tiers = PromotionTier.objects.filter(pk__in=keys.get("promotion_tier", [])[:SHOWN])
    pages = [(row.name, reverse("admin:campaigns_campaign_change", args=[row.pk])) for row in campaigns]
    pages += [(row.name, reverse("admin:campaigns_promotiontier_change", args=[row.pk])) for row in tiers]
    return pages, len(keys.get("voucher", []))


def preview_in_words(project: Project, request: HttpRequest) -> list[Said]:
    """Return what a posted form says as far as it is complete."""
    rows = [posted_row(request.POST, row) for row in range(ROWS)]
    products = {name: request.POST.getlist(name) for name in ("included", "excluded")}
    known = known_things(project, [*picked_in_rows(rows), *products["included"], *products["excluded"]], {})
    forms = [
        ConditionForm(project, row, values=values, known=known, is_bound=True)
        for row, values in enumerate(rows)
    ]
    complete = [form.to_wire() for form in forms if form.is_used and form.is_valid()]
    scope = {name: [entry_of(ref) for ref in refs] for name, refs in products.items()}
    try:
        rule = parse_rule(
            {"rules": joined(complete, request.POST.get("junction") or "and"), "applicable_to": scope}
        )
    except InvalidRule as error:
        return [Said(str(error))]
    names = {one.id: one.name for one in named_things(project, ids_in(rule)).values()}
    return rule_in_words(rule, project.currency, names)
