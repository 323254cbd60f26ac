"""Consents over REST, as the official JavaScript SDK asks for them."""

from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from customers.consents import (
    consent_by_id,
    consent_list_to_wire,
    consent_to_wire,
    given_consents_to_wire,
)
from customers.models import Consent
from customers.selectors import customer_by_ref
from customers.services.consent import delete_consent, save_consent, state_consents
from promoengine.core.api.serializers import read_body
from promoengine.core.api.views import ApiRequest, ClientView, ServerView
from promoengine.core.errors import MissingPermission


class ConsentBody(serializers.Serializer):
    name = serializers.CharField(max_length=255)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    category = serializers.ChoiceField(choices=Consent.Category.choices, required=False)


class ConsentAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    category = serializers.ChoiceField(Consent.Category.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(required=False)
    object = serializers.CharField()


class ConsentGroups(serializers.Serializer):
    object = serializers.CharField()
    total = serializers.IntegerField()
    data_ref = serializers.CharField()
    data = serializers.ListField(child=serializers.DictField(), max_length=0)


class ConsentList(ConsentGroups):
    data = ConsentAnswer(many=True)


class ConsentLists(serializers.Serializer):
    groups = ConsentGroups()
    consents = ConsentList()


class GivenConsent(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    category = serializers.ChoiceField(Consent.Category.choices)
    given = serializers.BooleanField()
    source = serializers.CharField(allow_null=True)
    date = serializers.DateTimeField(allow_null=True)
    object = serializers.CharField()


class GivenConsentList(ConsentGroups):
    data = GivenConsent(many=True)


class Consents(ServerView):
    scope = "consents"

    @extend_schema(responses=ConsentLists)
    def get(self, request: ApiRequest) -> Response:
        return Response(consent_list_to_wire(request.project))

    @extend_schema(request=ConsentBody, responses=ConsentAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Make a consent; not part of the published format."""
        data = read_body(ConsentBody, request.data)
        made = save_consent(request.project, **data, channel=request.channel, now=datetime.now(UTC))
        return Response(consent_to_wire(made))


class ConsentById(ServerView):
    scope = "consents"

    @extend_schema(request=ConsentBody, responses=ConsentAnswer)
    def put(self, request: ApiRequest, consent_id: str) -> Response:
        """Change a consent, where what is not mentioned stays; not part of the published format."""
        consent = consent_by_id(request.project, consent_id)
        kept = {"description": consent.description, "category": consent.category}
        data = kept | read_body(ConsentBody, request.data)
        changed = save_consent(
            request.project, consent, **data, channel=request.channel, now=datetime.now(UTC)
        )
        return Response(consent_to_wire(changed))

    @extend_schema(responses={204: None})
    def delete(self, request: ApiRequest, consent_id: str) -> Response:
        """Ask for it no more; what was said of it stays. Not part of the published format."""
        delete_consent(request.project, consent_id, channel=request.channel, now=datetime.now(UTC))
        return Response(status=204)


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
