"""Consents over REST, as the official JavaScript SDK asks for them."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from customers.consents import consent_list_to_wire, given_consents_to_wire
from customers.selectors import customer_by_ref
from customers.services.consent import state_consents
from promoengine.core.api.views import ApiRequest, ClientView, ServerView
from promoengine.core.errors import MissingPermission


class ConsentLists(serializers.Serializer):
    groups = serializers.DictField()
    consents = serializers.DictField()


class GivenConsentList(serializers.Serializer):
    object = serializers.CharField()
    total = serializers.IntegerField()
    data_ref = serializers.CharField()
    data = serializers.ListField(child=serializers.DictField())


class Consents(ServerView):
    scope = "consents"

    @extend_schema(responses=ConsentLists)
    def get(self, request: ApiRequest) -> Response:
        return Response(consent_list_to_wire(request.project))


class CustomerConsents(ServerView):
    scope = "consents"

    @extend_schema(responses=GivenConsentList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        """What a customer said, with the way and the time; not part of the published format."""
        return Response(given_consents_to_wire(customer_by_ref(request.project, ref)))

    @extend_schema(request={"application/json": {"type": "object"}}, responses=GivenConsentList)
    def put(self, request: ApiRequest, ref: str) -> Response:
        customer = state_consents(
            request.project, ref, data=request.data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(given_consents_to_wire(customer))


class ClientConsents(ClientView):
    scope = "client_consents"

    @extend_schema(responses=ConsentLists)
    def get(self, request: ApiRequest) -> Response:
        return Response(consent_list_to_wire(request.project))


class ClientCustomerConsents(ClientView):
    scope = "client_consents"

    @extend_schema(request={"application/json": {"type": "object"}}, responses={204: None})
    def put(self, request: ApiRequest, ref: str) -> Response:
        """What others said is not told to a browser, which could ask of anybody."""
        if not request.project.client_create_customer_enabled:
            raise MissingPermission("Changing customers from the client side is switched off in this project")
        state_consents(request.project, ref, data=request.data, channel="CLIENT_API", now=datetime.now(UTC))
        return Response(status=204)
