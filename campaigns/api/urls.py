"""The routes of promotions, validation rules and what else needs no codes."""

from django.urls import path

from campaigns.api import categories, stacking, validation_rules

urlpatterns = [
    path("v1/validation-rules", validation_rules.ValidationRules.as_view()),
    path("v1/validation-rules/<str:rule_id>", validation_rules.ValidationRuleById.as_view()),
    path("v1/validation-rules-assignments", validation_rules.AllRuleAssignments.as_view()),
    path("v1/categories", categories.Categories.as_view()),
    path("v1/categories/<str:category_id>", categories.CategoryById.as_view()),
    path("management/v1/projects/<str:project_id>/stacking-rules", stacking.StackingRulesList.as_view()),
    path(
        "management/v1/projects/<str:project_id>/stacking-rules/<str:rules_id>",
        stacking.StackingRulesById.as_view(),
    ),
]
