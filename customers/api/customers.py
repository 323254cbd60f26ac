"""Customers over REST."""

from datetime import UTC, datetime

from django.db.models import Q
from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from customers.api.serializers import (
    CustomerAnswer,
    CustomerBody,
    CustomerList,
    ErasureAnswer,
    MetadataBody,
    PersonalDataAnswer,
)
from customers.filters import CustomerFilter
from customers.personal_data import personal_data_json
from customers.selectors import customer_by_ref, customers_for_wire, known_customer_by_ref
from customers.services.delete import delete_customer, erase_customer
from customers.services.import_customers import (
    import_customers_csv,
    update_customers,
    update_customers_metadata,
)
from customers.services.upsert import update_customer, upsert_customer
from customers.wire import customer_to_wire
from promoengine.core.api.filters import as_moment, range_condition
from promoengine.core.api.import_options import RowImportBody, sent_row_plan
from promoengine.core.api.lists import paged_list
from promoengine.core.api.serializers import AsyncAnswer
from promoengine.core.api.uploads import kept_upload
from promoengine.core.api.views import ApiRequest, ClientView, ServerView
from promoengine.core.errors import InvalidQueryParams, MissingPermission

ORDERS = {"created_at": "created_at", "updated_at": "updated_at", "source_id": "source_id"}


class CustomersView(ServerView):
    scope = "customers"


class Customers(CustomersView):
    @extend_schema(responses=CustomerList)
    def get(self, request: ApiRequest) -> Response:
        rows = customers_for_wire(request.project).filter(
            range_condition(request.GET, ["created_at", "updated_at"]), _after(request)
        )
        return Response(
            paged_list(
                CustomerFilter(request.GET, rows, request=request).qs,
                request.GET,
                data_ref="customers",
                rows_to_wire=lambda found: [customer_to_wire(customer) for customer in found],
                orders=ORDERS,
                default_order="-created_at",
                has_more=True,
            )
        )

    @extend_schema(request=CustomerBody, responses=CustomerAnswer)
    def post(self, request: ApiRequest) -> Response:
        customer = upsert_customer(
            request.project, data=request.data, channel=request.channel, where="", now=datetime.now(UTC)
        )
        return Response(customer_to_wire(customer))


class CustomerByRef(CustomersView):
    @extend_schema(responses=CustomerAnswer)
    def get(self, request: ApiRequest, ref: str) -> Response:
        return Response(customer_to_wire(customer_by_ref(request.project, ref)))

    @extend_schema(request=CustomerBody, responses=CustomerAnswer)
    def put(self, request: ApiRequest, ref: str) -> Response:
        customer = update_customer(
            request.project, ref, data=request.data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(customer_to_wire(customer))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, ref: str) -> Response:
        delete_customer(request.project, ref, channel=request.channel, now=datetime.now(UTC))
        return Response(status=204)


class PermanentDeletion(CustomersView):
    @extend_schema(request=None, responses=ErasureAnswer)
    def post(self, request: ApiRequest, ref: str) -> Response:
        return Response(erase_customer(request.project, ref, channel=request.channel, now=datetime.now(UTC)))


class PersonalData(CustomersView):
    @extend_schema(responses=PersonalDataAnswer)
    def get(self, request: ApiRequest, ref: str) -> StreamingHttpResponse:
        """All that is held on a customer in any table; not part of the published format."""
        customer = known_customer_by_ref(request.project, ref)
        pieces = personal_data_json(customer, now=datetime.now(UTC))
        return StreamingHttpResponse(pieces, content_type="application/json")


class CustomersImport(CustomersView):
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": RowImportBody}, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        plan = sent_row_plan(request)
        with kept_upload(request) as file:
            action = import_customers_csv(request.project, file=file, plan=plan, now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id}, status=202)


class CustomersBulk(CustomersView):
    @extend_schema(request=CustomerBody(many=True), responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        rows = request.data or []
        action = update_customers(request.project, rows=rows, now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id}, status=202)


class CustomersMetadata(CustomersView):
    @extend_schema(request=MetadataBody, responses={202: AsyncAnswer})
    def post(self, request: ApiRequest) -> Response:
        data = request.data or {"source_ids": [], "metadata": {}}
        action = update_customers_metadata(request.project, data=data, now=datetime.now(UTC))
        return Response({"async_action_id": action.public_id}, status=202)


class ClientCustomers(ClientView):
    scope = "client_customers"

    @extend_schema(request=CustomerBody, responses=CustomerAnswer)
    def post(self, request: ApiRequest) -> Response:
        if not request.project.client_create_customer_enabled:
            raise MissingPermission("Creating customers from the client side is switched off in this project")
        customer = upsert_customer(
            request.project, data=request.data, channel="CLIENT_API", where="", now=datetime.now(UTC)
        )
        return Response(customer_to_wire(customer))


def _after(request: ApiRequest) -> Q:
    """Return the condition of the cursor `starting_after`, a creation date."""
    text = request.GET.get("starting_after")
    if not text:
        return Q()
    try:
        moment = as_moment(text)
    except ValueError as error:
        raise InvalidQueryParams(f"Property .starting_after {error}") from error
    ascending = not request.GET.get("order", "-created_at").startswith("-")
    return Q(created_at__gt=moment) if ascending else Q(created_at__lt=moment)
