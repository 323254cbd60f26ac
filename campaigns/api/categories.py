"""Categories over REST."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.api.serializers import CategoryAnswer, CategoryBody, CategoryList
from campaigns.models import Category
from campaigns.selectors import category_by_id
from campaigns.services.categories import create_category, delete_category, update_category
from campaigns.wire import category_to_wire
from promoengine.core.api.lists import LIMIT_MAX, paged_list
from promoengine.core.api.serializers import read_body
from promoengine.core.api.views import ApiRequest, ServerView

ORDERS = {"id": "id", "name": "name", "hierarchy": "hierarchy", "created_at": "created_at"}


class CategoriesView(ServerView):
    scope = "categories"


class Categories(CategoriesView):
    @extend_schema(responses=CategoryList)
    def get(self, request: ApiRequest) -> Response:
        return Response(
            paged_list(
                Category.objects.filter(project=request.project),
                request.GET,
                data_ref="data",
                rows_to_wire=lambda rows: [category_to_wire(row) for row in rows],
                orders=ORDERS,
                has_more=True,
                limit_default=LIMIT_MAX,
            )
        )

    @extend_schema(request=CategoryBody, responses=CategoryAnswer)
    def post(self, request: ApiRequest) -> Response:
        data = read_body(CategoryBody, request.data)
        return Response(category_to_wire(create_category(request.project, data=data, now=datetime.now(UTC))))


class CategoryById(CategoriesView):
    @extend_schema(responses=CategoryAnswer)
    def get(self, request: ApiRequest, category_id: str) -> Response:
        return Response(category_to_wire(category_by_id(request.project, category_id)))

    @extend_schema(request=CategoryBody, responses=CategoryAnswer)
    def put(self, request: ApiRequest, category_id: str) -> Response:
        data = read_body(CategoryBody, request.data)
        category = update_category(request.project, category_id, data=data, now=datetime.now(UTC))
        return Response(category_to_wire(category))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, category_id: str) -> Response:
        delete_category(request.project, category_id)
        return Response(status=204)
