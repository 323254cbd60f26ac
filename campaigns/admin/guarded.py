"""The rules on the pages of campaigns, codes and promotions, and the way from there to trying them out."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from campaigns.models import ValidationRule, ValidationRuleAssignment
from campaigns.rule_selectors import assignments_to, rule_by_id
from campaigns.rule_words import Said, rules_in_words
from campaigns.services.related_objects import RelatedObject
from campaigns.services.rules import assign_rule, unassign_rule
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.errors import DomainError
from promoengine.core.models import Project

CHANNEL = "USER_PORTAL"
VIEW, MAKE = "campaigns.view_validationrule", "campaigns.add_validationrule"
CHANGE = ("campaigns.add_validationruleassignment", "campaigns.delete_validationruleassignment")
TRY = "redemptions.view_redemption"
OFFERED = 500


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that guards something, in words; one that came with the campaign is taken off there."""

    assignment: ValidationRuleAssignment
    rule: ValidationRule
    said: list[Said]
    is_own: bool


class GuardedAdmin(ProjectModelAdmin):
    """An admin of something rules may guard, and the simulator may try."""

    def related(self, project: Project, row: Any) -> RelatedObject:
        """Return what assignments call the row."""
        raise NotImplementedError

    def tried(self, row: Any) -> list[tuple[str, str]]:
        """Return what the simulator is filled in with to try the row: codes, promotions."""
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        panel = self.admin_site.admin_view(self.rules_panel)
        return [path("<uuid:object_id>/rules/", panel, name=self._rules_name), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if (row := context.get("original")) and request.user.has_perm(VIEW):
            context["rules_url"] = reverse(f"admin:{self._rules_name}", args=[row.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    @action(description=_("Try it out"), url_path="try-out", permissions=[TRY])
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        return HttpResponseRedirect(f"{reverse('admin:redemptions_simulator')}?{urlencode(self.tried(row))}")

    def rules_panel(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Show the rules that guard a row, and let one guard it, or no longer."""
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        project, mistake = current_project(request), ""
        may_change = all(request.user.has_perm(permission) for permission in CHANGE)
        if not request.user.has_perm(VIEW) or (request.method == "POST" and not may_change):
            raise PermissionDenied
        if request.method == "POST":
            try:
                change_guards(project, self.related(project, row), request)
            except DomainError as refusal:
                mistake = str(refusal)
        guards = guards_of(project, row)
        context = {
            "guards": guards,
            "rules": rules_beside(project, guards) if may_change else [],
            "may_change": may_change,
            "may_make": request.user.has_perm(MAKE),
            "mistake": mistake,
            "rules_url": request.path,
            "page_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk]),
        }
        return render(request, "campaigns/guards.html", context)

    @property
    def _rules_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_rules"


def change_guards(project: Project, related: RelatedObject, request: HttpRequest) -> None:
    """Let the posted rule guard an object, or the rule of the posted assignment no longer.

    Raises:
        NotFound: the project has no such rule.
        Duplicate: the rule guards the object already.
    """
    now = timezone.now()
    if ref := request.POST.get("assign"):
        assign_rule(project, ref, related=related, channel=CHANNEL, now=now)
    elif ref := request.POST.get("unassign"):
        rule = rule_by_id(project, ref)
        found = ValidationRuleAssignment.objects.filter(rule=rule, related_object_id=related.key)
        for assignment in found:
            unassign_rule(project, assignment, related=related, channel=CHANNEL, now=now)


def guards_of(project: Project, row: Model) -> list[Guard]:
    """Return the rules on a row in words, its campaign's among them, in a constant number of queries."""
    campaign_id: uuid.UUID | None = getattr(row, "campaign_id", None)
    keys = [key for key in (row.pk, campaign_id) if key]
    by_key = assignments_to(keys)
    assignments = [one for key in keys for one in by_key.get(key, ())]
    rules = ValidationRule.objects.in_bulk([one.rule_id for one in assignments])
    said = rules_in_words(project, list(rules.values()))
    return [
        Guard(one, rules[one.rule_id], said[rules[one.rule_id]], one.related_object_id == row.pk)
        for one in assignments
    ]


def rules_beside(project: Project, guards: list[Guard]) -> list[ValidationRule]:
    """Return the rules that could be assigned too, the newest first."""
    own = [guard.rule.pk for guard in guards if guard.is_own]
    return list(ValidationRule.objects.filter(project=project).exclude(pk__in=own).order_by("-pk")[:OFFERED])
