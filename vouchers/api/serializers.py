"""The shapes of campaigns, vouchers and publications as they are sent."""

from rest_framework import serializers

from campaigns.api.serializers import PromotionBody, TermsBody
from campaigns.models import Campaign
from customers.identities import KINDS
from promoengine.core.api.serializers import MomentField


class CampaignBody(TermsBody):
    name = serializers.CharField(required=False, max_length=255)
    description = serializers.CharField(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    campaign_type = serializers.ChoiceField(
        ["DISCOUNT_COUPONS", "GIFT_VOUCHERS", "PROMOTION", "LOYALTY_PROGRAM", "REFERRAL_PROGRAM"],
        required=False,
    )
    type = serializers.ChoiceField(["AUTO_UPDATE", "STATIC", "STANDALONE"], required=False)
    voucher = serializers.DictField(required=False, allow_null=True)
    promotion = PromotionBody(required=False, allow_null=True)
    referral_program = serializers.DictField(required=False, allow_null=True)
    vouchers_count = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    auto_join = serializers.BooleanField(required=False, allow_null=True)
    join_once = serializers.BooleanField(required=False, allow_null=True)
    rollback_policy = serializers.DictField(required=False, allow_null=True)
    use_voucher_metadata_schema = serializers.BooleanField(required=False, allow_null=True)
    activity_duration_after_publishing = serializers.CharField(required=False, allow_null=True, max_length=64)
    one_customer_by = serializers.ListField(
        child=serializers.ChoiceField(KINDS),
        required=False,
        allow_null=True,
        help_text="Limits by customer count those together who share one of these.",
    )
    guests = serializers.ChoiceField(
        Campaign.Guests.values,
        required=False,
        allow_null=True,
        help_text="Whether people may use it of whom nothing is known.",
    )


class VoucherBody(TermsBody):
    code = serializers.CharField(required=False, allow_null=True, max_length=255, trim_whitespace=False)
    campaign = serializers.CharField(required=False, allow_null=True, max_length=255)
    campaign_id = serializers.CharField(required=False, allow_null=True, max_length=64)
    type = serializers.ChoiceField(
        ["DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"], required=False, allow_null=True
    )
    discount = serializers.DictField(required=False, allow_null=True)
    gift = serializers.DictField(required=False, allow_null=True)
    loyalty_card = serializers.DictField(required=False, allow_null=True)
    redemption = serializers.DictField(required=False, allow_null=True)
    code_config = serializers.DictField(required=False, allow_null=True)
    active = serializers.BooleanField(required=False, allow_null=True)
    additional_info = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=10_000
    )


class BatchBody(serializers.Serializer):
    name = serializers.CharField(required=False, allow_blank=True, max_length=255)
    locked_until = MomentField(
        required=False, allow_null=True, help_text="None of its codes is given before."
    )
    one_per_person = serializers.BooleanField(required=False)


class BalanceBody(serializers.Serializer):
    amount = serializers.JSONField(help_text="Whole number of minor units, negative takes away.")
    source_id = serializers.CharField(required=False, allow_null=True, max_length=255)
    reason = serializers.CharField(required=False, allow_null=True, max_length=1000)


class PublicationBody(serializers.Serializer):
    voucher = serializers.CharField(required=False)
    campaign = serializers.DictField(required=False, help_text="`name` and `count`.")
    customer = serializers.DictField()
    channel = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)


class CampaignAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    campaign_type = serializers.CharField()
    type = serializers.CharField()
    vouchers_count = serializers.IntegerField()
    object = serializers.CharField()


class CampaignList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    campaigns = CampaignAnswer(many=True)
    total = serializers.IntegerField()


class VoucherAnswer(serializers.Serializer):
    id = serializers.CharField()
    code = serializers.CharField()
    type = serializers.CharField()
    active = serializers.BooleanField()
    object = serializers.CharField()


class VoucherMetadataBody(serializers.Serializer):
    code = serializers.CharField()
    metadata = serializers.DictField()


class VouchersMetadataBody(serializers.Serializer):
    codes = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()


class VoucherList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    vouchers = VoucherAnswer(many=True)
    total = serializers.IntegerField()
    total_is_estimate = serializers.BooleanField(required=False)
    has_more = serializers.BooleanField(required=False)
    more_starting_after = serializers.CharField(required=False)
    more_ending_before = serializers.CharField(required=False)
    looked_through = serializers.IntegerField(required=False)


class BalanceAnswer(serializers.Serializer):
    amount = serializers.IntegerField()
    total = serializers.IntegerField()
    balance = serializers.IntegerField()
    object = serializers.CharField()


class PublicationAnswer(serializers.Serializer):
    id = serializers.CharField()
    customer_id = serializers.CharField()
    result = serializers.CharField()
    object = serializers.CharField()


class PublicationList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    publications = PublicationAnswer(many=True)
    total = serializers.IntegerField()


class CursorList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = serializers.ListField(child=serializers.DictField())
    has_more = serializers.BooleanField()
