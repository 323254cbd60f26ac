"""The shapes of validation rules as they are sent."""

from typing import Any

from rest_framework import serializers

TYPES = ("expression", "basic", "advanced", "complex")
ITEM_DISCOUNTS = (
    "discount.apply_to_order",
    "discount.apply_to_items",
    "discount.apply_to_items_proportionally",
    "discount.apply_to_items_proportionally_by_quantity",
    "discount.apply_to_items_by_quantity",
    "discount.fixed.apply_to_items",
    "discount.percent.apply_to_items",
)
GIFTS = ("gift.apply_to_order", "gift.apply_to_items")


def _contexts(of: str, *kinds: str) -> list[str]:
    return [of, *(f"{of}.{kind}" for kind in kinds)]


CONTEXT_TYPES = (
    "global",
    *_contexts("campaign.discount_coupons", *ITEM_DISCOUNTS),
    *_contexts("campaign.gift_vouchers", *GIFTS),
    *_contexts("campaign.referral_program", *ITEM_DISCOUNTS),
    *_contexts("campaign.promotion", *ITEM_DISCOUNTS),
    "campaign.loyalty_program",
    *_contexts("voucher.discount_voucher", *ITEM_DISCOUNTS),
    *_contexts("voucher.gift_voucher", *GIFTS),
    "voucher.loyalty_card",
    "earning_rule.order.paid",
    "earning_rule.custom_event",
    "earning_rule.customer.segment.entered",
    "earning_rule.customer.tier.joined",
    "earning_rule.customer.tier.left",
    "earning_rule.customer.tier.upgraded",
    "earning_rule.customer.tier.downgraded",
    "earning_rule.customer.tier.prolonged",
    "distribution.custom_event",
    "distribution.order.paid",
    "distribution.order.created",
    "distribution.order.canceled",
    "distribution.order.updated",
    "reward_assignment.pay_with_points",
)


class ObjectField(serializers.DictField):
    """An object, which PHP writes as `[]` where it is empty."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({} if data == [] else data)


class ValidationRuleBody(serializers.Serializer):
    name = serializers.CharField(required=False, max_length=255)
    type = serializers.ChoiceField(TYPES, required=False)
    context_type = serializers.ChoiceField(CONTEXT_TYPES, required=False)
    rules = ObjectField(required=False, allow_null=True, help_text="Numbered conditions and their `logic`.")
    bundle_rules = ObjectField(required=False, allow_null=True)
    applicable_to = ObjectField(
        required=False, allow_null=True, help_text="`included`, `excluded`, `included_all`."
    )
    error = ObjectField(required=False, allow_null=True, help_text="`message` for those it keeps out.")


class ValidationRuleAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    context_type = serializers.CharField()
    rules = serializers.DictField()
    applicable_to = serializers.DictField()
    assignments_count = serializers.IntegerField()
    object = serializers.CharField()


class ValidationRuleList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = ValidationRuleAnswer(many=True)
    total = serializers.IntegerField()


class AssignmentBody(serializers.Serializer):
    """What a rule is to guard: by its type and id, or by an id or code under its name."""

    related_object_type = serializers.ChoiceField(
        ["voucher", "campaign", "promotion_tier", "earning_rule", "reward_assignment", "distribution"],
        default="voucher",
    )
    related_object_id = serializers.CharField(required=False, allow_null=True, max_length=255)
    voucher = serializers.CharField(required=False, allow_null=True, max_length=255)
    campaign = serializers.CharField(required=False, allow_null=True, max_length=255)
    promotion_tier = serializers.CharField(required=False, allow_null=True, max_length=255)


class AssignmentAnswer(serializers.Serializer):
    id = serializers.CharField()
    rule_id = serializers.CharField()
    related_object_type = serializers.CharField()
    related_object_id = serializers.CharField()
    object = serializers.CharField()


class AssignmentList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = AssignmentAnswer(many=True)
    total = serializers.IntegerField()
