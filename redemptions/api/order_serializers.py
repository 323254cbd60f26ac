"""The shapes of orders for the API's description; `order_requests.py` reads and checks them."""

from rest_framework import serializers


class OrderLineBody(serializers.Serializer):
    source_id = serializers.CharField(required=False)
    product_id = serializers.CharField(required=False)
    sku_id = serializers.CharField(required=False)
    related_object = serializers.CharField(required=False, help_text="`product` or `sku`.")
    quantity = serializers.IntegerField(required=False)
    price = serializers.IntegerField(required=False, help_text="Of one unit, in minor units.")
    amount = serializers.IntegerField(required=False)
    initial_quantity = serializers.IntegerField(required=False)
    initial_amount = serializers.IntegerField(required=False)
    discount_amount = serializers.IntegerField(required=False)
    discount_quantity = serializers.IntegerField(required=False)
    product = serializers.DictField(required=False)
    sku = serializers.DictField(required=False)
    metadata = serializers.DictField(required=False)


class OrderRequestBody(serializers.Serializer):
    id = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    status = serializers.ChoiceField(
        ["CREATED", "PAID", "PROCESSING", "CANCELED", "FULFILLED"], required=False
    )
    amount = serializers.IntegerField(required=False, help_text="Minor units.")
    initial_amount = serializers.IntegerField(required=False)
    discount_amount = serializers.IntegerField(required=False)
    items = OrderLineBody(many=True, required=False)
    customer = serializers.DictField(required=False)
    referrer = serializers.DictField(required=False)
    metadata = serializers.DictField(required=False)


class OrderAnswer(serializers.Serializer):
    id = serializers.CharField()
    source_id = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    amount = serializers.IntegerField()
    total_amount = serializers.IntegerField()
    items = OrderLineBody(many=True, required=False)
    metadata = serializers.DictField()
    customer_id = serializers.CharField(allow_null=True)
    referrer_id = serializers.CharField(allow_null=True)
    redemptions = serializers.DictField(required=False)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(allow_null=True)
    object = serializers.CharField()


class OrderList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    orders = OrderAnswer(many=True)
    total = serializers.IntegerField()
