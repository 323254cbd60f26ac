"""The shapes of the catalogue for the API's description; `payload.py` and the services check them."""

from rest_framework import serializers


class ProductBody(serializers.Serializer):
    id = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    price = serializers.IntegerField(required=False)
    attributes = serializers.ListField(child=serializers.CharField(), required=False)
    metadata = serializers.DictField(required=False)
    image_url = serializers.CharField(required=False)


class SkuBody(serializers.Serializer):
    id = serializers.CharField(required=False)
    source_id = serializers.CharField(required=False)
    sku = serializers.CharField(required=False)
    price = serializers.IntegerField(required=False)
    currency = serializers.CharField(required=False)
    attributes = serializers.DictField(required=False)
    image_url = serializers.CharField(required=False)
    metadata = serializers.DictField(required=False)


class SkuAnswer(SkuBody):
    product_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    object = serializers.CharField()


class SkuList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    skus = SkuAnswer(many=True)
    total = serializers.IntegerField()


class ProductAnswer(ProductBody):
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    object = serializers.CharField()


class FullProductAnswer(ProductAnswer):
    skus = serializers.DictField()


class ProductList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    products = FullProductAnswer(many=True)
    total = serializers.IntegerField()


class ProductMetadataBody(serializers.Serializer):
    source_ids = serializers.ListField(child=serializers.CharField())
    metadata = serializers.DictField()


class CollectionMember(serializers.Serializer):
    id = serializers.CharField()
    object = serializers.ChoiceField(["product", "sku"])
    product_id = serializers.CharField(required=False)


class CollectionBody(serializers.Serializer):
    type = serializers.ChoiceField(["STATIC", "AUTO_UPDATE"])
    name = serializers.CharField()
    products = CollectionMember(many=True, required=False)
    filter = serializers.DictField(required=False)


class CollectionAnswer(CollectionBody):
    id = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(required=False)
    object = serializers.CharField()


class CollectionList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = CollectionAnswer(many=True)
    total = serializers.IntegerField()


class GoodsList(serializers.Serializer):
    object = serializers.CharField()
    data_ref = serializers.CharField()
    data = serializers.ListField(child=serializers.DictField())
    total = serializers.IntegerField()
