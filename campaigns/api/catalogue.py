"""Products and SKUs over REST."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from campaigns.api.catalogue_serializers import (
    FullProductAnswer,
    ProductAnswer,
    ProductBody,
    ProductList,
    ProductMetadataBody,
    SkuAnswer,
    SkuBody,
    SkuList,
)
from campaigns.builtin import SHIPPING_IDS
from campaigns.catalogue_selectors import (
    product_by_ref,
    products_of,
    sku_by_ref,
    skus_by_product,
    skus_of,
)
from campaigns.catalogue_wire import (
    full_product,
    product_skus,
    product_to_wire,
    shipping_to_wire,
    sku_to_wire,
)
from campaigns.models import Product
from campaigns.services.import_products import (
    import_products_csv,
    import_skus_csv,
    update_products,
    update_products_metadata,
)
from campaigns.services.products import (
    delete_product,
    delete_sku,
    update_product,
    update_sku,
    upsert_product,
    upsert_sku,
)
from promoengine.core.api.filters import as_moment, range_condition
from promoengine.core.api.import_options import RowImportBody, sent_row_plan
from promoengine.core.api.lists import paged_list
from promoengine.core.api.serializers import AsyncAnswer
from promoengine.core.api.uploads import kept_upload
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidQueryParams

ORDERS = {"created_at": "created_at", "updated_at": "updated_at", "id": "id"}
OLDEST_FIRST = "id"


class ProductsView(ServerView):
    scope = "products"


class SkusView(ServerView):
    scope = "skus"


class Products(ProductsView):
    @extend_schema(responses=ProductList)
    def get(self, request: ApiRequest) -> Response:
        rows = products_of(request.project).filter(
            _created_between(request),
            range_condition(request.GET, ["created_at", "updated_at"]),
        )
        return Response(
            paged_list(
                rows,
                request.GET,
                data_ref="products",
                rows_to_wire=_products_to_wire,
                orders=ORDERS,
                default_order=OLDEST_FIRST,
            )
        )

    @extend_schema(request=ProductBody, responses=ProductAnswer)
    def post(self, request: ApiRequest) -> Response:
        product = upsert_product(request.project, data=request.data, now=datetime.now(UTC))
        return Response(product_to_wire(product))


class ProductByRef(ProductsView):
    @extend_schema(responses=FullProductAnswer)
    def get(self, request: ApiRequest, ref: str) -> Response:
        if ref in SHIPPING_IDS:
            return Response(shipping_to_wire())
        product = product_by_ref(request.project, ref)
        return Response(full_product(product, skus_by_product([product])[product.pk]))

    @extend_schema(request=ProductBody, responses=ProductAnswer)
    def put(self, request: ApiRequest, ref: str) -> Response:
        product = update_product(request.project, ref, data=request.data, now=datetime.now(UTC))
        return Response(product_to_wire(product))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, ref: str) -> Response:
        force = request.GET.get("force") == "true"
        delete_product(request.project, ref, force=force, now=datetime.now(UTC))
        return Response(status=204)


class ProductSkus(ProductsView):
    @extend_schema(responses=SkuList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        if ref in SHIPPING_IDS:
            return Response(product_skus([]))
        rows = skus_of(request.project).filter(product=product_by_ref(request.project, ref))
        return Response(
            paged_list(
                rows.filter(_created_between(request)),
                request.GET,
                data_ref="skus",
                rows_to_wire=lambda found: [sku_to_wire(sku) for sku in found],
                orders=ORDERS,
                default_order=OLDEST_FIRST,
            )
        )

    @extend_schema(request=SkuBody, responses=SkuAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        sku = upsert_sku(request.project, ref, data=request.data, now=datetime.now(UTC))
        return Response(sku_to_wire(sku))


class ProductSkuByRef(ProductsView):
    @extend_schema(request=SkuBody, responses=SkuAnswer)
    def put(self, request: ApiRequest, ref: str, sku_ref: str) -> Response:
        sku = update_sku(request.project, ref, sku_ref, data=request.data, now=datetime.now(UTC))
        return Response(sku_to_wire(sku))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, ref: str, sku_ref: str) -> Response:
        force = request.GET.get("force") == "true"
        delete_sku(request.project, ref, sku_ref, force=force, now=datetime.now(UTC))
        return Response(status=204)


class SkuByRef(SkusView):
    @extend_schema(responses=SkuAnswer)
    def get(self, request: ApiRequest, ref: str) -> Response:
        return Response(sku_to_wire(sku_by_ref(request.project, ref)))


class ProductsBulk(ProductsView):
    @extend_schema(request=ProductBody(many=True), responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        action = update_products(request.project, rows=request.data or [], now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id}, status=202)


class ProductsMetadata(ProductsView):
    @extend_schema(request=ProductMetadataBody, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        data = request.data or {"source_ids": [], "metadata": {}}
        action = update_products_metadata(request.project, data=data, now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id}, status=202)


class ProductsImport(ProductsView):
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": RowImportBody}, responses=AsyncAnswer)
    def post(self, request: ApiRequest) -> Response:
        plan = sent_row_plan(request)
        with kept_upload(request) as file:
            action = import_products_csv(request.project, file=file, plan=plan, now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id})


class SkusImport(SkusView):
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": RowImportBody}, responses=AsyncAnswer)
    def post(self, request: ApiRequest) -> Response:
        plan = sent_row_plan(request)
        with kept_upload(request) as file:
            action = import_skus_csv(request.project, file=file, plan=plan, now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id})


def _products_to_wire(products: list[Product]) -> list[dict[str, Any]]:
    skus = skus_by_product(products)
    return [full_product(product, skus[product.pk]) for product in products]


def _created_between(request: ApiRequest) -> Q:
    condition = Q()
    for name, lookup in (("start_date", "gte"), ("end_date", "lte")):
        if text := request.GET.get(name):
            try:
                condition &= Q(**{f"created_at__{lookup}": as_moment(text)})
            except ValueError as error:
                raise InvalidQueryParams(f"Property .{name} {error}") from error
    return condition
