"""The shapes of customers and events for the API's description; `payload.py` reads and checks them."""

from rest_framework import serializers


class CustomerBody(serializers.Serializer):
    id = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    phone = serializers.CharField(required=False)
    description = serializers.CharField(required=False)
    birthdate = serializers.DateField(required=False)
    address = serializers.DictField(required=False)
    metadata = serializers.DictField(required=False)
    identities = serializers.DictField(
        required=False,
        write_only=True,
        child=serializers.CharField(allow_null=True),
        help_text="What else they are known by: email, phone, card, device, address. Kept as keyed hashes.",
    )


class CustomerAnswer(CustomerBody):
    summary = serializers.DictField()
    loyalty = serializers.DictField()
    referrals = serializers.DictField()
    created_at = serializers.DateTimeField()
    object = serializers.CharField()


class CustomerList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    customers = CustomerAnswer(many=True)
    total = serializers.IntegerField()
    has_more = serializers.BooleanField()


class MetadataBody(serializers.Serializer):
    source_ids = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()


class ErasureAnswer(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.CharField()
    data_json = serializers.DictField()


class PersonalDataAnswer(serializers.Serializer):
    object = serializers.CharField()
    customer_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    data = serializers.DictField(child=serializers.ListField(child=serializers.DictField()))


class ActivityList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = serializers.ListField(child=serializers.DictField())
    has_more = serializers.BooleanField()


class ActivitiesList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = serializers.ListField(child=serializers.DictField())
    total = serializers.IntegerField()


class EventBody(serializers.Serializer):
    event = serializers.CharField()
    customer = CustomerBody(required=False)
    tracking_id = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)
    source_id = serializers.CharField(required=False)
    created_at = serializers.DateTimeField(required=False)
    referral = serializers.DictField(required=False)
    loyalty = serializers.DictField(required=False)


class EventAnswer(serializers.Serializer):
    object = serializers.CharField()
    type = serializers.CharField()
    customer = CustomerBody()


class SegmentBody(serializers.Serializer):
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=["static", "auto-update", "passive"], required=False)
    customers = serializers.ListField(child=serializers.CharField(), required=False)
    filter = serializers.DictField(required=False)


class SegmentChange(serializers.Serializer):
    name = serializers.CharField(required=False)
    filter = serializers.DictField(required=False)


class SegmentCount(serializers.Serializer):
    object = serializers.CharField()
    total = serializers.IntegerField()
    is_estimate = serializers.BooleanField()


class SegmentProgress(serializers.Serializer):
    asked_customers = serializers.IntegerField()
    total_customers = serializers.IntegerField()
    matching_customers = serializers.IntegerField()


class SegmentAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    type = serializers.CharField()
    filter = serializers.DictField(allow_null=True)
    initial_sync_status = serializers.CharField()
    initial_sync_progress = SegmentProgress(required=False)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(required=False)
    object = serializers.CharField()


class SegmentList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = SegmentAnswer(many=True)
    total = serializers.IntegerField()


class CustomerSegment(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    object = serializers.CharField()


class CustomerSegmentList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = CustomerSegment(many=True)
    total = serializers.IntegerField()
