"""Product collections over REST."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.api.catalogue_serializers import CollectionAnswer, CollectionBody, CollectionList, GoodsList
from campaigns.builtin import ALL_PRODUCTS_COLLECTION
from campaigns.catalogue_selectors import collection_by_id, members_of
from campaigns.catalogue_wire import collection_to_wire, listed_good
from campaigns.collected import collected_goods
from campaigns.models import ProductCollection
from campaigns.services.product_collections import create_collection, delete_collection, update_collection
from promoengine.core.api.filters import as_moment
from promoengine.core.api.lists import limit_of, page_of, paged_list
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidQueryParams
from promoengine.engine.items import ALL_PRODUCTS
from promoengine.engine.operators import Moment

ORDERS = {"created_at": "created_at", "updated_at": "updated_at", "name": "name", "type": "type", "id": "id"}
GOODS_ORDERS = ("created_at", "updated_at")


class CollectionsView(ServerView):
    scope = "product-collections"


class ProductCollections(CollectionsView):
    @extend_schema(responses=CollectionList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            paged_list(
                ProductCollection.objects.filter(project=request.project),
                request.GET,
                data_ref="data",
                rows_to_wire=_collections_to_wire,
                orders=ORDERS,
            )
        )

    @extend_schema(request=CollectionBody, responses=CollectionAnswer)
    def post(self, request: ApiRequest) -> Response:
        collection = create_collection(request.project, data=request.data, now=datetime.now(UTC))
        return Response(_collection_to_wire(collection))


class ProductCollectionById(CollectionsView):
    @extend_schema(responses=CollectionAnswer)
    def get(self, request: ApiRequest, collection_id: str) -> Response:
        if collection_id == ALL_PRODUCTS:
            return Response(ALL_PRODUCTS_COLLECTION)
        return Response(_collection_to_wire(collection_by_id(request.project, collection_id)))

    @extend_schema(request=CollectionBody, responses=CollectionAnswer)
    def put(self, request: ApiRequest, collection_id: str) -> Response:
        collection = update_collection(
            request.project, collection_id, data=request.data, now=datetime.now(UTC)
        )
        return Response(_collection_to_wire(collection))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, collection_id: str) -> Response:
        delete_collection(request.project, collection_id)
        return Response(status=204)


class CollectionProducts(CollectionsView):
    @extend_schema(responses=GoodsList)
    def get(self, request: ApiRequest, collection_id: str) -> Response:
        project, limit = request.project, limit_of(request.GET)
        goods, total = collected_goods(
            project,
            None if collection_id == ALL_PRODUCTS else collection_by_id(project, collection_id),
            order=_order(request),
            first=(page_of(request.GET) - 1) * limit,
            limit=limit,
            before=_starting_after(request),
            at=Moment(datetime.now(UTC), ZoneInfo(project.timezone), project.week_start),
        )
        data = [listed_good(good) for good in goods]
        return Response({"object": "list", "data_ref": "data", "data": data, "total": total})


def _collections_to_wire(collections: list[ProductCollection]) -> list[dict[str, Any]]:
    members = members_of(collections)
    return [collection_to_wire(collection, members[collection.pk]) for collection in collections]


def _collection_to_wire(collection: ProductCollection) -> dict[str, Any]:
    (wire,) = _collections_to_wire([collection])
    return wire


def _order(request: ApiRequest) -> str:
    order: str = request.GET.get("order") or "-created_at"
    if order.removeprefix("-") not in GOODS_ORDERS:
        raise InvalidQueryParams(
            f"Property .order should be one of {', '.join(GOODS_ORDERS)}, or -one of them"
        )
    return order


def _starting_after(request: ApiRequest) -> datetime | None:
    """Return the creation date of the last row that the caller has seen, the newest being first."""
    text = request.GET.get("starting_after")
    if not text:
        return None
    try:
        moment: datetime = as_moment(text)
    except ValueError as error:
        raise InvalidQueryParams(f"Property .starting_after {error}") from error
    return moment
