from django.db import models
from django.utils import timezone

from promoengine.core.ids import public_id
from promoengine.core.models import ProjectModel
from promoengine.core.privacy import Privacy

# The prefixes of what a rule may be assigned to, some of it of higher rooms.
RELATED_PREFIXES = {
    "voucher": "v",
    "campaign": "camp",
    "promotion_tier": "promo",
    "earning_rule": "ern",
    "reward_assignment": "rewa",
    "distribution": "distr",
}


class ValidationRule(ProjectModel):
    """Conditions and logic that decide whether a redeemable may be used, as the wire has them.

    `version` grows with each change, so that what is compiled from a rule can be kept by (id, version).
    """

    prefix = "val"

    name = models.CharField(max_length=255)
    type = models.CharField(max_length=10, default="expression")
    context_type = models.CharField(max_length=100, default="global")
    rules = models.JSONField(default=dict, blank=True)
    bundle_rules = models.JSONField(default=dict, blank=True)
    applicable_to = models.JSONField(default=dict, blank=True)
    error = models.JSONField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(null=True, editable=False)

    # An annotation of the selectors.
    assignments_count: int

    privacy = Privacy(
        free="name type context_type rules bundle_rules applicable_to error version created_at updated_at"
    )

    def __str__(self) -> str:
        return self.name


class ValidationRuleAssignment(ProjectModel):
    """Ties a rule to what it guards; that row may live in a higher room, so its key has no constraint."""

    prefix = "asgm"

    class RelatedObject(models.TextChoices):
        VOUCHER = "voucher", "Code"
        CAMPAIGN = "campaign", "Campaign"
        PROMOTION_TIER = "promotion_tier", "Promotion"
        EARNING_RULE = "earning_rule", "Earning rule"
        REWARD_ASSIGNMENT = "reward_assignment", "Reward"
        DISTRIBUTION = "distribution", "Distribution"

    rule = models.ForeignKey(ValidationRule, on_delete=models.CASCADE, related_name="+")
    related_object_type = models.CharField(max_length=17, choices=RelatedObject.choices)
    related_object_id = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(free="related_object_type related_object_id created_at")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "related_object_type", "related_object_id"], name="rule_assigned_once"
            )
        ]
        indexes = [models.Index(fields=["related_object_id"], name="rule_assignment_of_object")]

    def __str__(self) -> str:
        return f"{self.rule_id} on {self.related_object_type} {self.related_object_id}"

    @property
    def related_public_id(self) -> str:
        return public_id(RELATED_PREFIXES[self.related_object_type], self.related_object_id)
