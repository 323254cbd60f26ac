"""The shapes of promotions, categories and stacking rules as they are sent."""

from rest_framework import serializers

from promoengine.core.api.serializers import MomentField

INTEGER_MAX = 2**31 - 1


class TermsBody(serializers.Serializer):
    """What campaigns, promotion tiers and vouchers have in common; absent fields stay absent."""

    category = serializers.CharField(required=False, allow_null=True, max_length=255)
    category_id = serializers.CharField(required=False, allow_null=True, max_length=64)
    start_date = MomentField(required=False, allow_null=True)
    expiration_date = MomentField(required=False, allow_null=True)
    validity_timeframe = serializers.DictField(required=False, allow_null=True)
    validity_day_of_week = serializers.ListField(
        child=serializers.IntegerField(), required=False, allow_null=True
    )
    validity_hours = serializers.DictField(required=False, allow_null=True)
    metadata = serializers.DictField(required=False, allow_null=True)
    validation_rules = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)


class TierBody(TermsBody):
    name = serializers.CharField(required=False, max_length=255)
    banner = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    action = serializers.DictField(required=False, allow_null=True, help_text="`discount`, as in vouchers.")
    hierarchy = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=INTEGER_MAX,
        help_text="1 comes first; the next free number unless given.",
    )
    active = serializers.BooleanField(required=False, allow_null=True)


class PromotionBody(serializers.Serializer):
    tiers = TierBody(many=True, required=False, allow_null=True)


class StackTiersBody(serializers.Serializer):
    ids = serializers.ListField(child=serializers.CharField(), required=False)
    hierarchy_mode = serializers.ChoiceField(["MANUAL"], required=False)


class StackBody(serializers.Serializer):
    name = serializers.CharField(required=False, max_length=255)
    tiers = StackTiersBody(required=False)
    category_id = serializers.CharField(required=False, allow_null=True, max_length=64)


class CategoryBody(serializers.Serializer):
    name = serializers.CharField(required=False, max_length=255)
    hierarchy = serializers.IntegerField(
        required=False, min_value=0, max_value=INTEGER_MAX, help_text="The lower, the earlier it applies."
    )


class TierAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    hierarchy = serializers.IntegerField()
    active = serializers.BooleanField()
    object = serializers.CharField()


class TierList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    tiers = TierAnswer(many=True)
    total = serializers.IntegerField()
    has_more = serializers.BooleanField()


class StackAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    tiers = serializers.DictField(help_text="`ids` in the order in which they apply.")
    campaign_id = serializers.CharField()
    object = serializers.CharField()


class StackList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = StackAnswer(many=True)
    total = serializers.IntegerField()


class CategoryAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    hierarchy = serializers.IntegerField()
    object = serializers.CharField()


class CategoryList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = CategoryAnswer(many=True)
    total = serializers.IntegerField()
    has_more = serializers.BooleanField()
