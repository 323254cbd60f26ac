"""Publications over REST; connectors send them in several forms."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.guessing import CodeView, note_misses
from promoengine.core.api.lists import paged_list
from promoengine.core.api.renderers import refuse_nul
from promoengine.core.api.views import ApiRequest, FormOrJson, ServerView
from promoengine.core.errors import DomainError, InvalidPayload, MissingPermission, NotFound
from promoengine.core.models import Project
from vouchers.api.serializers import PublicationAnswer, PublicationBody, PublicationList
from vouchers.filters import PUBLICATION_ORDERS, publication_condition
from vouchers.models import Publication
from vouchers.services.publish import (
    PublicationRequest,
    VoucherAlreadyPublished,
    VoucherCannotBePublished,
    publish,
)
from vouchers.wire import publication_rows_to_wire, publication_to_wire

TEXT_MAX = 255
DEFAULT_CHANNEL = "API"  # whatever the header says: SDKs refuse another word here


class Publications(FormOrJson, ServerView):
    scope = "publications"

    @extend_schema(responses=PublicationList)
    def get(self, request: ApiRequest) -> Response:
        return publication_list(request, publication_condition(request.project, request.GET))

    @extend_schema(request=PublicationBody, responses=PublicationAnswer)
    def post(self, request: ApiRequest) -> Response:
        return publish_to(request, request.data)


class PublicationByQuery(ServerView):
    """The same by GET, for senders that can do nothing else."""

    scope = "publications"

    @extend_schema(responses=PublicationAnswer)
    def get(self, request: ApiRequest) -> Response:
        return publish_to(request, request.GET)


class ClientPublication(CodeView):
    scope = "client_publications"

    @extend_schema(request=PublicationBody, responses=PublicationAnswer)
    def post(self, request: ApiRequest) -> Response:
        if not request.project.client_publish_enabled:
            raise MissingPermission("Publishing from the client side is switched off in this project")
        body = dict(request.data) if isinstance(request.data, Mapping) else {}
        for name in ("campaign", "voucher"):
            if request.GET.get(name):
                body[name] = request.GET[name]
        try:
            return publish_to(request, body)
        except (NotFound, VoucherAlreadyPublished, VoucherCannotBePublished) as refusal:
            code = read_publication(body, join_once=None).voucher
            raise (_told(request, code, refusal) if code else refusal) from refusal


def _told(request: ApiRequest, code: str, refusal: DomainError) -> DomainError:
    """Return what a browser is told of a code that it can't have, and count a code that it guessed wrong."""
    if isinstance(refusal, NotFound) and refusal.resource_type != "voucher":
        return refusal
    if request.project.client_refusals != Project.ClientRefusals.ALL:
        refusal = NotFound("voucher", code)
    note_misses(request, int(isinstance(refusal, NotFound)))
    return refusal


def publication_list(request: ApiRequest, condition: Q) -> Response:
    """Return the page of the project's publications under a condition that the query asks for."""
    return Response(
        paged_list(
            Publication.objects.filter(condition, project=request.project).select_related(
                "customer__summary"
            ),
            request.GET,
            data_ref="publications",
            rows_to_wire=lambda found: publication_rows_to_wire(request.project, found),
            orders=PUBLICATION_ORDERS,
            default_order="-created_at",
        )
    )


def publish_to(request: ApiRequest, body: Any) -> Response:
    asked = read_publication(body, join_once=request.GET.get("join_once"))
    published = publish(request.project, asked, now=datetime.now(UTC))
    return Response(publication_to_wire(published.publication, published.customer, published.vouchers))


def read_publication(body: Any, *, join_once: str | None) -> PublicationRequest:
    """Read a publication from JSON, a form or a query string; a name alone may stand for an object.

    Raises:
        InvalidPayload: a field has the wrong type; the details name it.
    """
    if not isinstance(body, Mapping):
        raise InvalidPayload("Payload should be object")
    refuse_nul(dict(body.items()))
    campaign, voucher = _named(body, "campaign"), _named(body, "voucher")
    count = campaign.get("count")
    if isinstance(count, str) and count.isascii() and count.isdigit() and len(count) < 5:
        count = int(count)
    if count is not None and type(count) is not int:
        raise InvalidPayload("Property .campaign.count should be integer")
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InvalidPayload("Property .metadata should be object")
    return PublicationRequest(
        customer=_customer(body),
        voucher=_text(voucher, "code", "voucher") or _text(voucher, "name", "voucher"),
        campaign=_text(campaign, "id", "campaign") or _text(campaign, "name", "campaign"),
        count=1 if count is None else count,
        join_once=None if join_once is None else join_once == "true",
        source_id=_text(body, "source_id", ""),
        channel=(_text(body, "channel", "") or DEFAULT_CHANNEL)[:64],
        metadata=metadata,
    )


def _customer(body: Mapping[str, Any]) -> Mapping[str, Any]:
    customer = body.get("customer")
    if isinstance(customer, str) and customer:
        return {"id": customer} if customer.startswith("cust_") else {"source_id": customer}
    if customer is not None and not isinstance(customer, Mapping):
        raise InvalidPayload("Property .customer should be object")
    return customer or _bracketed(body, "customer")


def _named(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if isinstance(value, str):
        return {"name": value}
    if value is not None and not isinstance(value, Mapping):
        raise InvalidPayload(f"Property .{name} should be object")
    return value or _bracketed(body, name)


def _bracketed(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the fields that a form writes as `name[field]`."""
    return {key[len(name) + 1 : -1]: value for key, value in body.items() if key.startswith(f"{name}[")}


def _text(row: Mapping[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        path = f".{where}.{name}" if where else f".{name}"
        raise InvalidPayload(f"Property {path} should be a string of up to {TEXT_MAX} characters")
    return value
