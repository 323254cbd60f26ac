"""The shapes of checkout bodies for the API's description; `requests.py` reads and checks them."""

from rest_framework import serializers


class RedeemableBody(serializers.Serializer):
    object = serializers.ChoiceField(["voucher", "promotion_tier", "promotion_stack"])
    id = serializers.CharField(help_text="A code, or the id of a promotion tier.")
    gift = serializers.DictField(
        required=False, help_text="`credits` to take off a gift card, in minor units."
    )


class OrderBody(serializers.Serializer):
    id = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    amount = serializers.IntegerField(required=False, help_text="Minor units.")
    items = serializers.ListField(child=serializers.DictField(), required=False)
    status = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)


class ContextBody(serializers.Serializer):
    order = OrderBody(required=False)
    customer = serializers.DictField(required=False)
    session = serializers.DictField(required=False, help_text="`type` LOCK, `key`, `ttl`, `ttl_unit`.")
    tracking_id = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)
    options = serializers.DictField(required=False)


class CheckoutBody(ContextBody):
    redeemables = RedeemableBody(many=True)


class QualificationBody(ContextBody):
    scenario = serializers.CharField(required=False)


class RollbackBody(serializers.Serializer):
    reason = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)


class ValidationAnswer(serializers.Serializer):
    id = serializers.CharField()
    valid = serializers.BooleanField()
    redeemables = serializers.ListField(child=serializers.DictField())
    order = serializers.DictField(required=False)


class LegacyValidationAnswer(serializers.Serializer):
    valid = serializers.BooleanField()
    code = serializers.CharField()


class QualificationAnswer(serializers.Serializer):
    redeemables = serializers.DictField()
    order = serializers.DictField(required=False)


class PriceListAnswer(serializers.Serializer):
    data = serializers.ListField(child=serializers.DictField())
    total = serializers.IntegerField()
    currency = serializers.CharField()


class RedemptionRow(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.CharField()
    result = serializers.CharField()
    status = serializers.CharField()


class RedemptionAnswer(serializers.Serializer):
    redemptions = RedemptionRow(many=True)
    order = serializers.DictField(required=False)


class RollbackAnswer(serializers.Serializer):
    rollbacks = RedemptionRow(many=True)
    parent_rollback = RedemptionRow(required=False)
    order = serializers.DictField(required=False)


class RedemptionList(serializers.Serializer):
    object = serializers.CharField()
    redemptions = RedemptionRow(many=True)
    total = serializers.IntegerField()
